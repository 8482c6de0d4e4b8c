/** Keys, ids and tokens of the interop tests. */

import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import type tap from 'tap';
import type { Line } from './mailbox.js';
import type { ForeignPeer } from './peer-build.js';
import { askPeer } from './peer-process.js';

export const PROTOCOL_ID = 0x1122334455667788n;
export const LOOPBACK = '127.0.0.1:0';
/** Each size 1…1200 eight times at least. */
export const PAYLOAD_COUNT = 10_000;
/** One payload of each size 1…1200. */
export const EVERY_SIZE = 1200;
/** One datagram of ten each way, and some that come twice. */
export const LOSSY = { lost: 100, repeated: 50 };
/** Ten keep-alives a second and nobody loses them all, but a busy machine may stand still. */
export const LOSSY_TIMEOUT_S = 15;
/** Echoes that come back, 81 % of them expected: what neither side of a bound of thirty sigmas explains. */
const LOSSY_SHARE = [0.6, 0.9] as const;
export const PAYLOAD_BYTES_MAX = 1200;
/** Bound of a whole test file, building the peers on a fresh machine included. */
export const FILE_TIMEOUT_MS = 180_000;
/**
 * For tests that wait for it. Not 1 s: a renetcode server alone costs a client up to half a second
 * (see README.md), and a busy machine must not look like a dead peer.
 */
export const SHORT_TIMEOUT_S = 2;
/** Most tests wait for a timeout of the protocol, which counts whole seconds. */
export const PARALLEL_TESTS = 8;

/** Of the event loop: a socket is closed in a later one. */
const TURNS_UNTIL_FREE = 100;

export interface TokenFields {
  readonly protocolId: bigint;
  readonly privateKey: Uint8Array;
  readonly clientId: bigint;
  readonly expireSeconds: number;
  readonly timeoutSeconds: number;
  readonly userData: Uint8Array;
  /** Server addresses, separated by commas. */
  readonly server: string;
  /** What the client dials instead, if not the server itself. */
  readonly dial?: string;
}

export function tokenFields(changes: Partial<TokenFields> = {}): TokenFields {
  return {
    protocolId: PROTOCOL_ID,
    privateKey: randomBytes(32),
    // 64 random bits: identifiers above 2^53 must survive every step.
    clientId: randomBytes(8).readBigUInt64LE(),
    expireSeconds: 60,
    timeoutSeconds: 5,
    userData: randomBytes(256),
    server: LOOPBACK,
    ...changes,
  };
}

/** Runs `open` until the port of an endpoint that was closed just now is free. */
export async function whenFree<T>(open: () => T): Promise<T> {
  for (let left = TURNS_UNTIL_FREE; ; left--) {
    try {
      return open();
    } catch (error) {
      if (left === 0) throw error;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What a stream over a lossy path says when it is over: each echo was right and came once. */
export function checkLossy(t: Pick<typeof tap, 'ok'>, { sent, arrived }: Line): void {
  const share = Number(arrived) / Number(sent);
  t.ok(share > LOSSY_SHARE[0] && share < LOSSY_SHARE[1], `${arrived} of ${sent} came back`);
}

export function hasIpv6Loopback(): boolean {
  return Object.values(networkInterfaces()).some((ips) => ips?.some((ip) => ip.address === '::1'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/** A token made by the foreign implementation's own generator, in the standard's 2048 bytes. */
export async function foreignToken(peer: ForeignPeer, fields: TokenFields): Promise<Uint8Array> {
  const line = await askPeer(peer, 'token', 'token', {
    'protocol-id': fields.protocolId.toString(),
    key: toHex(fields.privateKey),
    'client-id': fields.clientId.toString(),
    server: fields.server,
    expire: fields.expireSeconds.toString(),
    timeout: fields.timeoutSeconds.toString(),
    'user-data': toHex(fields.userData),
  });
  return Buffer.from(String(line.hex), 'hex');
}
