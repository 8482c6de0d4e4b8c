import t from 'tap';
import { SnapshotBuffer } from './snapshot-buffer.js';

t.test('shows two snapshots and the way between them', async (t) => {
  const buffer = new SnapshotBuffer<{ x: number }>({ tickHz: 50 });
  t.equal(buffer.at(1000), null);
  for (let tick = 0; tick < 100; tick++) buffer.put(tick, { x: tick * 10 }, 1000 + tick * 20);
  let last = -1;
  for (let nowMs = 1000; nowMs < 2900; nowMs += 7) {
    const view = buffer.at(nowMs);
    if (view === null) throw new Error('nothing to show');
    const x = view.from.x + (view.to.x - view.from.x) * view.blend;
    t.ok(x >= last, 'never goes back');
    if (nowMs > 1100) t.ok(Math.abs(x - ((nowMs - 1000) / 20 - 1) * 10) < 0.01, `${x} at ${nowMs}`);
    last = x;
  }
});

t.test('bridges a lost snapshot with its neighbours', async (t) => {
  const buffer = new SnapshotBuffer<number>({ tickHz: 50 });
  for (let tick = 0; tick < 100; tick++) {
    if (tick !== 50) buffer.put(tick, tick, tick * 20);
  }
  for (let nowMs = 0; nowMs <= 1030; nowMs += 10) buffer.at(nowMs);
  const view = buffer.at(1030);
  t.match(view, { from: 49, to: 51, isUnderrun: false });
  t.ok(Math.abs((view?.blend ?? 0) - 0.75) < 0.001, `${view?.blend}`);
});

t.test('stands on the newest when nothing comes, and says how far it would be', async (t) => {
  const buffer = new SnapshotBuffer<string>({ tickHz: 50 });
  buffer.put(0xffffffff, 'a', 0);
  buffer.put(0, 'b', 20);
  for (let nowMs = 0; nowMs <= 100; nowMs += 5) buffer.at(nowMs);
  const view = buffer.at(100);
  t.match(view, { from: 'b', to: 'b', blend: 0, tick: 0, isUnderrun: true, isPaused: false });
  t.ok((view?.missingMs ?? 0) > 0);
  t.equal(buffer.at(3000)?.isPaused, true);
  t.equal(buffer.put(0, 'again', 3001), false);
  t.equal(buffer.stats().duplicates, 1);
});

/** At 1000 Hz the longest delay is more ticks than the buffer keeps. */
t.test(
  'a position further back than the buffer is long shows the oldest that is there',
  async (t) => {
    const playout = new SnapshotBuffer<number>({ tickHz: 1000 });
    const arrivals: { tick: number; atMs: number }[] = [];
    for (let tick = 0; tick < 6000; tick += 1) {
      const lateMs = tick < 4000 ? 300 + (tick % 2) * 190 : 60;
      arrivals.push({ tick, atMs: tick + lateMs });
    }
    arrivals.sort((a, b) => a.atMs - b.atMs);
    let shown = 0;
    for (const { tick, atMs } of arrivals) {
      playout.put(tick, tick, atMs);
      const view = playout.at(atMs);
      if (view === null) continue;
      shown += 1;
      if (typeof view.from !== 'number' || typeof view.to !== 'number') {
        t.fail(`nothing to show at ${atMs} ms, tick ${view.tick}, newest ${tick}`);
        return;
      }
    }
    t.equal(shown, arrivals.length);
  },
);
