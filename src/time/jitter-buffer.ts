import { DelayEstimate } from './delay-estimate.js';

/**
 * Plays out a stream of numbered ticks evenly, although they arrive unevenly and by another clock.
 *
 *   sent      │n    │n+1  │n+2  │n+3            every tick, by the sender's clock
 *   arrives   │  n  │    n+1 n+2│     n+3       transit = arrival − schedule of the tick
 *   shown     │     │     │n────│n+1──│n+2      delay behind the schedule, the same for all
 *
 * `put` takes (tick, arrival); `advance` says which tick, and what fraction of the way to the next, is to
 * be shown now. Between n and n + 1 both must be there, so the delay that is aimed at is what 95 % of
 * the transits stay below, and one send interval. The delay follows the aim by playing at most 3 %
 * faster or slower; only when it is off by more than 250 ms it jumps. While the wanted tick is
 * missing and the aim is a longer delay, the position waits: standing still is what is seen anyhow,
 * so the longer delay is got for nothing.
 *
 * Time is int32 µs that wraps, ticks are u32 that wrap. Nothing is allocated after construction.
 *
 * Invariants: the position never goes back, except when the sender begins to count anew; a slot that
 * is filled holds the tick that belongs there, at most SLOTS − 1 before the newest.
 */
export const SLOTS = 128;
const SLOT_MASK = SLOTS - 1;
const SHARE_IN_TIME = 0.94;
const DELAY_US_MAX = 200_000;
const JUMP_US = 250_000;
const SCALING_MAX = 0.03;
const ROUNDING_US = 2;
const TRANSIT_US_MAX = 0x3fffffff;
/** Near its aim the delay closes in on it with this time constant. */
const SETTLE_US = 500_000;
/** Without a packet for so long the sender pauses; what is missing then is nobody's fault. */
const PAUSE_US = 1_000_000;
/** The schedule is told from a tick at most so far back. */
const REBASE_TICKS = 1_024;
/** A tick that far from the position, in a stream that has moved, is of another count. */
const RESTART_TICKS = 4 * SLOTS;

/** Words of `state`. */
const REFERENCE_REST = 0;
const DELAY = 1;
const AHEAD = 2;
const FRACTION = 3;
const SPEED = 4;
const WORDS = 5;

export interface JitterBufferOptions {
  /** Ticks per second by which the sender counts, 1 … 1000. */
  tickHz: number;
  /** A packet is sent every so many ticks, 1 … 60; default 1. */
  ticksPerPacket?: number;
}

/** Counts since construction. */
export class JitterBufferStats {
  /** Packets that were put in. */
  received = 0;
  /** … that came when the position was already on its way from the packet before to theirs. */
  late = 0;
  /** … that came so far ahead that what was not shown yet had to go. */
  early = 0;
  /** … whose tick was there already. */
  duplicates = 0;
  /** … whose tick was too old to be kept. */
  refused = 0;
  /** Positions told, without those before the first packet and in pauses of the sender. */
  shown = 0;
  /** … for which the wanted tick was not there. */
  underruns = 0;
  /** Times that the wanted tick began to be missing. */
  stalls = 0;
  /** Times that the delay was set instead of approached. */
  jumps = 0;
}

export class JitterBuffer {
  readonly stats = new JitterBufferStats();
  readonly tickUs: number;
  /** True while the wanted tick is missing: the newest is shown. */
  isUnderrun = false;
  /** True before the first packet, and when none came for a second. */
  isPaused = true;
  private readonly estimate = new DelayEstimate(SHARE_IN_TIME, true);
  private readonly state = new Float64Array(WORDS);
  /** Bit 31 … 0 of tick, per slot; `filled` says whether there is one. */
  private readonly ticks = new Int32Array(SLOTS);
  private readonly filled = new Uint8Array(SLOTS);
  private readonly intervalUs: number;
  private hasTicks = false;
  private isPlaying = false;
  private referenceTick = 0;
  private referenceUs = 0;
  private newestTick = 0;
  private lastArrivalUs = 0;
  private shownTick = 0;
  private advancedUs = 0;

  /** @throws RangeError an option out of range */
  constructor(options: JitterBufferOptions) {
    const { tickHz, ticksPerPacket = 1 } = options;
    if (!(tickHz >= 1 && tickHz <= 1000)) throw new RangeError('tickHz must be 1…1000');
    if (!(Number.isInteger(ticksPerPacket) && ticksPerPacket >= 1 && ticksPerPacket <= 60)) {
      throw new RangeError('ticksPerPacket must be a whole number 1…60');
    }
    this.tickUs = 1_000_000 / tickHz;
    this.intervalUs = Math.round(ticksPerPacket * this.tickUs);
  }

  /** The whole tick to be shown, u32: what `advance` left. */
  get tick(): number {
    return this.shownTick >>> 0;
  }

  /** The way from `tick` to the next one, 0 ≤ fraction < 1. */
  get fraction(): number {
    return this.state[FRACTION];
  }

