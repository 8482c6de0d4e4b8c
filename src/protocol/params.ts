import { DROP_PARAMS_MALFORMED, DROP_PARAMS_UNEXPECTED } from './drop-reason.js';

/**
 * The PARAMS payload: a netcode payload of its own, told apart from RL1 packets by its first byte
 * (0x47 as a header would be bitmap bytes without an ack block, which is malformed).
 *
 *   0  5  "GGRL1"
 *   5  1  version, 1
 *   6  1  flags: bit 0 sent by the server, bit 1 ack_delay in 1 ms units; others ignored
 *   7  1  channels taken, 1–255: 0 … n−1
 *   8  1  reliable messages taken in pieces at once, 1–255
 *   9  1  reserved, ignored
 *  10  2  window: reliable ids per channel and mode, 1–16384
 *  12  2  max_ack_delay, ms, 1–1000
 *  14  2  largest unreliable message, bytes, 1024–16384
 *  16  4  largest reliable message, bytes, 1024–262144
 *  20  4  receive budget per connection, bytes, largest reliable message … 2^30
 *  24  4  hash of the message registry
 *  28  …  for later versions, ignored
 */
export const PARAMS_BYTES = 28;
export const PARAMS_VERSION = 1;
const MAGIC = [0x47, 0x47, 0x52, 0x4c, 0x31];

export class Params {
  version = PARAMS_VERSION;
  fromServer = false;
  coarseAckDelay = false;
  channels = 0;
  partials = 0;
  windowIds = 0;
  maxAckDelayMs = 0;
  unreliableMessageBytes = 0;
  messageBytes = 0;
  receiveBudgetBytes = 0;
  /** int32; the wire's u32 */
  registryHash = 0;
}

/** True when the payload begins with "GGRL1". */
export function isParams(bytes: Uint8Array, offset: number, length: number): boolean {
  if (length < MAGIC.length) {
    return false;
  }
  for (let index = 0; index < MAGIC.length; index += 1) {
    if (bytes[offset + index] !== MAGIC[index]) {
      return false;
    }
  }
  return true;
}

/** Writes PARAMS_BYTES bytes. */
export function writeParams(
  bytes: Uint8Array,
  offset: number,
  params: Params,
  fromServer: boolean,
): number {
  for (let index = 0; index < MAGIC.length; index += 1) {
    bytes[offset + index] = MAGIC[index];
  }
  bytes[offset + 5] = params.version;
  bytes[offset + 6] = (fromServer ? 1 : 0) | (params.coarseAckDelay ? 2 : 0);
  bytes[offset + 7] = params.channels;
  bytes[offset + 8] = params.partials;
  bytes[offset + 9] = 0;
  writeU16(bytes, offset + 10, params.windowIds);
  writeU16(bytes, offset + 12, params.maxAckDelayMs);
  writeU16(bytes, offset + 14, params.unreliableMessageBytes);
  writeU32(bytes, offset + 16, params.messageBytes);
  writeU32(bytes, offset + 20, params.receiveBudgetBytes);
  writeU32(bytes, offset + 24, params.registryHash);
  return PARAMS_BYTES;
}

/** Fills `out` and answers 0, or a DropReason; the payload is known to begin with "GGRL1". */
export function parseParams(
  bytes: Uint8Array,
  offset: number,
  length: number,
  fromServer: boolean,
  out: Params,
): number {
  if (length < PARAMS_BYTES) {
    return DROP_PARAMS_MALFORMED;
  }
  out.version = bytes[offset + 5];
  out.fromServer = (bytes[offset + 6] & 1) !== 0;
  out.coarseAckDelay = (bytes[offset + 6] & 2) !== 0;
  out.channels = bytes[offset + 7];
  out.partials = bytes[offset + 8];
  out.windowIds = readU16(bytes, offset + 10);
  out.maxAckDelayMs = readU16(bytes, offset + 12);
  out.unreliableMessageBytes = readU16(bytes, offset + 14);
  out.messageBytes = readI32(bytes, offset + 16);
  out.receiveBudgetBytes = readI32(bytes, offset + 20);
  out.registryHash = readI32(bytes, offset + 24);
  if (out.version === 0 || (fromServer && out.version !== PARAMS_VERSION)) {
    return DROP_PARAMS_MALFORMED;
  }
  if (out.fromServer !== fromServer) {
    return DROP_PARAMS_UNEXPECTED;
  }
  return paramsInRange(out) ? 0 : DROP_PARAMS_MALFORMED;
}

function paramsInRange(params: Params): boolean {
  return (
    params.channels >= 1 &&
    params.partials >= 1 &&
    params.windowIds >= 1 &&
    params.windowIds <= 16384 &&
    params.maxAckDelayMs >= 1 &&
    params.maxAckDelayMs <= 1000 &&
    params.unreliableMessageBytes >= 1024 &&
    params.unreliableMessageBytes <= 16384 &&
    params.messageBytes >= 1024 &&
    params.messageBytes <= 262144 &&
    params.receiveBudgetBytes >= params.messageBytes &&
    params.receiveBudgetBytes <= 0x40000000
  );
}

export function writeU16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >> 8;
}

export function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >> 8;
  bytes[offset + 2] = value >> 16;
  bytes[offset + 3] = value >> 24;
}

export function readU16(bytes: Uint8Array, offset: number): number {
  return bytes[offset] | (bytes[offset + 1] << 8);
}

export function readI32(bytes: Uint8Array, offset: number): number {
  return (
    bytes[offset] | (bytes[offset + 1] << 8) | (bytes[offset + 2] << 16) | (bytes[offset + 3] << 24)
  );
}
