import { WINDOW_MAX_PACKETS, WINDOW_MIN_PACKETS, WINDOW_START_PACKETS } from '../util/limits.js';
import { sequenceDistance } from '../util/sequence.js';
import {
  F_FLAGS,
  F_IN_FLIGHT,
  F_NEXT_SEQUENCE,
  F_RECOVERY_SEQUENCE,
  F_SLOW_START_UNTIL,
  F_WINDOW,
  F_WINDOW_ACKED,
  FLAG_RECOVERY,
} from './layout.js';

/**
 * The in-flight window, in packets: doubles per round trip until the first loss, then grows by one
 * per window; halves once per round trip with a loss, and never goes below 16. Rate control
 * replaces it.
 */
export function resetWindow(flows: Int32Array, f: number): void {
  flows[f + F_WINDOW] = WINDOW_START_PACKETS;
  flows[f + F_SLOW_START_UNTIL] = WINDOW_MAX_PACKETS;
  flows[f + F_WINDOW_ACKED] = 0;
  flows[f + F_FLAGS] &= ~FLAG_RECOVERY;
}

/** One packet left the flight by acknowledgement; grows only when the window was in use. */
export function windowOnAcked(flows: Int32Array, f: number, inFlightBefore: number): void {
  const window = flows[f + F_WINDOW];
  if (inFlightBefore * 2 < window || window >= WINDOW_MAX_PACKETS) {
    return;
  }
  if (window < flows[f + F_SLOW_START_UNTIL]) {
    flows[f + F_WINDOW] = window + 1;
    return;
  }
  flows[f + F_WINDOW_ACKED] += 1;
  if (flows[f + F_WINDOW_ACKED] >= window) {
    flows[f + F_WINDOW_ACKED] = 0;
    flows[f + F_WINDOW] = window + 1;
  }
}

/** A packet was declared lost: one reaction per round trip (RFC 9002 §7.3.2). */
export function windowOnLost(flows: Int32Array, f: number, sequence: number): void {
  if (
    (flows[f + F_FLAGS] & FLAG_RECOVERY) !== 0 &&
    sequenceDistance(sequence, flows[f + F_RECOVERY_SEQUENCE]) < 0
  ) {
    return;
  }
  flows[f + F_FLAGS] |= FLAG_RECOVERY;
  flows[f + F_RECOVERY_SEQUENCE] = flows[f + F_NEXT_SEQUENCE];
  const half = flows[f + F_WINDOW] >> 1;
  const reduced = half > WINDOW_MIN_PACKETS ? half : WINDOW_MIN_PACKETS;
  flows[f + F_WINDOW] = reduced;
  flows[f + F_SLOW_START_UNTIL] = reduced;
  flows[f + F_WINDOW_ACKED] = 0;
}

export function windowOpen(flows: Int32Array, f: number): boolean {
  return flows[f + F_IN_FLIGHT] < flows[f + F_WINDOW];
}
