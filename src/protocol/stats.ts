import { ACK_DELAY_UNIT_US, SEND_UNRELIABLE_LIFETIME_US } from '../util/limits.js';
import { timeAfter } from '../util/time.js';
import type { ProtocolStats } from './api.js';
import type { Core } from './core.js';
import * as L from './layout.js';

/** Protocol.stats */
export function readStats(core: Core, f: number, out: ProtocolStats): boolean {
  const flows = core.flows;
  if (flows[f + L.F_STATE] === L.STATE_FREE) {
    return false;
  }
  const measured = (flows[f + L.F_FLAGS] & L.FLAG_HAS_RTT) !== 0;
  out.srttUs = measured ? flows[f + L.F_SRTT_US] : 0;
  out.rttVarUs = measured ? flows[f + L.F_RTTVAR_US] : 0;
  out.latestRttUs = flows[f + L.F_LATEST_RTT_US];
  out.minRttUs = flows[f + L.F_MIN_RTT_US];
  out.jitterUs = (flows[f + L.F_JITTER_Q4] * ACK_DELAY_UNIT_US) >> 4;
  out.rateBytesPerS = flows[f + L.F_RATE];
  out.inFlightPackets = flows[f + L.F_IN_FLIGHT];
  out.queuedBytes = flows[f + L.F_RELIABLE_BYTES] + flows[f + L.F_UNRELIABLE_BYTES];
  out.packetsIn = flows[f + L.F_PACKETS_IN] >>> 0;
  out.packetsOut = flows[f + L.F_PACKETS_OUT] >>> 0;
  out.bytesIn = flows[f + L.F_BYTES_IN] >>> 0;
  out.bytesOut = flows[f + L.F_BYTES_OUT] >>> 0;
  out.messagesIn = flows[f + L.F_MESSAGES_IN] >>> 0;
  out.messagesOut = flows[f + L.F_MESSAGES_OUT] >>> 0;
  out.resends = flows[f + L.F_RESENDS] >>> 0;
  out.spares = flows[f + L.F_SPARES] >>> 0;
  out.droppedOut = flows[f + L.F_DROPPED] >>> 0;
  out.lost = flows[f + L.F_LOST] >>> 0;
  out.spuriousLost = flows[f + L.F_SPURIOUS] >>> 0;
  out.acksOut = flows[f + L.F_ACKS_OUT] >>> 0;
  readUnsent(core, f, out);
  return true;
}

/** The oldest of each stream is its first; when one with an expiry of its own was queued is not known. */
function readUnsent(core: Core, f: number, out: ProtocolStats): void {
  const streams = core.sendStreams.words;
  const words = core.messages.words;
  out.hasUnsent = false;
  let stream = core.flows[f + L.F_SEND_STREAMS];
  for (; stream !== 0; stream = streams[stream + L.S_FLOW_NEXT]) {
    const current = streams[stream + L.S_CURRENT];
    if (current !== 0) noteUnsent(words, current, out);
    let message = streams[stream + L.S_UNSENT_HEAD];
    while (message !== 0 && !noteUnsent(words, message, out)) message = words[message + L.M_NEXT];
  }
}

/** False when it is not known when it was queued. */
function noteUnsent(words: Int32Array, message: number, out: ProtocolStats): boolean {
  const flags = words[message + L.M_FLAGS];
  let queuedUs = words[message + L.M_EXPIRES_US];
  if ((flags & L.MESSAGE_DEFAULT_EXPIRY) !== 0) {
    queuedUs = (queuedUs - SEND_UNRELIABLE_LIFETIME_US) | 0;
  } else if ((flags & L.MESSAGE_EXPIRES) !== 0) {
    return false;
  }
  if (!out.hasUnsent || timeAfter(out.unsentSinceUs, queuedUs)) out.unsentSinceUs = queuedUs;
  out.hasUnsent = true;
  return true;
}
