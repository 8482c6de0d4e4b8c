/**
 * Address prefixes, for what does not pass through the addon. Reads and refuses the same texts as
 * `native/core/src/admission/block_list.rs`: `192.0.2.0/24`, `2001:db8::/32`, or one address;
 * an IPv4-mapped prefix of at least 96 bits means IPv4.
 */
import { isIP } from 'node:net';
import type { AdmissionSettings } from '../util/admission.js';
import { TransportError } from '../util/errors.js';

interface Address {
  bits: 32 | 128;
  value: bigint;
}

/** First and last address. */
interface Range {
  first: bigint;
  last: bigint;
}

const MAPPED = 0xffffn;

export class PrefixList {
  /** In order, apart from each other. */
  readonly #v4: Range[];
  readonly #v6: Range[];

  /**
   * `name` is what errors call the list.
   *
   * @throws TransportError bad-option
   */
  constructor(prefixes: readonly string[], name = 'prefixes') {
    const v4: Range[] = [];
    const v6: Range[] = [];
    for (let i = 0; i < prefixes.length; i++) {
      const { bits, range } = readPrefix(prefixes[i], `${name}[${i}]`);
      (bits === 32 ? v4 : v6).push(range);
    }
    this.#v4 = merged(v4);
    this.#v6 = merged(v6);
  }

  get isEmpty(): boolean {
    return this.#v4.length === 0 && this.#v6.length === 0;
  }

  /** Whether the IP address is in one of the prefixes; false for what is no address. */
  contains(text: string): boolean {
    if (this.isEmpty) return false;
    const zone = text.indexOf('%');
    const address = readAddress(zone < 0 ? text : text.slice(0, zone));
    if (address === null) return false;
    const { bits, value } = canonical(address);
    return isWithin(bits === 32 ? this.#v4 : this.#v6, value);
  }
}

function readPrefix(text: string, name: string): { bits: 32 | 128; range: Range } {
  const refused = (why: string) =>
    new TransportError('bad-option', `ggscale: ${name} '${text}': ${why}`);
  const slash = text.indexOf('/');
  const given = readAddress(slash < 0 ? text : text.slice(0, slash));
  if (given === null) throw refused('not an address prefix like 192.0.2.0/24');
  const digits = slash < 0 ? String(given.bits) : text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(digits) || Number(digits) > given.bits) {
    throw refused('its prefix length is not 0…32 (IPv4) or 0…128 (IPv6)');
  }
  const hostBits = given.bits - Number(digits);
  const { bits, value } = hostBits <= 32 ? canonical(given) : given;
  const size = 1n << BigInt(hostBits);
  const first = value - (value % size);
  if (first !== value) {
    const meant = `${written({ bits, value: first })}/${bits - hostBits}`;
    throw refused(`it has bits behind its prefix: ${meant}?`);
  }
  return { bits, range: { first, last: first + size - 1n } };
}

/** An IPv4-mapped IPv6 address is the IPv4 address. */
function canonical(address: Address): Address {
  if (address.bits === 32 || address.value >> 32n !== MAPPED) return address;
  return { bits: 32, value: address.value & 0xffffffffn };
}

function readAddress(text: string): Address | null {
  const family = isIP(text);
  if (family === 4) return { bits: 32, value: readV4(text) };
  if (family === 0 || text.includes('%')) return null;
  // The last 32 bits may be written as IPv4.
  const colon = text.lastIndexOf(':') + 1;
  const isMixed = text.includes('.');
  const tail = isMixed ? readV4(text.slice(colon)) : 0n;
  const groups = isMixed ? `${text.slice(0, colon)}0:0` : text;
  const [head, rest] = groups.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = rest === undefined || rest === '' ? [] : rest.split(':');
  const zeros = new Array(8 - before.length - after.length).fill('0');
  let value = 0n;
  for (const group of [...before, ...zeros, ...after]) {
    value = (value << 16n) | BigInt(`0x${group}`);
  }
  return { bits: 128, value: value | tail };
}

function readV4(text: string): bigint {
  return text.split('.').reduce((value, octet) => (value << 8n) | BigInt(octet), 0n);
}

function written({ bits, value }: Address): string {
  const groups: string[] = [];
  const [step, base] = bits === 32 ? [8, 10] : [16, 16];
  for (let at = bits - step; at >= 0; at -= step) {
    groups.push(((value >> BigInt(at)) & ((1n << BigInt(step)) - 1n)).toString(base));
  }
  return bits === 32
    ? groups.join('.')
    : new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

function merged(ranges: Range[]): Range[] {
  ranges.sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const out: Range[] = [];
  for (const range of ranges) {
    const before = out.at(-1);
    if (before === undefined || range.first > before.last) out.push({ ...range });
    else if (range.last > before.last) before.last = range.last;
  }
  return out;
}

function isWithin(ranges: Range[], value: bigint): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle].first <= value) low = middle + 1;
    else high = middle;
  }
  return low > 0 && value <= ranges[low - 1].last;
}

/** The block list that the settings name, or null when they name none. */
export function blockedOf(settings: AdmissionSettings): PrefixList | null {
  const { blocked } = settings;
  return blocked === undefined ? null : new PrefixList(blocked, 'admission.blocked');
}
