/** How large a message is on each wire, from the very values and codecs that are sent. */
import { Snapshot } from '../../src/messages/generated/index.js';
import { Echo } from './generated/index.js';
import { ECHO_VALUES, type RunPlan } from './plan.js';

/** Numbers as long as most of a run has them. */
const TYPICAL = { seq: 1_000, sentUs: 2_000_000_000 };

/** Bytes of an Echo, or of the Snapshot of a full match: FlatBuffers body, or JSON text. */
export function payloadBytesOf(plan: RunPlan, wire: string): number {
  const isBinary = wire === 'udp' || wire === 'floor';
  if (plan.workload === 'echo') {
    const value = { ...TYPICAL, values: new Array(ECHO_VALUES).fill(500) };
    return isBinary ? encodedBytes(Echo, value) : jsonBytes('Echo', value);
  }
  const value = typicalSnapshot();
  return isBinary ? encodedBytes(Snapshot, value) : jsonBytes('Snapshot', value);
}

interface Encodes<V> {
  encode(value: V, out: Uint8Array, offset: number, capacity: number): number;
}

function encodedBytes<V>(type: Encodes<V>, value: V): number {
  const out = new Uint8Array(4096);
  return type.encode(value, out, 0, out.length);
}

function jsonBytes(type: string, payload: object): number {
  return Buffer.byteLength(JSON.stringify({ type, payload }));
}

/** Four players and two boomerangs (workload.md). */
function typicalSnapshot() {
  const at = { x: 1234.5, y: 567.25, vx: -3.5, vy: 8.25 };
  const player = { direction: 1, health: 60, lives: 3, flags: 0, lastSeq: 1_000, ...at };
  const boomerang = { state: 1, distance: 321.5, charge: 0.5, ...at };
  return {
    tick: 10_000,
    ackSeq: TYPICAL.seq,
    matchState: 1,
    timeRemainingMs: TYPICAL.sentUs,
    players: [0, 1, 2, 3].map((index) => {
      return { netId: index + 1, stateId: 3, playerIndex: index, ...player };
    }),
    boomerangs: [0, 1].map((index) => ({ netId: 10 + index, ownerNetId: index + 1, ...boomerang })),
  };
}
