/**
 * What one end delivered on one link, as it is told to the other end when the session moves
 * (docs/wire/session.md §2).
 */
import { SESSION_LANES, SESSION_WINDOW } from './limits.js';

/**
 * `[lane, next, from, to, from, to …]`: every number below `next` was delivered, and those in the
 * ranges [from, to) ahead of it, ascending and disjoint.
 */
export type LaneReport = readonly number[];

/** A WebSocket's: the first `frames` game frames. */
export interface FramesReport {
  readonly frames: number;
}

/** A UDP flow's. Lanes ascend; those without any are left out. */
export interface LanesReport {
  readonly lanes: readonly LaneReport[];
}

export type Report = FramesReport | LanesReport;

/** Null when the payload is not a well-formed report. */
export function parseReport(payload: unknown): Report | null {
  if (typeof payload !== 'object' || payload === null) return null;
  const { frames, lanes } = payload as Record<string, unknown>;
  if (frames !== undefined) {
    return lanes === undefined && isCount(frames) ? { frames } : null;
  }
  if (!Array.isArray(lanes) || lanes.length > SESSION_LANES) return null;
  let last = -1;
  for (const entry of lanes) {
    if (!isLaneReport(entry) || entry[0] <= last) return null;
    last = entry[0];
  }
  return { lanes: lanes as LaneReport[] };
}

function isLaneReport(entry: unknown): entry is LaneReport {
  if (!Array.isArray(entry) || entry.length < 2 || entry.length % 2 !== 0) return false;
  const [lane, next, ...ranges] = entry as unknown[];
  if (!isCount(lane) || lane >= SESSION_LANES || !isU32(next)) return false;
  let end = 0;
  for (let i = 0; i < ranges.length; i++) {
    const number = ranges[i];
    if (!isU32(number)) return false;
    // Relative to `next`: numbers wrap. Ranges that touched would be one.
    const distance = (number - next) >>> 0;
    if (distance <= end || distance > SESSION_WINDOW) return false;
    end = distance;
  }
  return true;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isU32(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >>> 0 === value;
}
