/**
 * The messages of the benchmark and of its game in both codecs. `decode` makes a value, `view` reads
 * every field where the bytes lie; both check the bytes first, as what comes off the wire is. All ways to
 * read a message must come to the same digest.
 */
import { GameEvent, Input, Snapshot } from '../../../src/messages/generated/index.js';
import type { MessageType } from '../../../src/messages/index.js';
import { Echo } from '../../suite/generated/index.js';
import type { Operation } from './operation.js';

type ValueOf<T> = T extends MessageType<infer V, infer _> ? V : never;
type ViewOf<T> = T extends MessageType<infer _, infer View> ? View : never;

interface Sample<V, View> {
  type: MessageType<V, View>;
  value: unknown;
  /** Of fields whose sums are exact: integers, and fractions of powers of two. An integer: no box. */
  ofValue(value: V): number;
  ofView(view: View): number;
}

const OUT_BYTES = 4096;
/** Messages follow a packet header: they lie anywhere. */
const OFFSET = 13;

export function codecOperations(): Operation[] {
  return [
    ...operationsOf(ECHO),
    ...operationsOf(INPUT),
    ...operationsOf(SNAPSHOT),
    ...operationsOf(EVENT),
  ];
}

function operationsOf<V, View>(sample: Sample<V, View>): Operation[] {
  const { type, ofValue, ofView } = sample;
  const value = type.normalize(sample.value, true);
  const out = new Uint8Array(OUT_BYTES);
  const encoded = new Uint8Array(OUT_BYTES);
  const bytes = type.encode(value, encoded, OFFSET, OUT_BYTES - OFFSET);
  const frame = { type: type.name, payload: value };
  const text = JSON.stringify(frame);
  const textBytes = Buffer.byteLength(text);
  const digest = ofValue(value);
  const { name } = type;
  return [
    {
      group: 'codec',
      name: `${name} encode`,
      run: () => {
        if (!type.accepts(value)) return -1;
        const length = type.encode(value, out, OFFSET, OUT_BYTES - OFFSET);
        return length + out[OFFSET + length - 1] - encoded[OFFSET + length - 1];
      },
      expected: bytes,
      bytes,
    },
    {
      group: 'codec',
      name: `${name} decode`,
      run: () => {
        if (!type.verify(encoded, OFFSET, bytes)) return -1;
        return ofValue(type.read(encoded, OFFSET, bytes));
      },
      expected: digest,
      bytes,
    },
    {
      group: 'codec',
      name: `${name} view`,
      run: () => {
        if (!type.verify(encoded, OFFSET, bytes)) return -1;
        return ofView(type.view(encoded, OFFSET, bytes));
      },
      expected: digest,
      bytes,
    },
    {
      group: 'codec',
      name: `${name} JSON.stringify`,
      run: () => JSON.stringify(frame).length,
      expected: text.length,
      bytes: textBytes,
    },
    {
      group: 'codec',
      name: `${name} JSON.parse`,
      run: () => ofValue(JSON.parse(text).payload),
      expected: digest,
      bytes: textBytes,
    },
  ];
}

const ECHO: Sample<ValueOf<typeof Echo>, ViewOf<typeof Echo>> = {
  type: Echo,
  value: { seq: 1_000, sentUs: 2_000_000_000, values: new Array(16).fill(500) },
  ofValue: ({ seq, sentUs, values }) => {
    let sum = seq + sentUs;
    for (let i = 0; i < values.length; i += 1) sum += values[i];
    return sum | 0;
  },
  ofView: (view) => {
    let sum = view.seq + view.sentUs;
    for (let i = 0; i < view.valuesLength; i += 1) sum += view.values(i);
    return sum | 0;
  },
};

const frame = { seq: 4_180, clientMs: 69_733, actions: 5, direction: 1 };
const INPUT: Sample<ValueOf<typeof Input>, ViewOf<typeof Input>> = {
  type: Input,
  value: { inputs: [frame, frame, frame] },
  ofValue: ({ inputs }) => {
    let sum = 0;
    for (let i = 0; i < inputs.length; i += 1) {
      const { seq, clientMs, actions, direction } = inputs[i];
      sum += seq + clientMs + actions + direction;
    }
    return sum | 0;
  },
  ofView: (view) => {
    let sum = 0;
    for (let i = 0; i < view.inputsLength; i += 1) {
      const each = view.inputs(i);
      sum += each.seq + each.clientMs + each.actions + each.direction;
    }
    return sum | 0;
  },
};

const at = { x: 1234.5, y: 567.25, vx: -3.5, vy: 8.25 };
const player = { direction: 1, health: 60, lives: 3, flags: 0, lastSeq: 1_000, ...at };
const boomerang = { state: 1, distance: 321.5, charge: 0.5, ...at };
const SNAPSHOT: Sample<ValueOf<typeof Snapshot>, ViewOf<typeof Snapshot>> = {
  type: Snapshot,
  value: {
    ...{ tick: 10_000, ackSeq: 1_000, matchState: 1, timeRemainingMs: 83_416 },
    players: [0, 1, 2, 3].map((i) => ({ netId: i + 1, stateId: 3, playerIndex: i, ...player })),
    boomerangs: [0, 1].map((i) => ({ netId: 10 + i, ownerNetId: i + 1, ...boomerang })),
  },
  ofValue: (value) => {
    let sum = value.tick + value.ackSeq + value.matchState + value.timeRemainingMs;
    for (let i = 0; i < value.players.length; i += 1) {
      const it = value.players[i];
      sum += it.netId + it.stateId + it.direction + it.health + it.lives + it.playerIndex;
      sum += it.flags + it.lastSeq + it.x + it.y + it.vx + it.vy;
    }
    for (let i = 0; i < value.boomerangs.length; i += 1) {
      const it = value.boomerangs[i];
      sum += it.netId + it.ownerNetId + it.state + it.x + it.y + it.vx + it.vy;
      sum += it.distance + it.charge;
    }
    return sum | 0;
  },
  ofView: (view) => {
    let sum = view.tick + view.ackSeq + view.matchState + view.timeRemainingMs;
    for (let i = 0; i < view.playersLength; i += 1) {
      const it = view.players(i);
      sum += it.netId + it.stateId + it.direction + it.health + it.lives + it.playerIndex;
      sum += it.flags + it.lastSeq + it.x + it.y + it.vx + it.vy;
    }
    for (let i = 0; i < view.boomerangsLength; i += 1) {
      const it = view.boomerangs(i);
      sum += it.netId + it.ownerNetId + it.state + it.x + it.y + it.vx + it.vy;
      sum += it.distance + it.charge;
    }
    return sum | 0;
  },
};

const EVENT: Sample<ValueOf<typeof GameEvent>, ViewOf<typeof GameEvent>> = {
  type: GameEvent,
  value: { tick: 41_800, kind: 5, actor: 100, target: 101, x: 12.5, damage: 12 },
  ofValue: (it) =>
    (it.tick + it.kind + it.actor + it.target + it.object + it.x + it.y + it.damage) | 0,
  ofView: (it) =>
    (it.tick + it.kind + it.actor + it.target + it.object + it.x + it.y + it.damage) | 0,
};
