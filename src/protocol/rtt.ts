import { INITIAL_RTT_US, PTO_US_MAX, TIMER_GRANULARITY_US } from '../util/limits.js';
import {
  F_FLAGS,
  F_LATEST_RTT_US,
  F_MIN_RTT_US,
  F_PEER_ACK_DELAY_US,
  F_PTO_COUNT,
  F_REORDER_US,
  F_RTTVAR_US,
  F_SRTT_US,
  FLAG_HAS_RTT,
} from './layout.js';

/** Before the first sample (RFC 9002 §6.2.2): rttvar is half of the assumed round trip. */
export function resetRtt(flows: Int32Array, f: number): void {
  flows[f + F_FLAGS] &= ~FLAG_HAS_RTT;
  flows[f + F_SRTT_US] = INITIAL_RTT_US;
  flows[f + F_RTTVAR_US] = INITIAL_RTT_US >> 1;
  flows[f + F_LATEST_RTT_US] = 0;
  flows[f + F_MIN_RTT_US] = 0;
}

/** RFC 9002 §5.3: `latestUs` ≥ 0 measured, `ackDelayUs` as reported by the peer. */
export function updateRtt(
  flows: Int32Array,
  f: number,
  latestUs: number,
  ackDelayUs: number,
): void {
  flows[f + F_LATEST_RTT_US] = latestUs;
  if ((flows[f + F_FLAGS] & FLAG_HAS_RTT) === 0) {
    flows[f + F_FLAGS] |= FLAG_HAS_RTT;
    flows[f + F_SRTT_US] = latestUs;
    flows[f + F_RTTVAR_US] = latestUs >> 1;
    flows[f + F_MIN_RTT_US] = latestUs;
    return;
  }
  if (latestUs < flows[f + F_MIN_RTT_US]) {
    flows[f + F_MIN_RTT_US] = latestUs;
  }
  const peerMax = flows[f + F_PEER_ACK_DELAY_US];
  const delay = ackDelayUs < peerMax ? ackDelayUs : peerMax;
  const adjusted = latestUs - delay >= flows[f + F_MIN_RTT_US] ? latestUs - delay : latestUs;
  const deviation = adjusted - flows[f + F_SRTT_US];
  const magnitude = deviation < 0 ? -deviation : deviation;
  flows[f + F_RTTVAR_US] += (magnitude - flows[f + F_RTTVAR_US]) >> 2;
  flows[f + F_SRTT_US] += deviation >> 3;
}

/** RFC 9002 §6.2.1, doubled per probe, at most a second. */
export function probeTimeoutUs(flows: Int32Array, f: number): number {
  const variation = flows[f + F_RTTVAR_US] << 2;
  const base =
    flows[f + F_SRTT_US] +
    (variation > TIMER_GRANULARITY_US ? variation : TIMER_GRANULARITY_US) +
    flows[f + F_PEER_ACK_DELAY_US];
  const count = flows[f + F_PTO_COUNT];
  const capped = base > PTO_US_MAX ? PTO_US_MAX : base;
  const doubled = capped << (count > 10 ? 10 : count);
  return doubled > PTO_US_MAX ? PTO_US_MAX : doubled;
}

/**
 * RFC 9002 §6.1.2: 9/8 of the larger of smoothed and latest round trip, or longer where packets
 * were seen to come late (RFC 8985 §6.2 step 4 bounds that by a round trip too).
 */
export function lossDelayUs(flows: Int32Array, f: number): number {
  const srtt = flows[f + F_SRTT_US];
  const latest = flows[f + F_LATEST_RTT_US];
  const rtt = srtt > latest ? srtt : latest;
  const late = flows[f + F_REORDER_US];
  const margin = late > rtt >> 3 ? late : rtt >> 3;
  const delay = rtt + margin;
  return delay > TIMER_GRANULARITY_US ? delay : TIMER_GRANULARITY_US;
}
