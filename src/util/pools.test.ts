import t from 'tap';
import { BlockPool } from './block-pool.js';
import { BytePool, byteChunkSize } from './byte-pool.js';
import { copyBytes } from './copy-bytes.js';
import { KeyTable } from './key-table.js';
import { Prng } from './prng.js';
import { RingQueue } from './ring-queue.js';
import { Scratch } from './scratch.js';
import {
  sequenceBufferCreate,
  sequenceBufferFree,
  sequenceBufferGrow,
  sequenceCell,
} from './sequence-buffer.js';
import { SlabPool } from './slab-pool.js';

t.test('slab records keep their words across a free, but for the first', async (t) => {
  const pool = new SlabPool(4, 1);
  const first = pool.alloc();
  const second = pool.alloc();
  t.not(first, 0);
  pool.words[second + 1] = 7;
  pool.free(second);
  t.equal(pool.alloc(), second);
  t.equal(pool.words[second], 0);
  t.equal(pool.words[second + 1], 7);
  t.equal(pool.used, 2);
  pool.checkInvariants();
});

t.test('slab pools grow and add up under random use', async (t) => {
  const pool = new SlabPool(8, 2);
  const prng = new Prng(5);
  const held: number[] = [];
  for (let step = 0; step < 20_000; step += 1) {
    if (prng.chance(1, 2) || held.length === 0) {
      const handle = pool.alloc();
      pool.words[handle + 2] = handle;
      held.push(handle);
    } else {
      const [handle] = held.splice(prng.below(held.length), 1) as [number];
      if (pool.words[handle + 2] !== handle) {
        t.fail('a record was given twice');
      }
      pool.free(handle);
    }
  }
  t.equal(pool.used, held.length);
  pool.checkInvariants();
});

t.test('blocks are zero when handed out again', async (t) => {
  const pool = new BlockPool(16);
  const block = pool.alloc(5);
  pool.words.fill(9, block, block + 32);
  pool.free(block, 5);
  t.equal(pool.usedWords, 0);
  t.equal(pool.alloc(5), block);
  t.ok(pool.words.subarray(block, block + 32).every((word) => word === 0));
  t.not(pool.alloc(5), block);
});

t.test('chunks fit, do not overlap and stay within the bound', async (t) => {
  const pool = new BytePool(300_000);
  const chunks: { handle: number; length: number; mark: number }[] = [];
  const prng = new Prng(11);
  for (;;) {
    const length = prng.below(2049);
    const handle = pool.alloc(length);
    if (handle < 0) {
      break;
    }
    const mark = chunks.length & 0xff;
    const offset = pool.offset(handle);
    pool.page(handle).fill(mark, offset, offset + length);
    if (!(pool.view(handle).length >= length)) {
      t.fail('too short');
    }
    chunks.push({ handle, length, mark });
  }
  t.ok(pool.usedBytes <= 300_000 && pool.usedBytes > 290_000);
  t.ok(
    chunks.every(({ handle, length, mark }) =>
      pool
        .view(handle)
        .subarray(0, length)
        .every((byte) => byte === mark),
    ),
  );
  for (const { handle } of chunks) {
    pool.free(handle);
  }
  t.equal(pool.usedBytes, 0);
  t.same([0, 1, 64, 65, 1024, 1025, 2048].map(byteChunkSize), [64, 64, 64, 128, 1024, 2048, 2048]);
});

t.test('ring queues keep their order while they grow', async (t) => {
  const queue = new RingQueue(2, 1);
  let next = 0;
  let expected = 0;
  for (let step = 0; step < 5000; step += 1) {
    const at = queue.push();
    queue.words[at + 1] = next;
    next += 1;
    if (step % 3 === 0) {
      if (queue.words[queue.shift() + 1] !== expected) {
        t.fail('out of order');
      }
      expected += 1;
    }
  }
  t.equal(queue.size, next - expected);
  while (queue.size > 0) {
    t.ok(queue.shift() >= 0);
  }
  t.equal(queue.shift(), -1);
});

t.test('sequence buffers keep the newest across growth and the wrap', async (t) => {
  const pool = new BlockPool(16);
  const small = sequenceBufferCreate(pool, 4);
  for (let sequence = 65_530; sequence < 65_546; sequence += 1) {
    pool.words[sequenceCell(small, 15, sequence & 0xffff)] = sequence;
  }
  const large = sequenceBufferGrow(pool, small, 4, 6, 65_545 & 0xffff);
  for (let sequence = 65_530; sequence < 65_546; sequence += 1) {
    t.equal(pool.words[sequenceCell(large, 63, sequence & 0xffff)], sequence);
  }
  t.equal(pool.words[sequenceCell(large, 63, 65_529)], 0);
  sequenceBufferFree(pool, large, 6);
  t.equal(pool.usedWords, 0);
});

t.test('the key table agrees with a Map', async (t) => {
  const table = new KeyTable(2);
  const map = new Map<string, number>();
  const prng = new Prng(21);
  for (let step = 1; step < 30_000; step += 1) {
    const owner = prng.below(20);
    const key = prng.below(50) - 25;
    const name = `${owner} ${key}`;
    if (prng.chance(1, 2)) {
      table.set(owner, key, step);
      map.set(name, step);
    } else {
      table.delete(owner, key);
      map.delete(name);
    }
    const probe = `${owner} ${key ^ 1}`;
    if (table.get(owner, key ^ 1) !== (map.get(probe) ?? 0) || table.size !== map.size) {
      t.fail(`step ${step}`);
      return;
    }
  }
  t.pass();
});

t.test('copies are exact at every length and offset, whole arrays or parts of them', async (t) => {
  const scratch = new Scratch(2000);
  const from = scratch.bytes;
  from.set(from.map((_, index) => index * 7));
  for (let length = 0; length < 1500; length += 1) {
    const expected = new Uint8Array(1600);
    for (let index = 0; index < length; index += 1) expected[9 + index] = index * 7;
    const head = new Uint8Array(1600);
    copyBytes(scratch.head(length), 0, head, 9, length);
    const part = new Uint8Array(1600);
    copyBytes(from.subarray(5), 0, part, 9, length);
    if (Buffer.compare(head, expected) !== 0) t.fail(`head of ${length}`);
    const shifted = from.subarray(5, 5 + length);
    if (Buffer.compare(part.subarray(9, 9 + length), shifted) !== 0) t.fail(`part of ${length}`);
  }
  t.equal(scratch.head(100), scratch.head(100), 'made once');
});

t.test('the same seed gives the same numbers, bounded and spread', async (t) => {
  const a = new Prng(7);
  const b = new Prng(7);
  const counts = new Array<number>(10).fill(0);
  for (let step = 0; step < 10_000; step += 1) {
    const value = a.below(10);
    if (value !== b.below(10)) {
      t.fail();
    }
    counts[value] = (counts[value] ?? 0) + 1;
  }
  t.ok(
    counts.every((count) => count > 800 && count < 1200),
    counts.join(' '),
  );
  t.not(new Prng(8).nextInt32(), new Prng(9).nextInt32());
});
