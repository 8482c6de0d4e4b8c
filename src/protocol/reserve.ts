import { RESERVE_BYTES, RESERVE_MESSAGES } from '../util/limits.js';
import { PRIORITIES } from './layout.js';

/**
 * What all channels of a flow share (the peer's receive budget, our own buffer) is never filled by
 * messages that can wait: a reserve at its end is for the more urgent. Each priority leaves a
 * sixteenth of it to each one before it, and messages in pieces leave half of it to those that travel
 * whole:
 *
 *   0 ──────────────────────────────┬──────────────┬──────────────┐ limit
 *             everybody             │ whole, by    │ urgent and   │
 *                                   │ priority     │ whole        │
 *                                   └───────── reserve ───────────┘
 *
 * So neither bulk nor a flood of small messages keeps an urgent one waiting for acknowledgements.
 * Where the limit is not much more than the largest message, the reserve is what is more.
 */
export function shareOfBytes(
  limit: number,
  largestMessage: number,
  priority: number,
  inPieces: boolean,
): number {
  const beyond = limit - largestMessage;
  const reserve = beyond < 0 ? 0 : beyond < RESERVE_BYTES ? beyond : RESERVE_BYTES;
  return limit - ((reserve * (inPieces ? priority + PRIORITIES : priority)) >> 4);
}

/** The same for the number of messages that wait. */
export function shareOfMessages(limit: number, priority: number): number {
  return limit - ((RESERVE_MESSAGES * priority) >> 4);
}

/** Of `partials` messages in pieces at once, one is for the priorities before the default. */
export function shareOfPartials(partials: number, priority: number): number {
  return partials - ((partials * priority) >> 5);
}
