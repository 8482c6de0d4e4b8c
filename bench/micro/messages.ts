// Codec timings of one message: FlatBuffers encode, verify and view against JSON.
//
//   node dist/bench/micro/messages.js [--rounds N] [--count N]
//
// Prints the median of the rounds, and bytes. Every result is consumed, so nothing is optimised away.
import { parseArgs } from 'node:util';
import { GameEvent, Input, Snapshot } from '../../src/messages/generated/index.js';
import type { SnapshotView } from '../../src/messages/generated/snapshot.js';
import { createRegistry, type MessageType } from '../../src/messages/index.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    count: { type: 'string', default: '200000' },
  },
});
const rounds = Number(values.rounds);
const count = Number(values.count);

const player = (i: number): object => ({
  ...{ netId: 100 + i, stateId: 7 + i, direction: 1, health: 54, lives: 3, playerIndex: i },
  ...{ flags: 0, lastSeq: 4180 + i, x: 1204.53 + i * 311.7, y: 388.25, vx: 6.25, vy: -3.125 },
});
const boomerang = (i: number): object => ({
  ...{ netId: 200 + i, ownerNetId: 100 + i, state: 2, x: 1404.12, y: 290.66, vx: 14.5, vy: 0.25 },
  ...{ distance: 220.75, charge: 0.625 },
});
const frame = { seq: 4180, clientMs: 69_733, actions: 5, direction: 1 };
const samples: [string, MessageType, unknown][] = [
  [
    'Snapshot 4+2',
    Snapshot,
    {
      ...{ tick: 41_800, ackSeq: 4179, matchState: 2, timeRemainingMs: 83_416 },
      players: [0, 1, 2, 3].map(player),
      boomerangs: [0, 1].map(boomerang),
    },
  ],
  ['Input x1', Input, { inputs: [frame] }],
  ['Input x3', Input, { inputs: [frame, frame, frame] }],
  ['GameEvent', GameEvent, { tick: 41_800, kind: 5, actor: 100, target: 101, x: 12.5, damage: 12 }],
];

const registry = createRegistry({ Input, Snapshot, GameEvent });
const memory = new Uint8Array(8192);
let guard = 0;

function nsPer(work: () => number): number {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < count; i++) guard = (guard + work()) | 0;
    times.push(Number(process.hrtime.bigint() - start) / count);
  }
  return times.sort((a, b) => a - b)[rounds >> 1];
}

function readAll(view: SnapshotView): number {
  let sum = view.tick + view.ackSeq;
  for (let i = 0; i < view.playersLength; i++) {
    const each = view.players(i);
    sum += each.netId + each.x + each.y + each.vx + each.vy;
  }
  for (let i = 0; i < view.boomerangsLength; i++) sum += view.boomerangs(i).x;
  return sum;
}

for (const [label, type, sample] of samples) {
  const value = type.normalize(sample, true);
  const bytes = type.encode(value, memory, 1, 8000);
  const text = JSON.stringify({ type: type.name, payload: value });
  const rows: [string, number][] = [
    ['accepts', nsPer(() => (type.accepts(value) ? 1 : 0))],
    ['encode', nsPer(() => type.encode(value, memory, 1, 8000))],
    ['registry.encode', nsPer(() => registry.encode(type.name, value, memory, 0, 8001))],
    ['verify', nsPer(() => (type.verify(memory, 1, bytes) ? 1 : 0))],
    ['registry.decode', nsPer(() => registry.decode(memory, 0, bytes + 1) + 1)],
    ['read (plain object)', nsPer(() => (type.read(memory, 1, bytes) === null ? 0 : 1))],
    ['JSON.stringify', nsPer(() => JSON.stringify({ type: type.name, payload: value }).length)],
    ['JSON.parse', nsPer(() => (JSON.parse(text) === null ? 0 : 1))],
    ['registry.toJson', nsPer(() => registry.toJson(type.name, value).length)],
    ['registry.fromJson', nsPer(() => registry.fromJson(text).type.length)],
  ];
  if (type === Snapshot) {
    rows.push(['view, all fields', nsPer(() => readAll(Snapshot.view(memory, 1, bytes)) | 0)]);
  }
  console.log(`${label}: ${bytes} B FlatBuffers, ${Buffer.byteLength(text)} B JSON`);
  for (const [name, ns] of rows)
    console.log(`  ${name.padEnd(20)} ${ns.toFixed(0).padStart(6)} ns`);
}
console.log(`node ${process.version}, median of ${rounds} × ${count}, guard ${guard}`);
