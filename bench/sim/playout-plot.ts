/** How long packets took, and how old what was shown of them is: the jitter buffer on three traces. */
import type { TopLevelSpec } from 'vega-lite';
import { playTrace } from '../../src/sim/scenarios/jitter-play.js';
import {
  cellular,
  detour,
  type MakeDelays,
  makeTrace,
  uniform,
  WAY_US,
  wifi,
} from '../../src/sim/scenarios/jitter-traces.js';
import { COLOURS } from './plot.js';

const TICK_HZ = 30;
const SECONDS = 20;
const SEED = 4;
const STEP_US = 1_000_000 / TICK_HZ;
/** A point of a line every so often; pictures are 16.7 ms apart. */
const LINE_US = 66_000;

const TRACES: readonly (readonly [string, MakeDelays])[] = [
  ['Wi-Fi', wifi],
  ['4G with stalls', cellular],
  ['20 ms of jitter, a detour of 60 ms', detour(uniform(20_000), 7_000_000, 13_000_000, 60_000)],
];

const ARRIVED = 'packet: delay when it arrived';
const SHOWN = 'picture: age of what it shows';
const MISSING = 'picture without its tick';

interface Point {
  trace: string;
  kind: string;
  seconds: number;
  ms: number;
}

export function playoutSpec(): TopLevelSpec {
  const points: Point[] = [];
  for (const [trace, delays] of TRACES) addTrace(points, trace, delays);
  const colour = {
    field: 'kind',
    type: 'nominal' as const,
    title: null,
    scale: { domain: [ARRIVED, SHOWN, MISSING], range: [COLOURS[4], COLOURS[0], COLOURS[1]] },
  };
  const x = { field: 'seconds', type: 'quantitative' as const, title: 'time, s' };
  const y = { field: 'ms', type: 'quantitative' as const, title: 'beyond the fastest way, ms' };
  const encoding = { x, y, color: colour };
  return {
    title: {
      text: 'Playout follows what packets take',
      subtitle: `Snapshots at ${TICK_HZ} Hz, pictures at 60 Hz; a picture needs its tick and the next one`,
    },
    // Without a label for each of thousands of points.
    config: { aria: false },
    data: { values: points },
    facet: {
      row: { field: 'trace', type: 'nominal', title: null, sort: TRACES.map(([name]) => name) },
    },
    spec: {
      width: 760,
      height: 170,
      layer: [
        {
          transform: [{ filter: { field: 'kind', equal: ARRIVED } }],
          mark: { type: 'circle', size: 9, opacity: 0.6 },
          encoding,
        },
        {
          transform: [{ filter: { field: 'kind', equal: SHOWN } }],
          mark: { type: 'line', strokeWidth: 1.6 },
          encoding,
        },
        {
          transform: [{ filter: { field: 'kind', equal: MISSING } }],
          mark: { type: 'tick', orient: 'vertical', thickness: 1.4, size: 12 },
          encoding: { ...encoding, y: { datum: 0, type: 'quantitative' as const } },
        },
      ],
    },
  } as TopLevelSpec;
}

function addTrace(points: Point[], trace: string, delays: MakeDelays): void {
  const made = makeTrace({ seed: SEED, tickHz: TICK_HZ, seconds: SECONDS, delays });
  const played = playTrace(made);
  const transit = (index: number): number =>
    made.arrivalUs[index] - made.ticks[index] * STEP_US - WAY_US;
  for (let index = 0; index < made.ticks.length; index++) {
    const sentUs = made.ticks[index] * STEP_US;
    points.push(point(trace, ARRIVED, sentUs, transit(index)));
  }
  let nextUs = 1_000_000;
  for (let index = 0; index < played.atUs.length; index++) {
    const atUs = played.atUs[index];
    if (atUs < 1_000_000) continue;
    if (played.isMissing[index]) points.push(point(trace, MISSING, atUs, 0));
    if (atUs < nextUs) continue;
    points.push(point(trace, SHOWN, atUs, played.delayUs[index]));
    nextUs = atUs + LINE_US;
  }
}

function point(trace: string, kind: string, atUs: number, us: number): Point {
  return {
    trace,
    kind,
    seconds: Math.round(atUs / 1000) / 1000,
    ms: Math.round(us / 100) / 10,
  };
}
