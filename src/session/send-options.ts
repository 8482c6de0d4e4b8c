import { badOption, TransportError } from '../util/errors.js';
import type { SendOptions } from './types.js';

const KEY_MAX = 2 ** 31 - 1;
const REDUNDANCY_MAX = 3;
/** The protocol's clock can tell 35 minutes ahead; nothing unsent waits that long. */
const EXPIRES_US_MAX = 1_000_000_000;
const KNOWN = 'expiresMs, key, redundancy, receipt';
const FOR_UNRELIABLE = 'nothing: this type is reliable, so it neither expires nor gives way';

/**
 * The same on both wires. Allocates nothing: it runs for every message that is given options.
 *
 * @throws TransportError bad-option: the field, the value and what is accepted
 */
export function checkSendOptions(options: SendOptions): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw badOption('options', options, `an object with any of ${KNOWN}`);
  }
  for (const name in options) {
    if (!isKnown(name)) refuseUnknown(name);
  }
  const { expiresMs, key, redundancy, receipt } = options;
  if (expiresMs !== undefined && !(Number.isFinite(expiresMs) && expiresMs >= 0)) {
    throw badOption('expiresMs', expiresMs, 'a number of milliseconds from 0');
  }
  if (key !== undefined && !(Number.isInteger(key) && key >= 1 && key <= KEY_MAX)) {
    throw badOption('key', key, `an integer 1…${KEY_MAX}`);
  }
  if (receipt !== undefined && !(Number.isInteger(receipt) && receipt >= 1 && receipt <= KEY_MAX)) {
    throw badOption('receipt', receipt, `an integer 1…${KEY_MAX}`);
  }
  if (redundancy === undefined) return;
  if (!(Number.isInteger(redundancy) && redundancy >= 0 && redundancy <= REDUNDANCY_MAX)) {
    throw badOption('redundancy', redundancy, `an integer 0…${REDUNDANCY_MAX}`);
  }
}

/**
 * A reliable message is promised: it neither expires nor gives way to another.
 *
 * @throws TransportError bad-option
 */
export function checkReliableOptions(options: SendOptions): void {
  const { key, expiresMs } = options;
  if (key !== undefined) throw badOption('key', key, FOR_UNRELIABLE);
  if (expiresMs !== undefined) throw badOption('expiresMs', expiresMs, FOR_UNRELIABLE);
}

/** For the protocol: microseconds, 0 when there is no expiry. */
export function expiresUsOf(options: SendOptions): number {
  const { expiresMs } = options;
  if (expiresMs === undefined) return 0;
  return Math.min(Math.max(1, Math.round(expiresMs * 1000)), EXPIRES_US_MAX);
}

function isKnown(name: string): boolean {
  return name === 'expiresMs' || name === 'key' || name === 'redundancy' || name === 'receipt';
}

function refuseUnknown(name: string): never {
  throw new TransportError('bad-option', `ggscale: unknown option ${name}; known: ${KNOWN}`);
}
