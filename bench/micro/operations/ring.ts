/** The rings over their memory, the native side played here: it publishes, and takes, one descriptor. */
import {
  D_ARRIVAL_US,
  D_GENERATION,
  D_KIND,
  D_LENGTH,
  D_OFFSET,
  D_SLOT,
  DESCRIPTOR_INTS,
  I_RX_ARENA,
  I_RX_DESCRIPTORS,
  I_RX_TAIL,
  I_TX_HEAD,
  RX_PAYLOAD,
  TX_PAYLOAD,
} from '../../../src/addon/layout.js';
import { createRingMemory, SERVER_RING_SIZES } from '../../../src/addon/ring-memory.js';
import { Rings } from '../../../src/addon/rings.js';
import type { Operation } from './operation.js';

const PAYLOAD_BYTES = 100;
const SLOT = 7;
const GENERATION = 3;

/** What an endpoint does before and after its native calls. */
class PlayedRings extends Rings {
  readonly ints: Int32Array;

  constructor() {
    super(createRingMemory(SERVER_RING_SIZES));
    this.ints = new Int32Array(this.memory);
  }

  receive(): void {
    Atomics.store(this.ints, I_RX_TAIL, (this.ints[I_RX_TAIL] + 1) | 0);
    this.acquireRx();
  }

  send(): void {
    this.publishTx();
    Atomics.store(this.ints, I_TX_HEAD, (this.ints[I_TX_HEAD] + 1) | 0);
    this.reclaimTx();
  }
}

export function ringOperations(): Operation[] {
  return [read(), write()];
}

function read(): Operation {
  const rings = new PlayedRings();
  const { ints } = rings;
  for (let index = 0; index < SERVER_RING_SIZES.rxCapacity; index += 1) {
    const at = (ints[I_RX_DESCRIPTORS] >> 2) + index * DESCRIPTOR_INTS;
    ints[at + D_KIND] = RX_PAYLOAD;
    ints[at + D_SLOT] = SLOT;
    ints[at + D_GENERATION] = GENERATION;
    ints[at + D_OFFSET] = ints[I_RX_ARENA];
    ints[at + D_LENGTH] = PAYLOAD_BYTES;
    ints[at + D_ARRIVAL_US] = 0;
  }
  return {
    group: 'ring',
    name: 'read a descriptor and give it back',
    run: () => {
      rings.receive();
      const came = rings.rxPoll() && !rings.rxPoll();
      rings.rxRelease();
      return came ? rings.slot + rings.generation + rings.length + rings.kind : -1;
    },
    expected: SLOT + GENERATION + PAYLOAD_BYTES + RX_PAYLOAD,
  };
}

function write(): Operation {
  const rings = new PlayedRings();
  const { bytes } = rings;
  const payload = new Uint8Array(PAYLOAD_BYTES).fill(0x5a);
  return {
    group: 'ring',
    name: `reserve, write ${PAYLOAD_BYTES} B, commit, take back`,
    run: () => {
      const at = rings.txReserve(PAYLOAD_BYTES, SLOT);
      if (at < 0) return -1;
      bytes.set(payload, at);
      rings.txCommit(TX_PAYLOAD, SLOT, GENERATION, PAYLOAD_BYTES);
      rings.send();
      return bytes[at + PAYLOAD_BYTES - 1];
    },
    expected: 0x5a,
    bytes: PAYLOAD_BYTES,
  };
}
