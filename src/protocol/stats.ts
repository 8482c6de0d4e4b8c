import { ACK_DELAY_UNIT_US } from '../util/limits.js';
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
  return true;
}
