import type { Core } from './core.js';
import * as L from './layout.js';
import { repace, resetRate } from './rate.js';
import { resetRtt } from './rtt.js';
import { armTimers } from './timers.js';

/**
 * The peer is reached at another address from here on (RFC 9002 §9.4 by way of RFC 9000 §9.4). The
 * probe timeout starts over; what was learnt about the path is forgotten unless `portOnly`: then a NAT
 * has chosen another port, and the path is the same.
 */
export function changePath(core: Core, f: number, nowUs: number, portOnly: boolean): void {
  const flows = core.flows;
  flows[f + L.F_PTO_COUNT] = 0;
  flows[f + L.F_PROGRESS_US] = nowUs;
  if (!portOnly) {
    resetRtt(flows, f);
    resetRate(flows, f, nowUs);
    repace(core, f);
    // What was sent on the old path says nothing about the new one: neither its acknowledgements
    // (round trips) nor its losses (the rate).
    flows[f + L.F_PATH_SEQUENCE] = flows[f + L.F_NEXT_SEQUENCE];
    flows[f + L.F_FLAGS] |= L.FLAG_OLD_PATH | L.FLAG_OLD_LOSSES;
  }
  armTimers(core, f);
}
