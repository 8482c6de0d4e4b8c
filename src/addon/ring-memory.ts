/** Makes the shared memory of one endpoint. Layout: `layout.ts`. */
import { TransportError } from '../util/errors.js';
import {
  CONTROL_INTS,
  DESCRIPTOR_INTS,
  I_LAYOUT_VERSION,
  I_MAGIC,
  I_RX_ARENA,
  I_RX_ARENA_BYTES,
  I_RX_CAPACITY,
  I_RX_DESCRIPTORS,
  I_RX_HEAD,
  I_RX_TAIL,
  I_TX_ARENA,
  I_TX_ARENA_BYTES,
  I_TX_CAPACITY,
  I_TX_DESCRIPTORS,
  I_TX_HEAD,
  I_TX_TAIL,
  LAYOUT_VERSION,
  MAGIC,
  MEMORY_MAX_BYTES,
} from './layout.js';

/** Powers of two. Arenas hold the bytes, capacities count descriptors. */
export interface RingSizes {
  rxCapacity: number;
  txCapacity: number;
  rxArenaBytes: number;
  txArenaBytes: number;
}

/** Holds about 50 ms at 80,000 packets of 250 B per second. */
export const SERVER_RING_SIZES: Readonly<RingSizes> = {
  rxCapacity: 4096,
  txCapacity: 4096,
  rxArenaBytes: 1 << 20,
  txArenaBytes: 1 << 20,
};

export const CLIENT_RING_SIZES: Readonly<RingSizes> = {
  rxCapacity: 512,
  txCapacity: 512,
  rxArenaBytes: 256 << 10,
  txArenaBytes: 256 << 10,
};

const LINE_BYTES = 64;
const CAPACITY_MIN = 8;
const CAPACITY_MAX = 1 << 20;
const ARENA_MIN_BYTES = 16 << 10;
const ARENA_MAX_BYTES = 1 << 29;

/**
 * A pair of rings for each of `pairs` endpoints, in equal sections. `first` is the position of the
 * first descriptor of all rings, for tests near a wrap.
 *
 * @throws TransportError bad-option
 */
export function createRingMemory(sizes: RingSizes, pairs = 1, first = 0): SharedArrayBuffer {
  checkSize('rxCapacity', sizes.rxCapacity, CAPACITY_MIN, CAPACITY_MAX);
  checkSize('txCapacity', sizes.txCapacity, CAPACITY_MIN, CAPACITY_MAX);
  checkSize('rxArenaBytes', sizes.rxArenaBytes, ARENA_MIN_BYTES, ARENA_MAX_BYTES);
  checkSize('txArenaBytes', sizes.txArenaBytes, ARENA_MIN_BYTES, ARENA_MAX_BYTES);
  const rxDescriptors = line(CONTROL_INTS * 4);
  const txDescriptors = line(rxDescriptors + sizes.rxCapacity * DESCRIPTOR_INTS * 4);
  const rxArena = line(txDescriptors + sizes.txCapacity * DESCRIPTOR_INTS * 4);
  const txArena = line(rxArena + sizes.rxArenaBytes);
  const section = line(txArena + sizes.txArenaBytes);
  const total = section * pairs;
  if (total > MEMORY_MAX_BYTES) {
    throw new TransportError('bad-option', `ring memory of ${total} bytes is over 1 GiB`);
  }
  const memory = new SharedArrayBuffer(total);
  for (let i = 0; i < pairs; i++) {
    const control = new Int32Array(memory, i * section, CONTROL_INTS);
    control[I_MAGIC] = MAGIC;
    control[I_LAYOUT_VERSION] = LAYOUT_VERSION;
    control[I_RX_CAPACITY] = sizes.rxCapacity;
    control[I_TX_CAPACITY] = sizes.txCapacity;
    control[I_RX_DESCRIPTORS] = rxDescriptors;
    control[I_TX_DESCRIPTORS] = txDescriptors;
    control[I_RX_ARENA] = rxArena;
    control[I_RX_ARENA_BYTES] = sizes.rxArenaBytes;
    control[I_TX_ARENA] = txArena;
    control[I_TX_ARENA_BYTES] = sizes.txArenaBytes;
    for (const index of [I_RX_TAIL, I_RX_HEAD, I_TX_TAIL, I_TX_HEAD]) control[index] = first;
  }
  return memory;
}

function line(bytes: number): number {
  return Math.ceil(bytes / LINE_BYTES) * LINE_BYTES;
}

function checkSize(name: string, value: number, min: number, max: number): void {
  const isPower = Number.isInteger(value) && value > 0 && (value & (value - 1)) === 0;
  if (isPower && value >= min && value <= max) return;
  throw new TransportError('bad-option', `${name} must be a power of two from ${min} to ${max}`);
}
