import t from 'tap';
import { Prng } from '../util/prng.js';
import { sequenceDistance } from '../util/sequence.js';
import { historyHas, historySet, RUN_MAX, writeAckBlock } from './ack-block.js';

const HISTORY_PACKETS = 512;
const SAMPLES = 20_000;

/** Received numbers below the largest, counted one by one down to the floor or the first gap. */
function runOneByOne(words: Int32Array, largest: number, floor: number): number {
  let run = 0;
  while (
    run < RUN_MAX &&
    run + 1 < sequenceDistance(largest, floor) &&
    historyHas(words, 0, largest - run - 1)
  ) {
    run += 1;
  }
  return run;
}

t.test('the run of a block ends where counting one by one ends', (t) => {
  const prng = new Prng(0x5eed);
  const below = (limit: number): number => (prng.nextInt32() >>> 0) % limit;
  const bytes = new Uint8Array(64);
  let others = 0;
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const words = new Int32Array(16);
    const largest = below(0x10000);
    const firstGap = below(HISTORY_PACKETS);
    for (let back = 0; back < HISTORY_PACKETS; back += 1) {
      if (back < firstGap || (back > firstGap && below(4) > 0)) {
        historySet(words, 0, largest - back);
      }
    }
    const floor = (largest - below(HISTORY_PACKETS)) & 0xffff;
    writeAckBlock(words, 0, largest, floor, 0, bytes, 0);
    if (bytes[3] !== runOneByOne(words, largest, floor)) {
      others += 1;
    }
  }
  t.equal(others, 0, `of ${SAMPLES} histories`);
  t.end();
});
