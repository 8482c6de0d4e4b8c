/** Keys, ids and tokens of the interop tests. */

import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import type { ForeignPeer } from './peer-build.js';
import { askPeer } from './peer-process.js';

export const PROTOCOL_ID = 0x1122334455667788n;
export const LOOPBACK = '127.0.0.1:0';
/** One payload of each size 1…1200. */
export const PAYLOAD_COUNT = 1200;
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
