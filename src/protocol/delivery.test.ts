import t from 'tap';
import { type End, numbered, numberOf, VirtualPair } from '../../test/support/virtual-net.js';
import {
  MODE_RELIABLE_ORDERED,
  MODE_RELIABLE_UNORDERED,
  MODE_UNRELIABLE,
  MODE_UNRELIABLE_SEQUENCED,
  ProtocolStats,
  SEND_FULL,
} from './protocol.js';

const ROUGH = { loss: 100, duplicate: 50, reorder: 250, reorderUs: 30_000, delayUs: 20_000 };
const SEEDS = 25;

function numbersOf(end: End, mode: number, channel: number): number[] {
  return end.delivered
    .filter((m) => m.mode === mode && m.channel === channel)
    .map((m) => numberOf(m.bytes));
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/**
 * Sends `count` messages of every mode both ways, 4 ms apart, and waits until reliable ones are
 * there.
 */
function exchange(pair: VirtualPair, count: number): boolean {
  pair.connect();
  for (let number = 0; number < count; number += 1) {
    for (const end of [pair.client, pair.server]) {
      for (let mode = 0; mode < 4; mode += 1) {
        pair.send(end, mode + 1, mode, numbered(number, 20 + (number % 90)));
      }
    }
    pair.run(4000);
  }
  const complete = (end: End) =>
    numbersOf(end, MODE_RELIABLE_ORDERED, 4).length >= count &&
    numbersOf(end, MODE_RELIABLE_UNORDERED, 3).length >= count;
  const done = pair.runUntil(() => complete(pair.client) && complete(pair.server), 30_000_000);
  pair.run(500_000);
  return done;
}

function isMonotone(numbers: number[]): boolean {
  return numbers.every((number, index) => index === 0 || number > (numbers[index - 1] as number));
}

t.test('every mode keeps its promise under 10 % loss, duplication and reordering', async (t) => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const pair = new VirtualPair({ seed, link: ROUGH });
    t.ok(exchange(pair, 150), `seed ${seed}: reliable messages arrive`);
    for (const end of [pair.client, pair.server]) {
      t.same(numbersOf(end, MODE_RELIABLE_ORDERED, 4), upTo(150), `seed ${seed}: in order`);
      const unordered = numbersOf(end, MODE_RELIABLE_UNORDERED, 3);
      t.same(
        unordered.sort((a, b) => a - b),
        upTo(150),
        `seed ${seed}: each exactly once`,
      );
      t.ok(isMonotone(numbersOf(end, MODE_UNRELIABLE_SEQUENCED, 2)), `seed ${seed}: sequenced`);
      const unreliable = numbersOf(end, MODE_UNRELIABLE, 1);
      t.ok(unreliable.length > 75 && unreliable.length <= 150, `seed ${seed}: most unreliable`);
      t.equal(new Set(unreliable).size, unreliable.length, `seed ${seed}: none twice`);
      t.same(end.violations, []);
    }
  }
});

t.test('a clean network delivers everything once and resends nothing', async (t) => {
  const pair = new VirtualPair();
  t.ok(exchange(pair, 300));
  for (const end of [pair.client, pair.server]) {
    for (let mode = 0; mode < 4; mode += 1) {
      t.same(numbersOf(end, mode, mode + 1), upTo(300));
    }
    const stats = new ProtocolStats();
    end.protocol.stats(0, stats);
    t.equal(stats.lost, 0);
    t.equal(stats.resends, 0);
    t.equal(stats.queuedBytes, 0);
    t.ok(stats.srttUs >= 39_000 && stats.srttUs <= 70_000, `srtt ${stats.srttUs}`);
  }
});

t.test('a fragmented 256 KiB message arrives under 10 % loss', async (t) => {
  for (const mode of [MODE_RELIABLE_ORDERED, MODE_RELIABLE_UNORDERED]) {
    for (let seed = 1; seed <= 5; seed += 1) {
      const pair = new VirtualPair({ seed, link: ROUGH });
      pair.connect();
      pair.send(pair.client, 0, mode, numbered(7, 256 * 1024));
      pair.send(pair.client, 0, mode, numbered(8, 30));
      const arrived = pair.runUntil(() => pair.server.delivered.length === 2, 20_000_000);
      t.ok(arrived, `mode ${mode} seed ${seed}: after ${pair.timeUs} µs`);
      const lengths = pair.server.delivered.map((m) => m.bytes.length).sort((a, b) => a - b);
      t.same(lengths, [30, 256 * 1024]);
      t.same(pair.server.delivered.map((m) => numberOf(m.bytes)).sort(), [7, 8]);
      if (mode === MODE_RELIABLE_ORDERED) {
        t.equal(numberOf(pair.server.delivered[0]?.bytes ?? new Uint8Array(4)), 7);
      }
    }
  }
});

t.test('a large message does not keep a small one on another channel waiting', async (t) => {
  const pair = new VirtualPair();
  pair.connect();
  pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, numbered(1, 256 * 1024));
  pair.send(pair.client, 1, MODE_RELIABLE_ORDERED, numbered(2, 40));
  t.ok(pair.runUntil(() => pair.server.delivered.length === 2, 10_000_000));
  t.same(
    pair.server.delivered.map((m) => numberOf(m.bytes)),
    [2, 1],
  );
});

