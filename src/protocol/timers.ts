import { PROBE_TRAIN, PROBES_AT_ONCE } from '../util/limits.js';
import { timeAfter, timeReached } from '../util/time.js';
import { clockDue } from './clock.js';
import type { Core } from './core.js';
import * as L from './layout.js';
import { detectLost } from './loss.js';
import { pacingDeadlineUs } from './rate.js';
import { RATE_SILENT, rateOnSilence } from './rate-decide.js';
import { expirePartials, partialDeadlineUs } from './receive-fragment.js';
import { inTrain, probeDeadlineUs } from './rtt.js';
import { shrinkSentRing } from './sent-packets.js';
import { markDirty } from './streams.js';

/**
 * A flow's timers, each with a name:
 *   hello    a client repeats its PARAMS
 *   ack      an acknowledgement has waited long enough
 *   loss     the time threshold of the oldest packet in flight (RFC 9002 §6.1.2)
 *   probe    nothing was acknowledged for too long (RFC 9002 §6.2)
 *   pacing   data waits for tokens (rate.ts)
 *   partial  an unreliable message in pieces has waited too long
 *   clock    the next TIME_REQ
 * The wheel holds the earliest of them, or something before it. It is told when one of them begins
 * (here, where a packet asks for an ack, where the first packet goes into flight and where a partial
 * begins); that one of them has moved back or ended is found out when the wheel fires.
 */
export function armTimers(core: Core, f: number): void {
  if (findDeadline(core, f)) {
    core.wheel.scheduleNotLater(f >> L.FLOW_STRIDE_LOG2, core.flowDeadlineUs);
  }
}

/** Leaves the flow's earliest deadline in core.flowDeadlineUs; false when it has none. */
export function findDeadline(core: Core, f: number): boolean {
  const flows = core.flows;
  const flags = flows[f + L.F_FLAGS];
  if (flows[f + L.F_STATE] === L.STATE_HELLO) {
    core.flowDeadlineUs = flows[f + L.F_HELLO_US];
    return true;
  }
  if (flows[f + L.F_STATE] !== L.STATE_READY) {
    return false;
  }
  let armed = false;
  let deadlineUs = 0;
  if ((flags & L.FLAG_ACK_TIMER) !== 0) {
    deadlineUs = flows[f + L.F_ACK_DEADLINE_US];
    armed = true;
  }
  if (flows[f + L.F_IN_FLIGHT] > 0) {
    const recoveryUs = recoveryDeadlineUs(flows, f);
    if (!armed || timeAfter(deadlineUs, recoveryUs)) {
      deadlineUs = recoveryUs;
      armed = true;
    }
  }
  if ((flags & L.FLAG_CLIENT) !== 0) {
    const clockUs = flows[f + L.F_CLOCK_US];
    if (!armed || timeAfter(deadlineUs, clockUs)) {
      deadlineUs = clockUs;
      armed = true;
    }
  }
  if ((flags & L.FLAG_PACING) !== 0 && flows[f + L.F_PRIORITIES] !== 0) {
    const paceUs = pacingDeadlineUs(flows, f);
    if (!armed || timeAfter(deadlineUs, paceUs)) {
      deadlineUs = paceUs;
      armed = true;
    }
  }
  if (flows[f + L.F_UNRELIABLE_PARTIALS] > 0) {
    const partialUs = partialDeadlineUs(core, f);
    if (!armed || timeAfter(deadlineUs, partialUs)) {
      deadlineUs = partialUs;
      armed = true;
    }
  }
  core.flowDeadlineUs = deadlineUs;
  return armed;
}

/** The loss timer, or without one the probe timer. */
function recoveryDeadlineUs(flows: Int32Array, f: number): number {
  return (flows[f + L.F_FLAGS] & L.FLAG_LOSS_TIMER) !== 0
    ? flows[f + L.F_LOSS_US]
    : probeDeadlineUs(flows, f);
}

/** The wheel's hint came: acts on whatever of the flow is due. */
export function fireTimers(core: Core, f: number, nowUs: number): void {
  const flows = core.flows;
  if (flows[f + L.F_STATE] === L.STATE_HELLO) {
    if (timeReached(nowUs, flows[f + L.F_HELLO_US])) {
      markDirty(core, f);
      return;
    }
  } else if (flows[f + L.F_STATE] === L.STATE_READY) {
    fireReady(core, f, nowUs);
    shrinkSentRing(core, f);
  }
  armTimers(core, f);
}

function fireReady(core: Core, f: number, nowUs: number): void {
  const flows = core.flows;
  if (
    (flows[f + L.F_FLAGS] & L.FLAG_ACK_TIMER) !== 0 &&
    timeReached(nowUs, flows[f + L.F_ACK_DEADLINE_US])
  ) {
    flows[f + L.F_FLAGS] &= ~L.FLAG_ACK_TIMER;
    flows[f + L.F_FLAGS] |= L.FLAG_ACK_NOW;
    markDirty(core, f);
  }
  if (flows[f + L.F_IN_FLIGHT] > 0 && timeReached(nowUs, recoveryDeadlineUs(flows, f))) {
    if ((flows[f + L.F_FLAGS] & L.FLAG_LOSS_TIMER) !== 0) {
      detectLost(core, f, nowUs);
    } else {
      probe(core, f, nowUs);
    }
    markDirty(core, f);
  }
  if (
    (flows[f + L.F_FLAGS] & L.FLAG_PACING) !== 0 &&
    timeReached(nowUs, pacingDeadlineUs(flows, f))
  ) {
    flows[f + L.F_FLAGS] &= ~L.FLAG_PACING;
    markDirty(core, f);
  }
  if ((flows[f + L.F_FLAGS] & L.FLAG_CLIENT) !== 0) {
    clockDue(core, f, nowUs);
  }
  if (flows[f + L.F_UNRELIABLE_PARTIALS] > 0) {
    expirePartials(core, f, nowUs);
  }
}

/** Nothing was acknowledged for too long: up to two packets, and when that goes on a lower rate. */
function probe(core: Core, f: number, nowUs: number): void {
  const flows = core.flows;
  const count = flows[f + L.F_PTO_COUNT] + 1;
  flows[f + L.F_PTO_COUNT] = count;
  // The next one is counted from here, also when these cannot be sent.
  flows[f + L.F_PROBED_US] = nowUs;
  const train = inTrain(flows, f);
  flows[f + L.F_RATE_STATE] |= RATE_SILENT;
  flows[f + L.F_PROBES] = PROBES_AT_ONCE;
  if (train && count > 1 && count <= PROBE_TRAIN) {
    flows[f + L.F_PROBES] = flows[f + L.F_TOKENS] > 0 ? 1 : 0;
  }
  if ((flows[f + L.F_FLAGS] & L.FLAG_HAS_RTT) === 0) {
    flows[f + L.F_PROBES] = 1; // The timeout is a guess.
  }
  if (count > (train ? PROBE_TRAIN : 1)) {
    rateOnSilence(flows, f);
  }
  if ((flows[f + L.F_FLAGS] & (L.FLAG_RECEIVED | L.FLAG_CLIENT)) === 0) {
    // Our PARAMS may be what was lost; without them the client refuses everything.
    flows[f + L.F_FLAGS] |= L.FLAG_ANSWER_PARAMS;
  }
}