  /** How far the wanted position is beyond the newest tick, µs; 0 unless `isUnderrun`. */
  get missingUs(): number {
    return this.state[AHEAD];
  }

  /** The newest tick that was put in, u32. */
  get newest(): number {
    return this.newestTick >>> 0;
  }

  /** How long what is shown has been here, had it come the fastest way: the cost of the buffer, µs. */
  get delayUs(): number {
    return this.isPlaying ? this.state[DELAY] - this.estimate.baseUs : 0;
  }

  /** What `delayUs` is led to, µs: [1 tick, 200 ms], or one send interval where that is longer. */
  get targetUs(): number {
    const wantedUs = (this.estimate.spreadUs + this.intervalUs) | 0;
    const mostUs = this.intervalUs > DELAY_US_MAX ? this.intervalUs : DELAY_US_MAX;
    return wantedUs > mostUs ? mostUs : wantedUs;
  }

  /** The rate of the last `advance`, 1 ± 0.03, against the sender's ticks; 0 while it waits. */
  get speed(): number {
    return this.state[SPEED];
  }

  /** What 95 % of the packets stay below, above the fastest, µs. */
  get spreadUs(): number {
    return this.estimate.spreadUs;
  }

  /**
   * A packet of this tick (u32, or its int32) arrived. Answers the slot, 0 … SLOTS − 1, in which the
   * caller may keep its contents, or −1 when it is not wanted: a duplicate, or too old.
   */
  put(tick: number, arrivalUs: number): number {
    const { stats } = this;
    stats.received += 1;
    if (!this.hasTicks) this.begin(tick | 0, arrivalUs);
    this.lastArrivalUs = arrivalUs;
    const slot = tick & SLOT_MASK;
    if (this.filled[slot] === 1 && this.ticks[slot] === (tick | 0)) {
      stats.duplicates += 1;
      return -1;
    }
    this.learn(tick | 0, arrivalUs);
    return this.keep(tick | 0, slot, arrivalUs);
  }

  /** Moves the position on to `nowUs`; false while there is nothing to show. */
  advance(nowUs: number): boolean {
    if (!this.hasTicks) return false;
    const { state, stats, estimate } = this;
    const aimUs = (estimate.baseUs + this.targetUs) | 0;
    let passedUs = 0;
    if (this.isPlaying) {
      passedUs = (nowUs - this.advancedUs) | 0;
      if (passedUs < 0) passedUs = 0;
    } else {
      this.isPlaying = true;
      state[DELAY] = aimUs;
    }
    this.advancedUs = nowUs;
    this.approach(aimUs, passedUs);
    this.isPaused = ((nowUs - this.lastArrivalUs) | 0) > PAUSE_US;
    this.rebase();
    this.moveTo(nowUs);
    if (!this.isPaused) {
      stats.shown += 1;
      if (this.isUnderrun) stats.underruns += 1;
    }
    return true;
  }

  /** The slot of a tick that is there, or −1. */
  slotOf(tick: number): number {
    const slot = tick & SLOT_MASK;
    return this.filled[slot] === 1 && this.ticks[slot] === (tick | 0) ? slot : -1;
  }

  /** The slot of the newest tick at or before `tick`, or −1. */
  slotAtOrBefore(tick: number): number {
    for (let back = 0; back < SLOTS; back += 1) {
      const slot = this.slotOf((tick - back) | 0);
      if (slot >= 0) return slot;
    }
    return -1;
  }

  /** The slot of the oldest tick after `tick`, or −1. */
  slotAfter(tick: number): number {
    const span = (this.newestTick - tick) | 0;
    // What is further back than the buffer is long is not there.
    for (let on = span > SLOTS ? span - SLOTS + 1 : 1; on <= span; on += 1) {
      const slot = this.slotOf((tick + on) | 0);
      if (slot >= 0) return slot;
    }
    return -1;
  }

  /** The tick in a slot that `slotAtOrBefore` or `slotAfter` named, u32. */
  tickIn(slot: number): number {
    return this.ticks[slot] >>> 0;
  }

  /** Throws when the structures contradict each other; for tests and the simulator. */
  checkInvariants(): void {
    this.estimate.checkInvariants();
    const fraction = this.state[FRACTION];
    if (!(fraction >= 0 && fraction < 1)) throw new Error(`a fraction of ${fraction}`);
    for (let slot = 0; slot < SLOTS; slot += 1) {
      if (this.filled[slot] === 0) continue;
      const tick = this.ticks[slot];
      const back = (this.newestTick - tick) | 0;
      if ((tick & SLOT_MASK) !== slot || back < 0 || back >= SLOTS) {
        throw new Error(`tick ${tick} in slot ${slot}, the newest is ${this.newestTick}`);
      }
    }
  }

  private begin(tick: number, arrivalUs: number): void {
    this.hasTicks = true;
    this.referenceTick = tick;
    this.referenceUs = arrivalUs;
    this.state[REFERENCE_REST] = 0;
    this.newestTick = tick;
    this.shownTick = (tick - 1) | 0;
    this.state[FRACTION] = 0;
    this.filled.fill(0);
  }

