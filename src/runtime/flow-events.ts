/** Cold rx descriptors as objects. Layout: `addon/layout.ts`. */
import { CLOSE_ABNORMAL, CLOSE_NORMAL } from '../util/close-codes.js';
import type { ClosedFlow, OpenedFlow } from './handler.js';
import type { RuntimeEndpoint } from './runtime-endpoint.js';

const ADDRESS_AT = 12;
const USER_DATA_AT = 36;
const USER_DATA_BYTES = 256;
/** Of NX's REFUSED (docs/wire/nx.md). */
const REFUSED_REPLACED = 4;

/** netcode close reasons (native/core CloseReason), index 1…11. */
const NETCODE_REASONS: readonly string[] = [
  'closed',
  'disconnected',
  'timeout',
  'local',
  'replaced',
  'denied',
  'token-expired',
  'request-timeout',
  'response-timeout',
  'nx-required',
  'blocked',
  'nx-violation',
];

/**
 * OPENED: u64 client id, u8 family, u8 0, u16 port, 16 B address, i32 timeout, u32 max flows,
 * 256 B user data, little-endian.
 */
export function readOpened(endpoint: RuntimeEndpoint): OpenedFlow {
  const { offset, view, bytes, slot } = endpoint;
  const isIpv4 = bytes[offset + 8] === 4;
  const port = view.getUint16(offset + 10, true);
  const at = offset + ADDRESS_AT;
  const host = isIpv4 ? bytes.subarray(at, at + 4).join('.') : `[${ipv6Text(bytes, at)}]`;
  const userDataAt = offset + USER_DATA_AT;
  return {
    slot,
    clientId: view.getBigUint64(offset, true),
    address: `${host}:${port}`,
    userData: bytes.slice(userDataAt, userDataAt + USER_DATA_BYTES),
  };
}

function ipv6Text(bytes: Uint8Array, offset: number): string {
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) {
    groups.push(((bytes[offset + i] << 8) | bytes[offset + i + 1]).toString(16));
  }
  const text = groups.join(':');
  // The longest run of zero groups becomes "::" (RFC 5952 §4.2); the first one wins a tie.
  const runs = text.match(/\b0(:0\b)+/g) ?? [];
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  if (longest === '') return text;
  const [before, after] = splitOnce(text, longest);
  return `${before.replace(/:$/, '')}::${after.replace(/^:/, '')}`;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return [text.slice(0, at), text.slice(at + separator.length)];
}

/**
 * A flow that ended below RL1: no CLOSE was seen, so it was not clean, unless the server said `replaced`
 * there. `refused` is aux1.
 */
export function netcodeCloseOf(reason: number, refused: number): ClosedFlow {
  if ((refused & 0xffff) === REFUSED_REPLACED) return REPLACED;
  const text = NETCODE_REASONS[reason] ?? 'closed';
  const closed = { code: CLOSE_ABNORMAL, reason: text, wasClean: false };
  if (refused === 0) return closed;
  return { ...closed, refusal: { code: refused & 0xffff, retryAfterS: refused >>> 16 } };
}

/** What RL1's CLOSE says to a replaced client. */
export const REPLACED: ClosedFlow = {
  code: CLOSE_NORMAL,
  reason: '',
  wasClean: true,
  isReplaced: true,
};

/** Why, the ring would tell: silence, most likely. */
export const UNHEARD: ClosedFlow = { code: CLOSE_ABNORMAL, reason: 'timeout', wasClean: false };