t.test('sequences and ids wrap without an event', async (t) => {
  const limits = { firstSequence: 65_000, firstMessageId: 65_000 };
  for (let seed = 1; seed <= 4; seed += 1) {
    const pair = new VirtualPair({ seed, link: ROUGH, limits });
    t.ok(exchange(pair, 1200));
    for (const end of [pair.client, pair.server]) {
      t.same(numbersOf(end, MODE_RELIABLE_ORDERED, 4), upTo(1200));
      t.equal(numbersOf(end, MODE_RELIABLE_UNORDERED, 3).length, 1200);
      t.ok(isMonotone(numbersOf(end, MODE_UNRELIABLE_SEQUENCED, 2)));
      t.same(end.violations, []);
    }
  }
});

t.test('70,000 messages go round the whole id space', async (t) => {
  const pair = new VirtualPair({ link: { delayUs: 1000 } });
  pair.connect();
  for (let number = 0; number < 70_000; number += 1) {
    while (pair.send(pair.client, 9, MODE_RELIABLE_ORDERED, numbered(number, 4)) === SEND_FULL) {
      pair.run(2000);
    }
  }
  t.ok(pair.runUntil(() => pair.server.delivered.length === 70_000, 60_000_000));
  t.same(numbersOf(pair.server, MODE_RELIABLE_ORDERED, 9), upTo(70_000));
});

t.test('a clock that passes 2^31 µs changes nothing', async (t) => {
  const pair = new VirtualPair({ startUs: 0x7fffffff - 400_000, link: ROUGH });
  t.ok(exchange(pair, 400));
  t.same(numbersOf(pair.server, MODE_RELIABLE_ORDERED, 4), upTo(400));
  t.ok(pair.nowUs < 0, 'the clock has wrapped');
});

t.test('after a blackhole of 2 s everything arrives within 2 RTT + 1 s', async (t) => {
  for (let seed = 1; seed <= 5; seed += 1) {
    const blackholes = [{ fromUs: 1_000_000, toUs: 3_000_000 }];
    const pair = new VirtualPair({ seed, link: { blackholes } });
    pair.connect();
    let number = 0;
    while (pair.timeUs < 3_000_000) {
      pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, numbered(number, 50));
      pair.send(pair.client, 1, MODE_UNRELIABLE_SEQUENCED, numbered(number, 50));
      number += 1;
      pair.run(16_667);
    }
    const healedUs = pair.timeUs;
    t.ok(
      pair.runUntil(
        () => numbersOf(pair.server, MODE_RELIABLE_ORDERED, 0).length === number,
        1_100_000,
      ),
      `seed ${seed}: ${pair.timeUs - healedUs} µs`,
    );
    t.same(numbersOf(pair.server, MODE_RELIABLE_ORDERED, 0), upTo(number));
  }
});

t.test('bursts of loss are survived', async (t) => {
  const blackholes = upTo(40).map((n) => ({ fromUs: n * 90_000, toUs: n * 90_000 + 25_000 }));
  const pair = new VirtualPair({ link: { blackholes } });
  t.ok(exchange(pair, 600));
  t.same(numbersOf(pair.server, MODE_RELIABLE_ORDERED, 4), upTo(600));
});

t.test(
  'a flow that its handler closes delivers nothing more, not of this packet either',
  async (t) => {
    const pair = new VirtualPair();
    pair.connect();
    for (const mode of [MODE_RELIABLE_ORDERED, MODE_RELIABLE_UNORDERED, MODE_UNRELIABLE]) {
      pair.send(pair.client, 1, mode, numbered(mode, 20));
      pair.send(pair.client, 1, mode, numbered(mode, 30));
    }
    pair.server.onMessage = () => pair.server.protocol.close(0, pair.nowUs, 4000, null);
    pair.run(100_000);
    t.equal(pair.server.delivered.length, 1);
    t.same(pair.client.closed, { code: 4000, reason: '' });
  },
);

t.test('a receiver short of memory still takes what the held messages wait for', async (t) => {
  const limits = { messageBytes: 4096, receiveBudgetBytes: 8192, reassemblyBytes: 8192 };
  for (const headBytes of [100, 4096]) {
    const pair = new VirtualPair({ limits });
    pair.connect();
    pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, numbered(0, headBytes));
    pair.link.blackholes.push({ fromUs: pair.timeUs, toUs: pair.timeUs + 1 });
    pair.run(1);
    // Held messages of 65 B take 128 B each: the bound is met before the receive budget.
    for (let number = 1; number < 200; number += 1) {
      pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, numbered(number, 65));
    }
    t.ok(
      pair.runUntil(() => pair.server.delivered.length === 200, 20_000_000),
      `head of ${headBytes} B: ${pair.server.delivered.length} of 200`,
    );
    t.same(numbersOf(pair.server, MODE_RELIABLE_ORDERED, 0), upTo(200));
    t.same(pair.server.violations, []);
  }
});
