/**
 * node dist/bench/micro/tick-drift.js [seconds]
 *
 * How far ticks of rooms are from their schedule after a while, beside plain setInterval timers of the
 * same rates in the same process. Rooms of four rates run at once on a real server; each tick burns
 * 0.2 ms, and about once a second something takes 30 ms, as a large garbage collection may.
 *
 * Lateness is from when a tick was due to its handler; drift is the least lateness of the last tenth of the
 * run less that of the first. setInterval has no schedule: its drift is how much time its calls lack.
 */
import { GameServer } from '../../src/server/index.js';

const RATES_HZ = [20, 30, 60, 128];
const TICK_WORK_MS = 0.2;
const STALL_MS = 30;
const STALL_EVERY_MS = 977;

interface Row {
  hz: number;
  ran: number;
  skipped: number;
  latenessMs: number[];
  intervals: number;
}

function burn(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs) {
    // busy
  }
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

async function main(): Promise<void> {
  const seconds = Number(process.argv[2] ?? 60);
  const server = await GameServer.listen({ dev: true, udp: false });
  const rows = RATES_HZ.map(
    (hz): Row => ({ hz, ran: 0, skipped: 0, latenessMs: [], intervals: 0 }),
  );
  const timers: NodeJS.Timeout[] = [setInterval(() => burn(STALL_MS), STALL_EVERY_MS)];
  // A schedule begins with its first loop; the clock is read on both sides of that.
  const startsMs = rows.map((row) => {
    const beforeMs = server.nowMs();
    server.room(`at-${row.hz}`).onTick(row.hz, ({ tick, nowMs, stepMs, skipped }) => {
      row.ran++;
      row.skipped += skipped;
      row.latenessMs.push(nowMs - beforeMs - (tick + 1) * stepMs);
      burn(TICK_WORK_MS);
    });
    timers.push(
      setInterval(() => {
        row.intervals++;
      }, 1000 / row.hz),
    );
    return beforeMs;
  });
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const endMs = server.nowMs();
  for (const timer of timers) clearInterval(timer);
  await server.close();
  console.table(
    rows.map(({ hz, ran, skipped, latenessMs, intervals }, i) => {
      const due = Math.floor(((endMs - startsMs[i]) * hz) / 1000);
      const late = [...latenessMs].sort((a, b) => a - b);
      const tenth = Math.ceil(latenessMs.length / 10);
      const driftMs =
        Math.min(...latenessMs.slice(-tenth)) - Math.min(...latenessMs.slice(0, tenth));
      return {
        'rate Hz': hz,
        due,
        ran,
        skipped,
        'drift ms': Number(driftMs.toFixed(2)),
        'lateness p50 ms': Number(quantile(late, 0.5).toFixed(2)),
        'p99 ms': Number(quantile(late, 0.99).toFixed(1)),
        'setInterval drift ms': Math.round(((due - intervals) * 1000) / hz),
      };
    }),
  );
}

await main();
