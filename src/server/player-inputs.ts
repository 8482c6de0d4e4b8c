import type { LeadReport } from '../session/control.js';
import { InputArrivals } from '../time/input-arrivals.js';
import type { TickTimes } from './tick-times.js';

/** How a player's inputs arrive; what `connection.tickToSend()` of its client learns from. */
export class PlayerInputs {
  readonly #arrivals = new InputArrivals();
  readonly #ticks: TickTimes | null;
  readonly #nowMs: () => number;
  readonly #tell: (report: LeadReport) => void;

  constructor(ticks: TickTimes | null, nowMs: () => number, tell: (report: LeadReport) => void) {
    this.#ticks = ticks;
    this.#nowMs = nowMs;
    this.#tell = tell;
  }

  /** Inputs that arrived, without copies. */
  get count(): number {
    return this.#arrivals.inputs;
  }

  /** Those of them that came after their tick had begun. */
  get late(): number {
    return this.#arrivals.late;
  }

  /**
   * An input for `tick` (the number of a `TickInfo`) is here; copies may be told, too. `ageMs`: how long
   * ago it arrived, `meta.ageMs`. Answers by how much it was ahead of its tick, ms, negative when it is
   * late; NaN on a server without ticks. Every 100 ms with inputs the client is told.
   */
  arrived(tick: number, ageMs = 0): number {
    const ticks = this.#ticks;
    if (ticks === null || !Number.isInteger(tick)) return Number.NaN;
    const arrivals = this.#arrivals;
    const arrivalMs = this.#nowMs() - ageMs;
    const dueMs = ticks.dueMs(tick);
    if (arrivals.add(tick, arrivalMs, dueMs, tick <= ticks.lastTick)) {
      const { leastTick, leastMarginMs, reportInputs, reportLate } = arrivals;
      this.#tell({
        tick: leastTick,
        marginMs: leastMarginMs,
        inputs: reportInputs,
        late: reportLate,
      });
      arrivals.reported(arrivalMs);
    }
    return dueMs - arrivalMs;
  }
}
