/** How long after the last fault everything must have arrived, generously. */
import type { ProtocolLimits } from '../protocol/api.js';
import * as limits from '../util/limits.js';
import type { LinkProfile, PathProfile } from './network/profile.js';

/** Handshakes, probes and the last round trips of a flow that was cut off. */
const LEAST_US = 20_000_000;
const MARGIN = 3;
/** At the least rate: what leaves at once. */
const PACKETS_PER_ROUND = 10;

export interface Backlog {
  path: PathProfile;
  isUp: boolean;
  /** Of both ends together: how long their turns and acknowledgements may wait. */
  turnUs: number;
  ackUs: number;
  /** What the receiver takes. */
  receiver: ProtocolLimits;
  /** What the sender still has. */
  bytes: number;
  messages: number;
}

export function livenessBoundUs(backlogs: readonly Backlog[]): number {
  let mostUs = 0;
  for (const backlog of backlogs) {
    const { path, isUp, turnUs, ackUs, bytes } = backlog;
    const queueUs = queueDelayUs(path.up) + queueDelayUs(path.down);
    const roundUs = path.up.delayUs + path.down.delayUs + turnUs + ackUs + queueUs;
    const rate = (isUp ? path.up : path.down).rateBitsPerS;
    const sendUs = rate > 0 ? (2 * bytes * 8_000_000) / rate : 0;
    mostUs = Math.max(mostUs, roundsFor(backlog) * roundUs + sendUs);
  }
  return LEAST_US + MARGIN * mostUs;
}

/** Round trips that the receiver's limits cost, as if each of them came on top of the others. */
function roundsFor({ receiver, bytes, messages }: Backlog): number {
  const window = receiver.windowIds ?? limits.MESSAGE_WINDOW;
  const partials = receiver.partials ?? limits.RELIABLE_PARTIALS_MAX;
  const budget = receiver.receiveBudgetBytes ?? limits.RECEIVE_BUDGET_BYTES;
  const packets = bytes / limits.FRAGMENT_BYTES + messages;
  const bySender = packets / PACKETS_PER_ROUND;
  return bySender + messages / window + messages / partials + bytes / budget;
}

function queueDelayUs(link: LinkProfile): number {
  if (link.rateBitsPerS === 0) return 0;
  const bytes = Math.max(link.queueBytes, link.queuePackets * limits.PAYLOAD_BYTES_MAX);
  return (bytes * 8_000_000) / link.rateBitsPerS;
}
