/** The server's clock on UDP: RL1's exchanges (docs/wire/rl1.md §8), taken in when somebody asks. */
import { ServerClock } from '../time/server-clock.js';
import { WrappedClock } from '../time/wrapped-clock.js';

/** What the runtime tells of one flow's exchanges. */
export interface ClockSource {
  /** Our protocol clock, int32 wrapping µs. */
  clockUs(): number;
  clockSampleCount(slot: number): number;
  clockSample(slot: number, index: number, out: Int32Array): boolean;
}

/** RL1 keeps so many. */
const KEPT = 8;

export class UdpServerClock {
  readonly #source: ClockSource;
  readonly #slot: number;
  readonly #clock = new ServerClock();
  readonly #server = new WrappedClock();
  readonly #sample = new Int32Array(3);
  #taken = 0;

  constructor(source: ClockSource, slot: number) {
    this.#source = source;
    this.#slot = slot;
  }

  /** $hello: the server's time and its protocol clock, and our time. */
  begin(serverTimeMs: number, clockUs: number, localMs: number): void {
    this.#server.begin(serverTimeMs, clockUs, localMs);
    this.#clock.begin(serverTimeMs, localMs);
  }

  nowMs(localMs: number): number {
    this.#takeIn(localMs);
    return this.#clock.nowMs(localMs);
  }

  errorMs(localMs: number): number {
    this.#takeIn(localMs);
    return this.#clock.errorMs(localMs);
  }

  #takeIn(localMs: number): void {
    const source = this.#source;
    const count = source.clockSampleCount(this.#slot);
    if (count <= this.#taken) return;
    const nowUs = source.clockUs();
    const sample = this.#sample;
    for (let index = Math.max(this.#taken, count - KEPT); index < count; index++) {
      source.clockSample(this.#slot, index, sample);
      const [roundTripUs, offsetUs, arrivalUs] = sample;
      const atMs = localMs - ((nowUs - arrivalUs) | 0) / 1000;
      const serverMs = this.#server.timeMs((arrivalUs + offsetUs) | 0, atMs);
      this.#clock.sample(roundTripUs / 1000, serverMs - atMs, atMs);
    }
    this.#taken = count;
  }
}
