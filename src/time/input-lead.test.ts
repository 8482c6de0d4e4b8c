import t from 'tap';
import { InputArrivals } from './input-arrivals.js';
import { InputLead } from './input-lead.js';

const STEP_MS = 20;

t.test('copies do not count, and what came first does', async (t) => {
  const arrivals = new InputArrivals();
  t.ok(arrivals.add(100, 0, 50, false), 'the first one is told at once');
  arrivals.reported(0);
  t.notOk(arrivals.add(100, 500, 50, true), 'a copy');
  t.equal(arrivals.inputs, 1);
  t.notOk(arrivals.add(102, 50, 90, false), 'too early for a report');
  t.notOk(arrivals.add(101, 60, 70, false), 'overtaken, still a first copy');
  t.equal(arrivals.leastTick, 101);
  t.equal(arrivals.leastMarginMs, 10);
  t.ok(arrivals.add(103, 140, 130, true));
  t.match(arrivals, { inputs: 4, late: 1, reportInputs: 3, reportLate: 1, leastMarginMs: -10 });
  t.notOk(arrivals.add(103 - 40, 150, 130, true), 'too old to be known as a first copy');
});

t.test('ticks wrap', async (t) => {
  const arrivals = new InputArrivals();
  arrivals.add(0xfffffffe, 0, 5, false);
  arrivals.add(1, 0, 5, false);
  arrivals.add(0xffffffff, 0, 5, false);
  arrivals.add(0xffffffff, 0, 5, false);
  t.equal(arrivals.inputs, 3);
  const lead = new InputLead({ tick: 0xfffffffe, atMs: 1000, stepMs: STEP_MS });
  t.equal(lead.tickToSend(1000 + 2.5 * STEP_MS, 0, 0), 1);
});

t.test('until the server has spoken the lead is half a round trip and its variation', async (t) => {
  const lead = new InputLead({ tick: 0, atMs: 0, stepMs: STEP_MS });
  t.equal(lead.leadMs(1000, Number.NaN, Number.NaN), 2);
  t.equal(lead.leadMs(1001, 100, 5), 62);
  t.equal(lead.tickToSend(1001, 100, 5), Math.ceil(1063 / STEP_MS));
});

t.test('what the server says sets it right, by the limits of its speed', async (t) => {
  const lead = new InputLead({ tick: 0, atMs: 0, stepMs: STEP_MS });
  const wayMs = 80;
  let before = -1;
  let grown = 0;
  let last = 0;
  for (let nowMs = 1000; nowMs < 20_000; nowMs += 10) {
    // The client believes in a way of 20 ms.
    const tick = lead.tickToSend(nowMs, 40, 0);
    const leadMs = lead.leadMs(nowMs, 40, 0);
    if (before >= 0) grown = Math.max(grown, leadMs - before);
    before = leadMs;
    if (tick !== last && tick % 5 === 0) {
      lead.feedback(tick, tick * STEP_MS - (nowMs + wayMs), 1, 0, nowMs);
    }
    last = tick;
  }
  t.ok(Math.abs(before - wayMs - 2) < 1, `${before} ms`);
  t.ok(grown <= 60, `${grown} ms at once; the first report may set it`);
  // A longer way: by at most 0.1 ms a ms.
  grown = 0;
  for (let nowMs = 20_000; nowMs < 30_000; nowMs += 10) {
    const tick = lead.tickToSend(nowMs, 40, 0);
    const leadMs = lead.leadMs(nowMs, 40, 0);
    grown = Math.max(grown, leadMs - before);
    before = leadMs;
    if (tick !== last && tick % 5 === 0) {
      lead.feedback(tick, tick * STEP_MS - (nowMs + wayMs + 60), 1, 1, nowMs);
    }
    last = tick;
  }
  t.ok(grown <= 1.001, `${grown} ms in 10 ms`);
  t.ok(Math.abs(before - wayMs - 62) < 3, `${before} ms`);
});

t.test('reports about ticks that were never handed out are ignored', async (t) => {
  const lead = new InputLead({ tick: 0, atMs: 0, stepMs: STEP_MS });
  lead.tickToSend(1000, 40, 0);
  lead.feedback(12_345, -5_000, 1, 1, 1000);
  lead.feedback(60, Number.NEGATIVE_INFINITY, 1, 1, 1000);
  t.equal(lead.leadMs(1010, 40, 0), 22);
});
