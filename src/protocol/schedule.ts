import { CHANNEL_QUANTUM_BYTES } from '../util/limits.js';
import type { Core } from './core.js';
import * as L from './layout.js';

/**
 * Which stream sends next: strict priority, and deficit round robin inside a priority (Shreedhar and
 * Varghese, SIGCOMM 1995): a stream at its turn gets weight × quantum bytes of credit and keeps
 * what it does not use, unless it runs empty. A quantum is at least one packet, so every turn sends
 * and a pick is O(1).
 *
 *   F_PRIORITIES   bit p ⇔ F_ACTIVE + p ≠ 0
 *   F_ACTIVE + p   ─▶ last ─▶ first ─▶ second ─▶ … ─▶ last      first is served next
 *   F_BLOCKED_HEAD ─▶ streams that the sender's rule stops
 *
 * Invariant: a stream is in the ring of its priority iff it is ACTIVE, in the blocked list iff it is
 * BLOCKED, and in none iff it is IDLE; an idle stream has nothing to send.
 */

/** The stream has something to send: last in the ring of its priority. */
export function activate(core: Core, f: number, stream: number): void {
  const flows = core.flows;
  const words = core.sendStreams.words;
  const channel = words[stream + L.S_KEY] >> 2;
  const priority = core.channelPriority[channel];
  const last = flows[f + L.F_ACTIVE + priority];
  words[stream + L.S_STATE] = L.STREAM_ACTIVE;
  words[stream + L.S_DEFICIT] = quantumOf(core, channel);
  if (last === 0) {
    words[stream + L.S_LIST_NEXT] = stream;
    flows[f + L.F_PRIORITIES] |= 1 << priority;
  } else {
    words[stream + L.S_LIST_NEXT] = words[last + L.S_LIST_NEXT];
    words[last + L.S_LIST_NEXT] = stream;
  }
  flows[f + L.F_ACTIVE + priority] = stream;
}

/** Credit for one turn of a stream of the channel. */
export function quantumOf(core: Core, channel: number): number {
  return core.channelWeight[channel] * CHANNEL_QUANTUM_BYTES;
}

/**
 * Takes the stream after `previous` out of the ring of its priority; it is idle. Answers where the
 * walk goes on: `previous`, or 0 when the ring is empty.
 */
export function deactivateAfter(core: Core, f: number, priority: number, previous: number): number {
  const flows = core.flows;
  const words = core.sendStreams.words;
  const stream = words[previous + L.S_LIST_NEXT];
  words[stream + L.S_STATE] = L.STREAM_IDLE;
  if (stream === previous) {
    flows[f + L.F_ACTIVE + priority] = 0;
    flows[f + L.F_PRIORITIES] &= ~(1 << priority);
    return 0;
  }
  words[previous + L.S_LIST_NEXT] = words[stream + L.S_LIST_NEXT];
  if (flows[f + L.F_ACTIVE + priority] === stream) {
    flows[f + L.F_ACTIVE + priority] = previous;
  }
  return previous;
}

/** An idle stream must wait for an acknowledgement. */
export function block(core: Core, f: number, stream: number): void {
  const words = core.sendStreams.words;
  words[stream + L.S_STATE] = L.STREAM_BLOCKED;
  words[stream + L.S_LIST_NEXT] = core.flows[f + L.F_BLOCKED_HEAD];
  core.flows[f + L.F_BLOCKED_HEAD] = stream;
}

/** The oldest unacknowledged message of some stream moved on: all who waited try again. */
export function unblockAll(core: Core, f: number): void {
  const flows = core.flows;
  while (flows[f + L.F_BLOCKED_HEAD] !== 0) {
    const stream = flows[f + L.F_BLOCKED_HEAD];
    flows[f + L.F_BLOCKED_HEAD] = core.sendStreams.words[stream + L.S_LIST_NEXT];
    activate(core, f, stream);
  }
}
