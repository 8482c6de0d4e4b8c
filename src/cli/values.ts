/** Readers of option values; what they refuse, commander says with the option's name. */
import { isIP } from 'node:net';
import { InvalidArgumentError } from 'commander';

/** As many as a connect token holds. */
const ADDRESSES_MAX = 32;

export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}

export function u64(text: string): bigint {
  const value = /^(\d{1,20}|0x[0-9a-f]{1,16})$/i.test(text) ? BigInt(text) : -1n;
  if (value >= 0n && value < 1n << 64n) return value;
  throw new InvalidArgumentError('Expected an unsigned 64-bit number, decimal or 0x….');
}

/** Collects the addresses that were given one after the other. */
export function addresses(text: string, before: readonly string[] | undefined): string[] {
  const match = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const isHost = match?.[1] === undefined ? isIP(match?.[2] ?? '') === 4 : isIP(match[1]) === 6;
  const port = Number(match?.[3]);
  if (!isHost || port < 1 || port > 65_535) {
    throw new InvalidArgumentError('Expected 192.0.2.1:7777 or [2001:db8::1]:7777.');
  }
  const all = [...(before ?? []), text];
  if (all.length <= ADDRESSES_MAX) return all;
  throw new InvalidArgumentError(`Expected at most ${ADDRESSES_MAX} addresses.`);
}

export function hexBytes(bytesMax: number): (text: string) => Uint8Array {
  return (text) => {
    const isHex = /^([0-9a-f]{2})*$/i.test(text) && text.length <= 2 * bytesMax;
    if (isHex) return Buffer.from(text, 'hex');
    throw new InvalidArgumentError(`Expected up to ${bytesMax} bytes as hex digits.`);
  };
}
