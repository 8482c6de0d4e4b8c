/** Limits that the endpoints of all benches have in common. */

/** Of socket buffers: what the product asks for by default at 4,096 flows. */
export const BUFFER_BYTES = 4 << 20;

/** Of admission: a rate that cannot be reached, so that checking it still costs. */
export const RATE_MAX = { perSecond: 0xffffffff, burst: 0xffffffff };
