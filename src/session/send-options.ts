import { badOption, TransportError } from '../util/errors.js';
import type { SendOptions } from './types.js';

const KEY_MAX = 2 ** 31 - 1;
const REDUNDANCY_MAX = 3;
/** The protocol's clock can tell 35 minutes ahead; nothing unsent waits that long. */
const EXPIRES_US_MAX = 1_000_000_000;

/** @throws TransportError bad-option, the same on both wires */
export function checkSendOptions(options: SendOptions): void {
  const { expiresMs, key, redundancy, receipt } = options;
  if (expiresMs !== undefined && !(Number.isFinite(expiresMs) && expiresMs >= 0)) {
    throw badOption('expiresMs', expiresMs, 'milliseconds from 0');
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
  if (options.key === undefined && options.expiresMs === undefined) return;
  throw new TransportError(
    'bad-option',
    'ggscale: expiresMs and key are for unreliable message types; this type is reliable',
  );
}

/** For the protocol: microseconds, 0 when there is no expiry. */
export function expiresUsOf(options: SendOptions): number {
  const { expiresMs } = options;
  if (expiresMs === undefined) return 0;
  return Math.min(Math.max(1, Math.round(expiresMs * 1000)), EXPIRES_US_MAX);
}
