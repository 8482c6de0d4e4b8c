/** Rate control against time: what a flow may send, what arrives, and the queue that it makes. */
import type { TopLevelSpec } from 'vega-lite';
import { COLOURS } from './plot.js';
import {
  ARRIVES,
  alone,
  CUBIC,
  cross,
  deepQueue,
  FIRST,
  FIRST_MAY,
  fallingLink,
  LINK,
  MAY,
  type Point,
  type RateRun,
  SECOND,
  SECOND_MAY,
  twoFlows,
} from './rate-runs.js';

const WIDTH = 760;
const [BLUE, ORANGE, GREEN, , GREY] = COLOURS;
/** A link of 10 Mbit/s: what is above was allowed and never arrived. */
const MBIT_MOST = 14;

/** What may leave is thin and dashed, what arrives is not. */
const LINES: Readonly<Record<string, { colour: string; dash: number[] }>> = {
  [LINK]: { colour: GREY, dash: [] },
  [MAY]: { colour: BLUE, dash: [4, 2] },
  [ARRIVES]: { colour: BLUE, dash: [] },
  [CUBIC]: { colour: ORANGE, dash: [] },
  [FIRST_MAY]: { colour: BLUE, dash: [4, 2] },
  [FIRST]: { colour: BLUE, dash: [] },
  [SECOND_MAY]: { colour: GREEN, dash: [4, 2] },
  [SECOND]: { colour: GREEN, dash: [] },
};

/** By file name. */
export function ratePlots(): Record<string, TopLevelSpec> {
  const [one, slow, fall, two] = [alone(), deepQueue(), fallingLink(), twoFlows()];
  const flat = 'RTT 30 ms, queue of 25 packets (31 ms)';
  return {
    'rate-alone': page('Rate control: alone on a link', [
      rates(one, `Download over 10 Mbit/s, ${flat}: T19`, MBIT_MOST),
      queue(one),
      rates(slow, 'Download and snapshots over 1 Mbit/s, RTT 40 ms, queue of 500 ms: T21', 2),
      queue(slow),
    ]),
    'rate-change': page('Rate control: the link falls to a tenth and comes back', [
      rates(fall, '10 Mbit/s, 1 Mbit/s from 10 s to 20 s; RTT 40 ms, queue of 62,500 B', MBIT_MOST),
      queue(fall),
    ]),
    'rate-shared': page('Rate control: a link with others on it', [
      ...[25, 67, 667].flatMap((packets) => {
        const run = cross(packets);
        const title = `Beside CUBIC, 10 Mbit/s, RTT 80 ms, queue of ${packets} packets: T20`;
        return [rates(run, title, MBIT_MOST), queue(run)];
      }),
      rates(two, `Two flows, the second from 5 s on; 10 Mbit/s, ${flat}`, MBIT_MOST),
      queue(two),
    ]),
  };
}

function page(title: string, facets: object[]): TopLevelSpec {
  return {
    title: {
      text: title,
      subtitle:
        'simulated; a point every 100 ms; dashed: what the flow may send, solid: what arrives, headers of IP and UDP aside',
    },
    // Without a label for each of thousands of points.
    config: { aria: false },
    resolve: { scale: { color: 'independent', strokeDash: 'independent' } },
    vconcat: facets,
  } as TopLevelSpec;
}

/** Lines are cut off at `mostMbit`. */
function rates({ rates: values }: RateRun, title: string, mostMbit: number): object {
  const kinds = [...new Set(values.map(({ kind }) => kind))];
  const domain = { field: 'kind', type: 'nominal', title: null };
  return {
    title: { text: title, fontSize: 12, offset: 8, anchor: 'start', frame: 'group' },
    width: WIDTH,
    height: 190,
    data: { values },
    mark: { type: 'line', strokeWidth: 1.6, clip: true },
    encoding: {
      x: seconds(values, null),
      y: {
        field: 'value',
        type: 'quantitative',
        title: 'Mbit/s',
        scale: { domain: [0, mostMbit] },
      },
      color: {
        ...domain,
        scale: { domain: kinds, range: kinds.map((kind) => LINES[kind].colour) },
        legend: { orient: 'top', symbolType: 'stroke', symbolSize: 400, columnPadding: 14 },
      },
      strokeDash: {
        ...domain,
        scale: { domain: kinds, range: kinds.map((kind) => LINES[kind].dash) },
      },
    },
  };
}

function queue({ queue: values }: RateRun): object {
  return {
    width: WIDTH,
    height: 80,
    data: { values },
    mark: { type: 'area', color: ORANGE, opacity: 0.7 },
    encoding: {
      x: seconds(values, 'time, s'),
      y: { field: 'value', type: 'quantitative', title: 'queue, ms' },
    },
  };
}

function seconds(values: readonly Point[], title: string | null): object {
  const last = values[values.length - 1].seconds;
  return { field: 'seconds', type: 'quantitative', title, scale: { domain: [0, last] } };
}
