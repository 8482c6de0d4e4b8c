/**
 * When the ticks of a stream arrive, as traces: one-way delays by a few causes that are known of
 * networks, from a seed. Nothing here takes a logarithm (see random.ts).
 */
import { Stream } from '../random.js';

const SECOND_US = 1_000_000;
/** The way without any trouble. */
export const WAY_US = 30_000;

/** Delays beyond the way, µs, of the tick that is sent at `sentUs`; asked in order. */
export type DelaySource = (sentUs: number) => number;
export type MakeDelays = (random: Stream) => DelaySource;

/** Each packet by itself: neighbours may overtake each other. */
export function uniform(mostUs: number): MakeDelays {
  return (random) => () => random.between(0, mostUs);
}

/**
 * A shared radio: others hold the air for 2 to 30 ms, after gaps of 20 to 200 ms; what comes
 * meanwhile arrives behind it, 0.3 ms each. Every 3 to 8 s the radio looks at other channels for 40 to
 * 60 ms (what 802.11 clients do while associated).
 */
export function wifi(random: Stream): DelaySource {
  const busy = new Holding(random, [20, 200], [2, 30]);
  const scan = new Holding(random, [3_000, 8_000], [40, 60]);
  let lastUs = 0;
  return (sentUs) => {
    const airUs = random.between(300, 3_000);
    const outUs = scan.release(busy.release(sentUs + airUs));
    lastUs = Math.max(outUs, lastUs + 300);
    return lastUs - sentUs;
  };
}

/**
 * A cellular link: grants every 8 ms, repeats of 8 ms each (3GPP TS 36.321, HARQ) for one block in
 * ten, and stalls of 100 to 200 ms every 3 to 10 s (handovers); order is kept.
 */
export function cellular(random: Stream): DelaySource {
  const stall = new Holding(random, [3_000, 10_000], [100, 200]);
  let lastUs = 0;
  return (sentUs) => {
    let repeats = 0;
    while (repeats < 4 && random.isHit(1, 10)) repeats += 1;
    const grantUs = random.between(0, 8_000) + 8_000 * repeats;
    lastUs = Math.max(stall.release(sentUs + grantUs), lastUs + 100);
    return lastUs - sentUs;
  };
}

/** Now and then everything is held back until the end of the hold. Spans in ms. */
class Holding {
  private fromUs = 0;
  private toUs = 0;

  constructor(
    private readonly random: Stream,
    private readonly gapMs: readonly [number, number],
    private readonly holdMs: readonly [number, number],
  ) {}

  release(atUs: number): number {
    while (atUs >= this.toUs) {
      this.fromUs = this.toUs + this.random.between(this.gapMs[0], this.gapMs[1]) * 1000;
      this.toUs = this.fromUs + this.random.between(this.holdMs[0], this.holdMs[1]) * 1000;
    }
    return atUs >= this.fromUs ? this.toUs : atUs;
  }
}

/** Another way from `fromUs` to `toUs`, longer by `byUs`. */
export function detour(make: MakeDelays, fromUs: number, toUs: number, byUs: number): MakeDelays {
  return (random) => {
    const delays = make(random);
    return (sentUs) => delays(sentUs) + (sentUs >= fromUs && sentUs < toUs ? byUs : 0);
  };
}

export interface JitterTrace {
  readonly tickHz: number;
  /** By arrival: when, µs of the receiver's clock, and which tick. */
  readonly arrivalUs: Float64Array;
  readonly ticks: Int32Array;
  /** Transit beyond the least one, µs, ascending. */
  readonly sortedUs: Float64Array;
}

export interface TraceOptions {
  seed: number;
  tickHz: number;
  seconds: number;
  delays: MakeDelays;
  /** By how much the sender's clock is fast. */
  driftPpm?: number;
  /** The first tick. */
  firstTick?: number;
  /** Silence of the sender: its ticks go on, nothing is sent. */
  silence?: { fromUs: number; toUs: number };
}

export function makeTrace(options: TraceOptions): JitterTrace {
  const { seed, tickHz, seconds, driftPpm = 0, firstTick = 0, silence } = options;
  const delays = options.delays(new Stream(seed, 'jitter trace', tickHz));
  const stepUs = SECOND_US / tickHz / (1 + driftPpm / 1_000_000);
  const found: { arrivalUs: number; tick: number }[] = [];
  const beyond: number[] = [];
  for (let index = 0; index < seconds * tickHz; index++) {
    const sentUs = index * stepUs;
    const delayUs = delays(sentUs);
    if (silence !== undefined && sentUs >= silence.fromUs && sentUs < silence.toUs) continue;
    found.push({ arrivalUs: Math.round(sentUs + WAY_US + delayUs), tick: (firstTick + index) | 0 });
    beyond.push(delayUs);
  }
  found.sort((a, b) => a.arrivalUs - b.arrivalUs);
  const sortedUs = Float64Array.from(beyond).sort();
  const least = sortedUs[0];
  return {
    tickHz,
    arrivalUs: Float64Array.from(found, (entry) => entry.arrivalUs),
    ticks: Int32Array.from(found, (entry) => entry.tick),
    sortedUs: sortedUs.map((value) => value - least),
  };
}
