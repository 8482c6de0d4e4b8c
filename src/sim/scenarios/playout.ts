/** T24: snapshots that arrive unevenly are shown evenly, and not later than that takes. */
import { playTrace } from './jitter-play.js';
import { cellular, type MakeDelays, makeTrace, uniform, wifi } from './jitter-traces.js';
import { ms, type Outcome, type Scenario } from './scenario.js';
import { seedOf } from './variation.js';

const TRACES: readonly (readonly [string, MakeDelays])[] = [
  ['0 ms', uniform(0)],
  ['20 ms', uniform(20_000)],
  ['60 ms', uniform(60_000)],
  ['Wi-Fi', wifi],
  ['4G with stalls', cellular],
];
const SECONDS = 300;
/** Arrivals are rounded to µs. */
const ROUNDING_US = 1;

export const jitterBuffer: Scenario = {
  id: 'T24',
  title: 'jitter',
  conditions:
    'traces of 300 s: even, uniform 20 and 60 ms, Wi-Fi bursts, 4G with stalls to 200 ms; ' +
    'snapshots at 20, 30 and 60 Hz, 60 pictures a second',
  criterion:
    'pictures without their tick ≤ 5 %; buffer on average ≤ p95 of the delays + 1 tick, in each',
  run: () => judgeTraces([1, 2].map(seedOf)),
};

/** Of all trace kinds and tick rates with these seeds. */
export function judgeTraces(seeds: readonly number[]): Outcome {
  let passed = true;
  const measured: Record<string, string> = {};
  for (const [name, delays] of TRACES) {
    let mostUnderruns = 0;
    let mostLate = 0;
    const buffers: string[] = [];
    for (const tickHz of [20, 30, 60]) {
      for (const seed of seeds) {
        const trace = makeTrace({ seed, tickHz, seconds: SECONDS, delays });
        const { buffer, delayUs } = playTrace(trace);
        const { stats } = buffer;
        const underruns = stats.underruns / stats.shown;
        const meanUs = delayUs.reduce((sum, value) => sum + value, 0) / delayUs.length;
        const { sortedUs } = trace;
        const allowedUs = sortedUs[Math.ceil(sortedUs.length * 0.95) - 1] + 1_000_000 / tickHz;
        passed &&= underruns <= 0.05 && meanUs <= allowedUs + ROUNDING_US;
        mostUnderruns = Math.max(mostUnderruns, underruns);
        mostLate = Math.max(mostLate, stats.late / stats.received);
        if (seed === seeds[0]) buffers.push(`${ms(meanUs)} of ${ms(allowedUs)} at ${tickHz} Hz`);
      }
    }
    measured[name] =
      `${(100 * mostUnderruns).toFixed(1)} % of pictures, ${(100 * mostLate).toFixed(1)} % of ticks ` +
      `late; ${buffers.join(', ')}`;
  }
  return { passed, measured };
}
