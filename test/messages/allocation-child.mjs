// Encodes, verifies and views 1 M snapshots and prints what that allocated as one line of JSON. Runs
// alone in a process (--expose-gc, small semi-space) so that nothing else allocates. Takes the
// compiled modules' folder and `leak` to allocate on purpose, which proves that the count can fail.
import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

const [folder, mode] = process.argv.slice(2);
const { createRegistry } = await import(`${folder}/registry.js`);
const { Snapshot } = await import(`${folder}/generated/snapshot.js`);
const MESSAGES = 1_000_000;

const player = (i) => ({
  ...{ netId: 100 + i, stateId: i, direction: 1, health: 60, lives: 3, playerIndex: i, flags: 0 },
  ...{ lastSeq: 4_000_000_000, x: 100.5 + i, y: 200.25, vx: 1.5, vy: -2.5 },
});
const boomerang = (i) => ({
  ...{ netId: 200 + i, ownerNetId: 100 + i, state: 2, x: 1.5, y: 2.5, vx: 3.5, vy: 4.5 },
  ...{ distance: 5.5, charge: 0.5 },
});
const value = {
  ...{ tick: 4_000_000_000, ackSeq: 3_000_000_000, matchState: 2, timeRemainingMs: 99_999 },
  players: [0, 1, 2, 3].map(player),
  boomerangs: [0, 1].map(boomerang),
};
const registry = createRegistry({ Snapshot });
const memory = new Uint8Array(new SharedArrayBuffer(4096));
const leaks = [];

/** Sums what a handler would read, so that nothing is optimised away; returns a small integer. */
function consume(view) {
  let sum = view.tick + view.ackSeq;
  for (let i = 0; i < view.playersLength; i++) {
    const each = view.players(i);
    sum += each.netId + each.x + each.y + each.vx + each.vy + each.lastSeq;
  }
  for (let i = 0; i < view.boomerangsLength; i++) sum += view.boomerangs(i).charge;
  return (sum % 1000) | 0;
}

function run(count) {
  let total = 0;
  for (let i = 0; i < count; i++) {
    value.tick = (4_000_000_000 + i) >>> 0;
    value.players[i & 3].x = i * 0.25;
    const offset = 8 + (i & 7);
    const length = registry.encode('Snapshot', value, memory, offset, 1024);
    if (registry.decode(memory, offset, length) !== 0) throw new Error('refused');
    const { bodyOffset, bodyLength } = registry.decoded;
    total += consume(Snapshot.view(memory, bodyOffset, bodyLength));
    if (mode === 'leak') leaks[i & 15] = { i };
  }
  return total;
}

let collections = 0;
const observer = new PerformanceObserver((list) => {
  collections += list.getEntries().length;
});
observer.observe({ entryTypes: ['gc'] });
/** A gc entry takes two turns of the event loop from the collection to the observer. */
async function settle() {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
}

run(50_000);
run(50_000);
await settle();
globalThis.gc();
await settle();
collections = 0;
const before = getHeapStatistics().used_heap_size;
run(MESSAGES);
const after = getHeapStatistics().used_heap_size;
await settle();
const bytesPerMessage = (after - before) / MESSAGES;
process.stdout.write(`${JSON.stringify({ collections, bytesPerMessage })}\n`);
