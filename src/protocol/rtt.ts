import {
  INITIAL_RTT_US,
  MIN_RTT_AGE_US,
  PROBE_TRAIN,
  PROBE_TRAIN_US_MAX,
  PROBE_TRAIN_US_MIN,
  PTO_US_MAX,
  SPARE_LOSS_Q16,
  TIMER_GRANULARITY_US,
} from '../util/limits.js';
import { timeAfter } from '../util/time.js';
import {
  F_FLAGS,
  F_LATEST_RTT_US,
  F_LOSS_Q16,
  F_MIN_RTT_NEXT_US,
  F_MIN_RTT_SEEN_US,
  F_MIN_RTT_US,
  F_OLDEST_SENT_US,
  F_PEER_ACK_DELAY_US,
  F_PROBED_US,
  F_PROGRESS_US,
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
  flows[f + F_MIN_RTT_NEXT_US] = 0;
}

/**
 * RFC 9002 §5.3: `latestUs` ≥ 0 measured, `ackDelayUs` as reported by the peer. Answers the round trip
 * without that delay. (The RFC ignores a delay that leads below the least raw sample; acks that come
 * at once are rare here, so that would be most of them. A peer that lies harms itself only.)
 */
export function updateRtt(
  flows: Int32Array,
  f: number,
  latestUs: number,
  ackDelayUs: number,
  nowUs: number,
): number {
  const peerMax = flows[f + F_PEER_ACK_DELAY_US];
  const delay = ackDelayUs < peerMax ? ackDelayUs : peerMax;
  const adjusted = latestUs > delay ? latestUs - delay : latestUs;
  flows[f + F_LATEST_RTT_US] = latestUs;
  if ((flows[f + F_FLAGS] & FLAG_HAS_RTT) === 0) {
    flows[f + F_FLAGS] |= FLAG_HAS_RTT;
    flows[f + F_SRTT_US] = adjusted;
    flows[f + F_RTTVAR_US] = adjusted >> 1;
    flows[f + F_MIN_RTT_US] = adjusted;
    flows[f + F_MIN_RTT_SEEN_US] = nowUs;
    return adjusted;
  }
  noteLeast(flows, f, adjusted, nowUs);
  const deviation = adjusted - flows[f + F_SRTT_US];
  const magnitude = deviation < 0 ? -deviation : deviation;
  flows[f + F_RTTVAR_US] += (magnitude - flows[f + F_RTTVAR_US]) >> 2;
  flows[f + F_SRTT_US] += deviation >> 3;
  return adjusted;
}

/**
 * The least of the last ten seconds or so. One that was not met again for so long gives way to the
 * least since: the path is another one, or a queue never empties.
 */
function noteLeast(flows: Int32Array, f: number, rttUs: number, nowUs: number): void {
  const least = flows[f + F_MIN_RTT_US];
  const next = flows[f + F_MIN_RTT_NEXT_US];
  if (rttUs <= least + (least >> 4) + TIMER_GRANULARITY_US) {
    if (rttUs < least) {
      flows[f + F_MIN_RTT_US] = rttUs;
    }
    flows[f + F_MIN_RTT_SEEN_US] = nowUs;
    flows[f + F_MIN_RTT_NEXT_US] = 0;
  } else if (next === 0 || rttUs < next) {
    flows[f + F_MIN_RTT_NEXT_US] = rttUs;
  } else if (((nowUs - flows[f + F_MIN_RTT_SEEN_US]) | 0) > MIN_RTT_AGE_US) {
    flows[f + F_MIN_RTT_US] = next;
    flows[f + F_MIN_RTT_SEEN_US] = nowUs;
    flows[f + F_MIN_RTT_NEXT_US] = 0;
  }
}

/** RFC 9002 §6.2.1, and what reordered packets were late by. */
function probeTimeoutUs(flows: Int32Array, f: number): number {
  const variation = flows[f + F_RTTVAR_US] << 2;
  return (
    flows[f + F_SRTT_US] +
    (variation > TIMER_GRANULARITY_US ? variation : TIMER_GRANULARITY_US) +
    flows[f + F_REORDER_US] +
    flows[f + F_PEER_ACK_DELAY_US]
  );
}

/** Packets get lost here, so probes follow each other quickly at first. */
export function inTrain(flows: Int32Array, f: number): boolean {
  return flows[f + F_LOSS_Q16] >= SPARE_LOSS_Q16 && (flows[f + F_FLAGS] & FLAG_HAS_RTT) !== 0;
}

/**
 * When to probe. First when the oldest packet in flight waits for a probe timeout, however much was sent
 * since, and nothing has been acknowledged for the time that acknowledgements may be apart. Then after
 * twice the time of the time before, at most a second; in a train, after an eighth, at most 250 ms.
 */
export function probeDeadlineUs(flows: Int32Array, f: number): number {
  const timeoutUs = probeTimeoutUs(flows, f);
  const count = flows[f + F_PTO_COUNT];
  if (count > 0) {
    let waitUs = timeoutUs;
    let doublings = count;
    let mostUs = PTO_US_MAX > timeoutUs ? PTO_US_MAX : timeoutUs;
    if (inTrain(flows, f)) {
      doublings = count - PROBE_TRAIN;
      mostUs = PROBE_TRAIN_US_MAX > timeoutUs ? PROBE_TRAIN_US_MAX : timeoutUs;
      waitUs = doublings >= 0 ? timeoutUs : Math.max(timeoutUs >> 3, PROBE_TRAIN_US_MIN);
    }
    const doubled = doublings <= 0 ? waitUs : waitUs * (1 << (doublings < 10 ? doublings : 10));
    return (flows[f + F_PROBED_US] + (doubled < mostUs ? doubled : mostUs)) | 0;
  }
  const oldestUs = (flows[f + F_OLDEST_SENT_US] + timeoutUs) | 0;
  const quietUs = flows[f + F_PEER_ACK_DELAY_US] + (flows[f + F_RTTVAR_US] << 2);
  const silentUs = (flows[f + F_PROGRESS_US] + quietUs) | 0;
  return timeAfter(silentUs, oldestUs) ? silentUs : oldestUs;
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
