/** The loss floor: what the path loses whatever the rate is (docs/wire/rl1.md §6). */
import * as limits from '../util/limits.js';
import * as L from './layout.js';

/** In F_RATE_STATE: bits 16–30, in 1/32768 of packets. */
export const FLOOR_SHIFT = 16;
const FLOOR_UNIT = 32768;

/** The loss floor in a rate state, as a share of packets. */
export function floorOf(state: number): number {
  return (state >> FLOOR_SHIFT) / FLOOR_UNIT;
}

export function setFloor(flows: Int32Array, f: number, floor: number): void {
  const bounded = floor < limits.LOSS_FLOOR_MAX ? floor : limits.LOSS_FLOOR_MAX;
  const state = flows[f + L.F_RATE_STATE] & ((1 << FLOOR_SHIFT) - 1);
  flows[f + L.F_RATE_STATE] = state | (Math.floor(bounded * FLOOR_UNIT) << FLOOR_SHIFT);
}

/** More loss than the floor explains: by `least` at least, and by 2.5 standard deviations. */
export function isLossy(packets: number, lost: number, floor: number, least: number): boolean {
  const excess = lost - packets * floor;
  const chance = floor > 0.01 ? floor : 0.01;
  const deviation = Math.sqrt(packets * chance * (1 - chance));
  return excess > least * packets + 2.5 * deviation && excess >= 1.5;
}
