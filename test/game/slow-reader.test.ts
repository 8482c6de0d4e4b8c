/**
 * A player who stops reading, then reads slowly: the newest state reaches it on both wires, and nobody
 * else notices. How stale a snapshot is, is counted in snapshots that were sent after it.
 */
import t from 'tap';
import { Snapshot, type SnapshotValue } from '../../src/messages/generated/index.js';
import { createRegistry } from '../../src/messages/index.js';
import type { GameConnection } from '../../src/sdk/index.js';
import { type Messages, place } from './resume-support.js';
import { dial, until, WIRES } from './support.js';

interface Game extends Messages {
  Snapshot: SnapshotValue;
}

const registry = createRegistry({ Snapshot });
const BOOMERANG = { netId: 1, ownerNetId: 2, state: 3, x: 0.1, y: 0, vx: 1, vy: 2, distance: 3 };
/** 5 kB as JSON. */
const boomerangs = Array.from({ length: 40 }, () => ({ ...BOOMERANG, charge: 0.5 }));
const TICK_MS = 5;
/** A fifth of what is sent. */
const SLOW_BYTES_PER_SECOND = 200_000;
/** Kernels hold 900 of these; the session lets a third of a second of them, 64 KiB at least, be late. */
const STALE_MAX = 250;

for (const wire of WIRES) {
  t.test(`${wire}: a slow reader gets the newest state, the others theirs`, async (t) => {
    const at = await place(t, { registry } as never);
    const option = wire === 'udp' ? ({ fallback: 'error' } as const) : null;
    const slow = (await at.dial('slow', option)) as unknown as GameConnection<Game>;
    const other = (await dial(
      at.server,
      wire,
      'other',
      registry as never,
    )) as unknown as typeof slow;
    t.teardown(() => other.close());
    let tick = 0;
    const seen: number[] = [];
    const others: number[] = [];
    let othersWorst = 0;
    const words: unknown[] = [];
    slow.on('Snapshot', (snapshot) => void seen.push(snapshot.tick));
    slow.on('word', (word) => void words.push(word));
    other.on('Snapshot', (snapshot) => {
      othersWorst = Math.max(othersWorst, tick - snapshot.tick);
      others.push(snapshot.tick);
    });
    const timer = setInterval(() => {
      const snapshot = Snapshot.normalize({ tick: ++tick, boomerangs }, false);
      at.server.broadcast('Snapshot', snapshot);
    }, TICK_MS);
    t.teardown(() => clearInterval(timer));
    await until(() => (seen.at(-1) ?? 0) > 50, 'snapshots');

    const player = at.server.players.get('slow');
    at.tcp.bytesPerSecond = 0;
    at.udp.isBlackhole = true;
    const stalledAt = tick;
    const isBehind = () => (player?.stats().droppedOut ?? 0) > 50;
    await until(() => (wire === 'udp' ? tick > stalledAt + 200 : isBehind()), 'the stall');
    for (let n = 0; n < 3; n++) player?.send('word', n);
    const { queuedBytes = 0 } = player?.stats() ?? {};
    // On UDP what is on its way counts, too.
    t.ok(queuedBytes < (wire === 'udp' ? 1_000_000 : 100_000), `the server keeps ${queuedBytes} B`);

    const healedAt = tick;
    const before = seen.length;
    at.tcp.bytesPerSecond = SLOW_BYTES_PER_SECOND;
    at.udp.isBlackhole = false;
    await until(() => (seen.at(-1) ?? 0) >= healedAt, 'the newest state');
    const stale = seen.slice(before).filter((seenTick) => seenTick < healedAt).length;
    t.ok(stale <= STALE_MAX, `${stale} snapshots were older than the stall`);
    let worst = 0;
    for (let i = 0; i < 60; i++) {
      const count = seen.length;
      await until(() => seen.length > count, 'more');
      worst = Math.max(worst, tick - (seen.at(-1) ?? 0));
    }
    t.ok(worst <= STALE_MAX, `while it reads slowly the worst was ${worst} behind`);
    t.ok(
      seen.every((seenTick, i) => i === 0 || seenTick > seen[i - 1]),
      'newer and newer',
    );
    t.same(words, [0, 1, 2], 'what is reliable arrived beside them');

    clearInterval(timer);
    await until(() => tick - (others.at(-1) ?? 0) < 50, 'the last snapshots at the other player');
    t.ok(othersWorst < 50, `the other player was at worst ${othersWorst} behind`);
  });
}