  /** Arrival less the time at which the tick is due after the reference, whole µs. */
  private transitUs(tick: number, arrivalUs: number): number {
    const dueUs = ((tick - this.referenceTick) | 0) * this.tickUs + this.state[REFERENCE_REST];
    const transitUs = Math.round(((arrivalUs - this.referenceUs) | 0) - dueUs);
    return transitUs > TRANSIT_US_MAX
      ? TRANSIT_US_MAX
      : transitUs < -TRANSIT_US_MAX
        ? -TRANSIT_US_MAX
        : transitUs | 0;
  }

  /** The reference follows, so that differences stay far from where they wrap. */
  private rebase(): void {
    const ticks = (this.newestTick - this.referenceTick) | 0;
    if (ticks < REBASE_TICKS) return;
    const dueUs = ticks * this.tickUs + this.state[REFERENCE_REST];
    const wholeUs = Math.floor(dueUs);
    this.referenceTick = this.newestTick;
    this.referenceUs = (this.referenceUs + wholeUs) | 0;
    this.state[REFERENCE_REST] = dueUs - wholeUs;
  }

  private learn(tick: number, arrivalUs: number): void {
    const { estimate } = this;
    const transitUs = this.transitUs(tick, arrivalUs);
    const { moves } = estimate;
    estimate.add(transitUs, arrivalUs);
    if (estimate.moves === moves) return;
    const behind = (this.shownTick - tick) | 0;
    if (behind <= RESTART_TICKS && behind >= -RESTART_TICKS) return;
    this.begin(tick, arrivalUs);
    estimate.clear();
    estimate.add(0, arrivalUs);
    this.state[DELAY] = this.targetUs;
  }

  private keep(tick: number, slot: number, arrivalUs: number): number {
    const { stats } = this;
    const ahead = (tick - this.newestTick) | 0;
    if (ahead <= -SLOTS) {
      stats.refused += 1;
      stats.late += 1;
      return -1;
    }
    if (this.isPlaying && this.isLate(tick, arrivalUs)) stats.late += 1;
    if (ahead > 0) {
      if (this.isPlaying && ((tick - this.shownTick) | 0) >= SLOTS) stats.early += 1;
      this.newestTick = tick;
      // What is left in the slots between is older than the buffer is long.
      for (let at = 1; at < ahead && at < SLOTS; at += 1) {
        this.filled[(tick - at) & SLOT_MASK] = 0;
      }
    }
    this.filled[slot] = 1;
    this.ticks[slot] = tick;
    return slot;
  }

  /** Whether the position had come to need it: to be beyond the packet before. */
  private isLate(tick: number, arrivalUs: number): boolean {
    return this.transitUs(tick, arrivalUs) + this.intervalUs > this.state[DELAY] + ROUNDING_US;
  }

  private approach(aimUs: number, passedUs: number): void {
    const { state } = this;
    const offUs = aimUs - state[DELAY];
    state[SPEED] = 1;
    if (offUs > JUMP_US || offUs < -JUMP_US) {
      state[DELAY] = aimUs;
      this.stats.jumps += 1;
      return;
    }
    if (passedUs === 0) return;
    let byUs = passedUs >= SETTLE_US ? offUs : (offUs * passedUs) / SETTLE_US;
    const mostUs = passedUs * SCALING_MAX;
    if (offUs > 0 && this.isUnderrun && !this.isPaused) {
      byUs = offUs < passedUs ? offUs : passedUs;
    } else if (byUs > mostUs) byUs = mostUs;
    else if (byUs < -mostUs) byUs = -mostUs;
    state[DELAY] += byUs;
    state[SPEED] = 1 - byUs / passedUs;
  }

  private moveTo(nowUs: number): void {
    const { state } = this;
    const sinceUs = ((nowUs - this.referenceUs) | 0) - state[REFERENCE_REST] - state[DELAY];
    const ticks = sinceUs / this.tickUs;
    let whole = Math.floor(ticks);
    let fraction = ticks - whole;
    // After a rest of 35 minutes without packets the difference has wrapped: the newest it is.
    let tick = (this.referenceTick + whole) | 0;
    const ahead = (tick - this.newestTick) | 0;
    const wasUnderrun = this.isUnderrun;
    this.isUnderrun = ahead > 0 || (ahead === 0 && fraction > 0);
    state[AHEAD] = 0;
    if (this.isUnderrun) {
      state[AHEAD] = (ahead + fraction) * this.tickUs;
      tick = this.newestTick;
      whole = 0;
      fraction = 0;
      if (!wasUnderrun && !this.isPaused) this.stats.stalls += 1;
    }
    const on = (tick - this.shownTick) | 0;
    if (on < 0 || (on === 0 && fraction < state[FRACTION])) return; // it waits
    this.shownTick = tick;
    state[FRACTION] = fraction;
  }
}
