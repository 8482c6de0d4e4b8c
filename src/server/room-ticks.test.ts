import t from 'tap';
import { HandlerErrors } from './handler-errors.js';
import { RoomTicks } from './room-ticks.js';
import { ServerOps } from './server-ops.js';
import { TickClock, type TimerPort } from './tick-clock.js';
import type { TickInfo } from './types.js';

/** Time that only moves when it is told to; timers may be late, or early as setTimeout may be. */
class VirtualTimers implements TimerPort {
  #nowMs = 5000;
  #timers: { dueMs: number; callback: () => void }[] = [];

  constructor(private readonly offMs: () => number = () => 0) {}

  nowMs(): number {
    return this.#nowMs;
  }

  set(callback: () => void, ms: number): unknown {
    const timer = { dueMs: this.#nowMs + Math.max(0, ms + this.offMs()), callback };
    this.#timers.push(timer);
    return timer;
  }

  clear(timer: unknown): void {
    this.#timers = this.#timers.filter((other) => other !== timer);
  }

  get size(): number {
    return this.#timers.length;
  }

  /** A handler that takes its time. */
  pass(ms: number): void {
    this.#nowMs += ms;
  }

  runUntil(endMs: number): void {
    for (;;) {
      const next = this.#timers.reduce(
        (first, timer) => (timer.dueMs < first.dueMs ? timer : first),
        { dueMs: Number.POSITIVE_INFINITY, callback: () => {} },
      );
      if (next.dueMs > endMs) break;
      this.clear(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.callback();
    }
    this.#nowMs = Math.max(this.#nowMs, endMs);
  }
}

/** Off by −1 to +4 ms, the same each run. */
function jitter(): () => number {
  let state = 7;
  return () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return (state / 2 ** 31) * 5 - 1;
  };
}

function roomTicks(timers: TimerPort) {
  const lines: string[] = [];
  const logger = {
    info() {},
    warn() {},
    error: (fields: object) => lines.push(JSON.stringify(fields)),
  };
  const errors = new HandlerErrors(new ServerOps(logger, null, 0));
  return { lines, ticks: new RoomTicks(errors, () => timers.nowMs(), timers) };
}

t.test('a clock with bad timers does not drift, and no tick is early', async (t) => {
  const timers = new VirtualTimers(jitter());
  const startMs = timers.nowMs();
  const stepMs = 1000 / 60;
  let ticks = 0;
  let worstMs = 0;
  const clock = new TickClock(
    60,
    (due) => {
      if (due !== 1) t.fail(`${due} ticks at once`);
      ticks++;
      const lateMs = timers.nowMs() - (startMs + ticks * stepMs);
      if (lateMs < -1e-6) t.fail(`tick ${ticks} is ${-lateMs} ms early`);
      worstMs = Math.max(worstMs, lateMs);
    },
    timers,
  );
  timers.runUntil(startMs + 10_000 * stepMs + 5);
  clock.close();
  t.equal(ticks, 10_000);
  t.ok(worstMs <= 8, `at most two bad timers late: ${worstMs} ms`);
  t.equal(timers.size, 0);
});

t.test('ticks that come while a handler runs are skipped and counted', async (t) => {
  const timers = new VirtualTimers();
  const { ticks } = roomTicks(timers);
  const startMs = timers.nowMs();
  const seen: TickInfo[] = [];
  ticks.add('slow', 100, (info) => {
    seen.push(info);
    if (info.tick === 1) timers.pass(35);
  });
  timers.runUntil(startMs + 100);
  t.same(
    seen.map(({ tick, skipped, nowMs }) => [tick, skipped, nowMs - startMs]),
    [
      [0, 0, 10],
      [1, 0, 20],
      [4, 2, 55], // the ticks of 30 and 40 ms went by; that of 50 ms is late, the next is not
      [5, 0, 60],
      [6, 0, 70],
      [7, 0, 80],
      [8, 0, 90],
      [9, 0, 100],
    ],
  );
  t.equal(seen[0].stepMs, 10);
  ticks.close();
});

t.test(
  'rooms of one rate tick together, each counts for itself, others go their way',
  async (t) => {
    const timers = new VirtualTimers();
    const { ticks } = roomTicks(timers);
    const startMs = timers.nowMs();
    const seen: string[] = [];
    const note = (name: string) => (info: TickInfo) => {
      seen.push(`${name}${info.tick} ${timers.nowMs() - startMs}`);
    };
    ticks.add('a', 50, note('a'));
    timers.runUntil(startMs + 30);
    const removeB = ticks.add('b', 50, note('b'));
    ticks.add('c', 25, note('c'));
    t.equal(timers.size, 2, 'a timer for each rate');
    timers.runUntil(startMs + 70);
    removeB();
    removeB();
    timers.runUntil(startMs + 80);
    t.same(seen, ['a0 20', 'a1 40', 'b0 40', 'a2 60', 'b1 60', 'c0 70', 'a3 80']);
    ticks.close();
    t.equal(timers.size, 0);
    ticks.add('late', 50, note('late'));
    t.equal(timers.size, 0, 'nothing begins after the end');
  },
);

t.test('the last loop of a rate takes its timer with it, also from inside', async (t) => {
  const timers = new VirtualTimers();
  const { ticks } = roomTicks(timers);
  let count = 0;
  const remove = ticks.add('a', 50, () => {
    count++;
    remove();
  });
  timers.runUntil(timers.nowMs() + 200);
  t.equal(count, 1);
  t.equal(timers.size, 0);
  let others = 0;
  const first = ticks.add('a', 50, () => second());
  const second = ticks.add('b', 50, () => void others++);
  timers.runUntil(timers.nowMs() + 100);
  t.equal(others, 0, 'removed by a handler before it in the same tick');
  first();
  ticks.add('a', 50, () => ticks.close());
  timers.runUntil(timers.nowMs() + 100);
  t.equal(timers.size, 0, 'closed from inside');
});

t.test('a handler that throws, at once or later, costs its own tick only', async (t) => {
  const timers = new VirtualTimers();
  const { ticks, lines } = roomTicks(timers);
  let others = 0;
  ticks.add('bad', 50, ({ tick }) => {
    if (tick === 0) throw new Error('at once');
    return tick === 1 ? Promise.reject(new Error('later')) : undefined;
  });
  ticks.add('good', 50, () => void others++);
  timers.runUntil(timers.nowMs() + 100);
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(others, 5);
  t.equal(lines.length, 2);
  t.match(lines[0], /onTick of room bad.*at once/);
  t.match(lines[1], /onTick of room bad.*later/);
  ticks.close();
});
