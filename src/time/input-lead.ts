import { DelayEstimate } from './delay-estimate.js';

/**
 * Which tick an input made now is for, at the client: the first one that the input can still reach.
 *
 *   server time  ──┬────────┬────────┬────────┬──▶ ticks
 *        now ──────┼─── lead ────────┼──▶│
 *                  │                 │   └─ the next tick is the one to send for
 *
 * The lead is what the way to the server takes for 88 % of the worst inputs of 100 ms, and a margin. It is
 * learned from what the server says about arrivals (InputArrivals): lead that an input was sent with −
 * margin that it arrived with = what its way took. That figure does not depend on the lead, so there is
 * no control loop that could swing. It includes what `serverTime()` is wrong by, which cancels out.
 * Until the server has said something it is half a round trip and what that varies by.
 *
 * The lead grows by at most 100 ms a second and shrinks by at most 30: a late input is lost, an early one
 * only waits. It is set when it is more than 250 ms off. Ticks handed out never go back.
 *
 * Times are ms of the server's clock as the client tells it.
 */
const SHARE_IN_TIME = 0.88;
const MARGIN_MS = 2;
const GROW = 0.1;
const SHRINK = 0.03;
const JUMP_MS = 250;
const LEAD_MS_MAX = 1_000;
const TICKS = 256;
const TICK_MASK = TICKS - 1;

/** When the server runs its ticks. */
export interface TickSchedule {
  /** Tick `tick` (u32) is due at `atMs` of the server's clock, and every further one `stepMs` later. */
  readonly tick: number;
  readonly atMs: number;
  readonly stepMs: number;
}

export class InputLead {
  /** What the server has said so far: first copies, and the late ones among them. */
  inputs = 0;
  late = 0;
  readonly #schedule: TickSchedule;
  readonly #ways = new DelayEstimate(SHARE_IN_TIME, false);
  /** By tick: the lead it was handed out with, ms, and which tick that was. */
  readonly #leads = new Float64Array(TICKS);
  readonly #ticks = new Int32Array(TICKS).fill(-1);
  #leadMs = Number.NaN;
  #movedMs = 0;
  #lastTick: number | null = null;

  constructor(schedule: TickSchedule) {
    this.#schedule = schedule;
  }

  /** How far inputs are sent ahead of the server's clock, ms; `roundTripMs` while nothing is known. */
  leadMs(nowMs: number, roundTripMs: number, varianceMs: number): number {
    const guess = Number.isNaN(roundTripMs) ? 0 : roundTripMs / 2 + 2 * varianceMs;
    const ways = this.#ways;
    const wayMs = ways.isEmpty ? guess : (ways.baseUs + ways.spreadUs) / 1000;
    const wantedMs = Math.min(LEAD_MS_MAX, Math.max(0, wayMs + MARGIN_MS));
    const passedMs = Math.max(0, nowMs - this.#movedMs);
    const offMs = wantedMs - this.#leadMs;
    this.#movedMs = Math.max(nowMs, this.#movedMs);
    if (Number.isNaN(offMs) || Math.abs(offMs) > JUMP_MS || ways.isEmpty) this.#leadMs = wantedMs;
    else this.#leadMs += Math.min(passedMs * GROW, Math.max(-passedMs * SHRINK, offMs));
    return this.#leadMs;
  }

  /** The tick (u32) that an input made now is for. */
  tickToSend(nowMs: number, roundTripMs: number, varianceMs: number): number {
    const { tick, atMs, stepMs } = this.#schedule;
    const leadMs = this.leadMs(nowMs, roundTripMs, varianceMs);
    const steps = Math.ceil((nowMs + leadMs - atMs) / stepMs);
    const wanted = (tick + steps) | 0;
    const last = this.#lastTick;
    if (last !== null && ((wanted - last) | 0) <= 0) return last >>> 0;
    this.#lastTick = wanted;
    this.#leads[wanted & TICK_MASK] = atMs + steps * stepMs - nowMs;
    this.#ticks[wanted & TICK_MASK] = wanted;
    return wanted >>> 0;
  }

  /** The server says: of the last inputs, the one for `tick` had the least margin. */
  feedback(tick: number, marginMs: number, inputs: number, late: number, nowMs: number): void {
    this.inputs += inputs;
    this.late += late;
    const slot = tick & TICK_MASK;
    if (this.#ticks[slot] !== (tick | 0)) return;
    const wayMs = this.#leads[slot] - marginMs;
    if (!(Math.abs(wayMs) < 1_000_000)) return;
    this.#ways.add(Math.round(wayMs * 1000), Math.round(nowMs * 1000) | 0);
  }
}
