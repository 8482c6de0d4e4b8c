import t from 'tap';
import { emptyResult } from '../run.js';
import { logAxis } from './axis.js';
import { contextOf, groupsOf } from './context.js';
import { boundsOf, slotsOf } from './gc.js';
import { curveOf } from './latency.js';
import { contrast, INKS, SURFACES, wireStyles } from './palette.js';
import { sampleResults } from './sample-results.js';
import { figureTitle, titleOf, workOf } from './titles.js';

t.test('a logarithmic axis holds its values between two of its ticks', async (t) => {
  t.same(logAxis([3, 40]), { domain: [2, 50], ticks: [2, 5, 10, 20, 50] });
  t.same(logAxis([430, 1_639_230]), { domain: [200, 2_000_000], ticks: [1e3, 1e4, 1e5, 1e6] });
  t.same(logAxis([7])?.domain, [5, 50], 'a tenfold at least');
  t.same(logAxis([0.001])?.domain, [0.001, 0.01]);
  t.equal(logAxis([]), null);
  t.equal(logAxis([0, -1, Number.NaN, Number.POSITIVE_INFINITY]), null);
});

t.test(
  'a curve has the quantiles of its table, in order, and the maximum at its end',
  async (t) => {
    const [run] = sampleResults().runs;
    const curve = curveOf(run, 'rtt');
    const marked = curve.filter(({ isMarked }) => isMarked).map(({ us }) => us);
    t.same(marked, [run.rttUs.p50, run.rttUs.p99, run.rttUs.p999, run.rttUs.max]);
    const nines = curve.map((point) => point.nines);
    t.same(
      [...nines].sort((a, b) => a - b),
      nines,
    );
    const { rttCurveUs, ...older } = run;
    t.equal(curveOf(older, 'rtt').length, 4, 'results without curves have four points');
    t.ok((rttCurveUs?.length ?? 0) > 4);
    t.same(curveOf(emptyResult('x', 'udp'), 'rtt'), []);
    t.same(curveOf(run, 'oneWay'), []);
  },
);

t.test(
  'of pauses that share a slot the longest is drawn, and none is lost that stands alone',
  async (t) => {
    const gcTimeline = [
      [0.1, 1, 'minor'],
      [0.2, 3, 'minor'],
      [0.3, 2, 'major'],
      [9.5, 0.5, 'minor'],
    ] as const;
    const run = {
      ...emptyResult('gc-soak', 'udp'),
      gcTimeline: gcTimeline.map((it) => [...it]) as never,
    };
    t.same(slotsOf(run, 10, 10), [
      { s: 0.2, ms: 3, isFull: true },
      { s: 9.5, ms: 0.5, isFull: false },
    ]);
    t.same(boundsOf([run]), { seconds: 10, ms: 3 });
    t.same(boundsOf([{ ...run, gcTimeline: [] }]), { seconds: 1, ms: 1 }, 'no pause at all');
    t.equal(boundsOf([emptyResult('x', 'udp')]), null);
  },
);

t.test('every wire stands out from its surface, and text more so (WCAG 2.2)', async (t) => {
  t.ok(Math.abs(contrast('#000000', '#ffffff') - 21) < 0.001);
  t.ok(contrast('#777777', '#ffffff') < 4.5);
  const dozens = [
    ...wireStyles(Array.from({ length: 40 }, (_, index) => `peer ${index}`)).values(),
  ];
  const looks = dozens.map(({ shade, shape }) => `${shade.light} ${shape}`);
  t.equal(new Set(looks).size, 40, 'colour and shape together tell many apart');
  const many = ['udp', 'json-ws', 'json-http', 'json-dgram', 'floor', 'a', 'b', 'c', 'd', 'e', 'f'];
  for (const theme of ['light', 'dark'] as const) {
    for (const [wire, { shade }] of wireStyles(many)) {
      const ratio = contrast(shade[theme], SURFACES.panel[theme]);
      t.ok(ratio >= 3, `${wire}, ${theme}: ${ratio.toFixed(2)}`);
    }
    for (const [name, ink] of Object.entries(INKS)) {
      for (const surface of Object.values(SURFACES)) {
        const ratio = contrast(ink[theme], surface[theme]);
        t.ok(ratio >= 4.5, `${name}, ${theme}: ${ratio.toFixed(2)}`);
      }
    }
  }
});

t.test('wires come in one order, unknown ones between the baselines and the floor', async (t) => {
  const context = contextOf(sampleResults(['floor', 'enet', 'json-ws', 'udp']));
  t.same(context.wires, ['udp', 'json-ws', 'enet', 'floor']);
  const [group] = groupsOf(context);
  t.same(
    group.runs.map(({ wire }) => wire),
    context.wires,
  );
});

t.test('runs and ratios have names that a reader knows; others keep their own', async (t) => {
  const called = (wire: string): string => wire.toUpperCase();
  t.equal(titleOf('echo/paced-1000x60'), 'Echo, 1,000 clients × 60 Hz');
  t.equal(titleOf('loss/2pct-50ms-snapshots'), 'Game, 2 % lost, 50 ms link');
  t.equal(titleOf('peer/thing'), 'peer/thing');
  t.equal(
    figureTitle('game/500x60 cpu json-ws/udp', called),
    'Game, 500 players, 60 ticks/s: CPU per message, JSON-WS ÷ UDP',
  );
  t.match(figureTitle('coalesced/8 cpu udp/(floor/8)', called), /UDP ÷ \(FLOOR ÷ 8\)$/);
  t.equal(
    figureTitle('flows cpu 100000/1000', called),
    'Number of flows: CPU per message, 100,000 ÷ 1,000',
  );
  t.match(
    figureTitle('echo/saturated bytes over the payload', called),
    /: bytes over the payload$/,
  );
  t.equal(
    figureTitle('overload rtt-p50 2x/before udp', called),
    'Overload: round trip p50, 2X ÷ BEFORE, UDP',
  );
  t.equal(figureTitle('', called), '');
  t.equal(workOf([]), '');
  t.match(workOf([emptyResult('x', 'udp')]), '0 flows · payload 0 B · – · lost 0 %');
});
