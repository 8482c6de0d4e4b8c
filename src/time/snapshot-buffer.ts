import {
  JitterBuffer,
  type JitterBufferOptions,
  type JitterBufferStats,
  SLOTS,
} from './jitter-buffer.js';

/** What is to be shown. One object is reused: read it before the next `at`. */
export interface PlayoutView<T> {
  /** The newest snapshot at or before the position. */
  readonly from: T;
  /** The next one that is there; `from` itself when there is none. */
  readonly to: T;
  /** How far the position is from `from` to `to`, 0 ≤ blend < 1: x = from.x + (to.x − from.x) · blend. */
  readonly blend: number;
  /** The position in the sender's ticks (u32), and the fraction of the way to the next, 0 … 1. */
  readonly tick: number;
  readonly fraction: number;
  /** The snapshot for this position has not come: the newest is shown. */
  readonly isUnderrun: boolean;
  /** How far the position would be beyond the newest snapshot, ms: for games that extrapolate. */
  readonly missingMs: number;
  /** Nothing has come for a second: the sender pauses or is gone. */
  readonly isPaused: boolean;
}

/** Figures since the start. */
export interface PlayoutStats extends Readonly<JitterBufferStats> {
  /** How long snapshots are held back beyond the fastest transit, ms: the buffer's latency. */
  readonly delayMs: number;
  /** Where `delayMs` is led to, ms. */
  readonly targetMs: number;
  /** What 94 % of the transits stay below, beyond the fastest, ms. */
  readonly spreadMs: number;
  /** Playing speed now, 1 ± 0.03; 0 while it stands still to catch up. */
  readonly speed: number;
}

/**
 * Snapshots of a game, shown evenly although they arrive unevenly (JitterBuffer). The newest 128
 * ticks are kept.
 *
 *     const playout = new SnapshotBuffer<SnapshotValue>({ tickHz: 60 });
 *     game.on('Snapshot', (snapshot, meta) => {
 *       playout.put(snapshot.tick, snapshot, performance.now() - meta.ageMs);
 *     });
 *     // at each frame
 *     const view = playout.at(performance.now());
 *     if (view !== null) draw(view.from, view.to, view.blend);
 */
export class SnapshotBuffer<T> {
  readonly #buffer: JitterBuffer;
  readonly #values: (T | undefined)[] = new Array(SLOTS).fill(undefined);
  readonly #view = {
    from: undefined as T,
    to: undefined as T,
    blend: 0,
    tick: 0,
    fraction: 0,
    isUnderrun: false,
    missingMs: 0,
    isPaused: true,
  };

  /** @throws RangeError an option out of range */
  constructor(options: JitterBufferOptions) {
    this.#buffer = new JitterBuffer(options);
  }

  /**
   * A snapshot of `tick` (u32, may wrap) arrived at `arrivalMs` of the clock that `at` is asked
   * with; a monotonic one, `performance.now()`. False when it is a duplicate or too old.
   */
  put(tick: number, value: T, arrivalMs: number): boolean {
    const slot = this.#buffer.put(tick, toUs(arrivalMs));
    if (slot < 0) return false;
    this.#values[slot] = value;
    return true;
  }

  /** What is to be shown at `nowMs`; null before the first snapshot. Times must not go back. */
  at(nowMs: number): PlayoutView<T> | null {
    const buffer = this.#buffer;
    if (!buffer.advance(toUs(nowMs))) return null;
    const view = this.#view;
    const { tick, fraction } = buffer;
    const after = buffer.slotAfter(tick);
    let before = buffer.slotAtOrBefore(tick);
    if (before < 0) before = after; // the position has not reached the first one
    const next = after < 0 ? before : after;
    view.from = this.#values[before] as T;
    view.to = this.#values[next] as T;
    const fromTick = buffer.tickIn(before);
    const span = (buffer.tickIn(next) - fromTick) | 0;
    view.blend = span > 0 ? (((tick - fromTick) | 0) + fraction) / span : 0;
    view.tick = tick;
    view.fraction = fraction;
    view.isUnderrun = buffer.isUnderrun;
    view.missingMs = buffer.missingUs / 1000;
    view.isPaused = buffer.isPaused;
    return view;
  }

  stats(): PlayoutStats {
    const buffer = this.#buffer;
    return {
      ...buffer.stats,
      delayMs: buffer.delayUs / 1000,
      targetMs: buffer.targetUs / 1000,
      spreadMs: buffer.spreadUs / 1000,
      speed: buffer.speed,
    };
  }
}

/** int32 µs, as the buffer takes it; `|` takes a double modulo 2^32 (ECMA-262 ToInt32). */
function toUs(ms: number): number {
  return Math.round(ms * 1000) | 0;
}
