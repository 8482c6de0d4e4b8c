import t from 'tap';
import { type End, numbered, numberOf, VirtualPair } from '../../test/support/virtual-net.js';
import {
  MODE_RELIABLE_ORDERED,
  MODE_UNRELIABLE,
  MODE_UNRELIABLE_SEQUENCED,
  ProtocolStats,
  RECEIPT_ACKED,
  RECEIPT_DROPPED,
  RECEIPT_LOST,
} from './protocol.js';

const ROUGH = { loss: 100, duplicate: 50, reorder: 250, reorderUs: 30_000, delayUs: 20_000 };

function connected(options: ConstructorParameters<typeof VirtualPair>[0] = {}): VirtualPair {
  const pair = new VirtualPair(options);
  pair.connect();
  pair.run(300_000);
  return pair;
}

function codes(end: End): number[][] {
  return end.receipts.map(({ receipt, code }) => [receipt, code]);
}

function cut(pair: VirtualPair): void {
  pair.link.blackholes.push({ fromUs: pair.timeUs, toUs: Number.MAX_SAFE_INTEGER });
}

t.test('every mode answers a receipt once the peer has the message', async (t) => {
  const pair = connected();
  for (let mode = 0; mode < 4; mode += 1) {
    pair.send(pair.client, 1, mode, numbered(mode, 50), { receipt: mode + 1 });
    pair.send(pair.client, 1, mode, numbered(mode, 3000), { receipt: mode + 11 });
    pair.send(pair.client, 1, mode, numbered(mode, 50));
  }
  pair.run(500_000);
  t.same(
    codes(pair.client).sort((a, b) => (a[0] as number) - (b[0] as number)),
    [1, 2, 3, 4, 11, 12, 13, 14].map((receipt) => [receipt, RECEIPT_ACKED]),
  );
  t.equal(pair.client.protocol.pools().messages, 0);
});

t.test('a receipt may be any int32 but 0', async (t) => {
  const pair = connected();
  pair.send(pair.client, 1, MODE_RELIABLE_ORDERED, numbered(1, 50), { receipt: -0x80000000 });
  pair.send(pair.client, 1, MODE_UNRELIABLE, numbered(1, 50), { receipt: 0x7fffffff });
  pair.run(500_000);
  t.same(codes(pair.client), [
    [-0x80000000, RECEIPT_ACKED],
    [0x7fffffff, RECEIPT_ACKED],
  ]);
});

t.test(
  'an unreliable message whose packets are lost answers so, a reliable one waits',
  async (t) => {
    const pair = connected();
    cut(pair);
    const { client } = pair;
    pair.send(client, 1, MODE_UNRELIABLE, numbered(1, 50), { receipt: 1 });
    pair.send(client, 1, MODE_UNRELIABLE, numbered(2, 3000), { receipt: 2 });
    pair.send(client, 1, MODE_RELIABLE_ORDERED, numbered(3, 50), { receipt: 3 });
    pair.run(1000);
    pair.link.blackholes.length = 0;
    for (let number = 4; number < 10; number += 1) {
      pair.send(client, 1, MODE_UNRELIABLE, numbered(number, 50));
      pair.run(5000);
    }
    pair.run(500_000);
    t.same(
      codes(client).sort((a, b) => (a[0] as number) - (b[0] as number)),
      [
        [1, RECEIPT_LOST],
        [2, RECEIPT_LOST],
        [3, RECEIPT_ACKED],
      ],
    );
    t.equal(client.protocol.pools().messages, 0);
  },
);

t.test('with redundancy any copy serves, and only the last loss is one', async (t) => {
  const pair = connected();
  const { client } = pair;
  const options = { receipt: 1, redundancy: 2 };
  cut(pair);
  pair.send(client, 1, MODE_UNRELIABLE_SEQUENCED, numbered(1, 50), options);
  pair.run(5000);
  pair.link.blackholes.length = 0;
  for (let number = 2; number < 6; number += 1) {
    pair.send(client, 2, MODE_UNRELIABLE, numbered(number, 50));
    pair.run(5000);
  }
  pair.run(200_000);
  t.same(codes(client), [[1, RECEIPT_ACKED]], 'the second copy came through');

  cut(pair);
  pair.send(client, 1, MODE_UNRELIABLE_SEQUENCED, numbered(1, 50), { ...options, receipt: 2 });
  for (let number = 2; number < 6; number += 1) {
    pair.run(5000);
    pair.send(client, 2, MODE_UNRELIABLE, numbered(number, 50));
  }
  pair.link.blackholes.length = 0;
  pair.run(5000);
  for (let number = 6; number < 10; number += 1) {
    pair.send(client, 2, MODE_UNRELIABLE, numbered(number, 50));
    pair.run(5000);
  }
  pair.run(500_000);
  t.same(codes(client).slice(1), [[2, RECEIPT_LOST]], 'all three are gone');
  t.equal(client.protocol.pools().messages, 0);
});

t.test('a message that never leaves answers DROPPED', async (t) => {
  const pair = new VirtualPair();
  const { client } = pair;
  const options = { receipt: 1, expiresUs: 10_000 };
  pair.link.blackholes.push({ fromUs: 0, toUs: 50_000 });
  pair.send(client, 1, MODE_UNRELIABLE, numbered(1, 50), options);
  pair.send(client, 1, MODE_UNRELIABLE_SEQUENCED, numbered(2, 50), { key: 7, receipt: 2 });
  pair.send(client, 1, MODE_UNRELIABLE_SEQUENCED, numbered(3, 50), { key: 7, receipt: 3 });
  pair.connect();
  pair.run(500_000);
  t.same(codes(client).sort(), [
    [1, RECEIPT_DROPPED],
    [2, RECEIPT_DROPPED],
    [3, RECEIPT_ACKED],
  ]);
});

t.test('every receipt is answered once, truly, under loss, duplication, reordering', async (t) => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const pair = connected({ seed, link: ROUGH });
    const { client, server } = pair;
    for (let number = 1; number <= 400; number += 1) {
      const mode = number & 3;
      const length = number % 10 === 0 ? 2500 : 40;
      const redundancy = number % 3;
      pair.send(client, mode, mode, numbered(number, length), { receipt: number, redundancy });
      pair.run(3000);
    }
    pair.run(4_000_000);
    const answered = client.receipts.map(({ receipt }) => receipt).sort((a, b) => a - b);
    t.same(
      answered,
      Array.from({ length: 400 }, (_, index) => index + 1),
      `seed ${seed}`,
    );
    const arrived = new Set(server.delivered.map(({ bytes }) => numberOf(bytes)));
    const stale = new Set<number>();
    for (const { receipt, code } of client.receipts) {
      const mode = receipt & 3;
      // A sequenced message that a newer one overtook has arrived without being delivered.
      if (code === RECEIPT_ACKED && mode !== MODE_UNRELIABLE_SEQUENCED && !arrived.has(receipt)) {
        stale.add(receipt);
      }
      if (mode >= 2) {
        t.equal(code, RECEIPT_ACKED, `reliable ${receipt}`);
      }
    }
    t.same(stale, new Set(), `seed ${seed}: acknowledged means arrived`);
    t.equal(client.protocol.pools().messages, 0, 'nothing is kept');
  }
});

t.test('the end of a flow frees what waited for a receipt', async (t) => {
  for (const freed of [false, true]) {
    const pair = connected();
    const { client } = pair;
    cut(pair);
    for (let number = 1; number <= 20; number += 1) {
      const options = { receipt: number, redundancy: number % 4 };
      pair.send(client, 1, number & 3, numbered(number, number % 5 === 0 ? 4000 : 50), options);
      if (number % 3 === 0) {
        pair.run(1000);
      }
    }
    t.ok(client.protocol.pools().messages > 0);
    if (freed) {
      client.protocol.freeFlow(0);
    } else {
      client.protocol.close(0, pair.nowUs, 1000, null);
    }
    t.equal(client.protocol.pools().messages, 0);
    t.equal(client.protocol.pools().packets, 0);
    client.protocol.checkInvariants();
  }
});

t.test('under loss a small reliable message rides again where room is left', async (t) => {
  const latencies = (spare: boolean, seed: number) => {
    const pair = connected({ seed, link: { loss: 50, delayUs: 30_000 } });
    const { client, server } = pair;
    const sentUs: number[] = [];
    const lateUs: number[] = [];
    server.onMessage = ({ mode, bytes, atUs }) => {
      // The sender has learnt of the loss by then.
      if (mode === MODE_RELIABLE_ORDERED && numberOf(bytes) >= 300) {
        lateUs.push(atUs - (sentUs[numberOf(bytes)] ?? Number.NaN));
      }
    };
    // Messages beyond 256 B are no longer small.
    const length = spare ? 250 : 260;
    for (let number = 0; number < 1300; number += 1) {
      sentUs[number] = pair.timeUs;
      pair.send(client, 0, MODE_RELIABLE_ORDERED, numbered(number, length));
      pair.run(16_667);
    }
    pair.run(1_000_000);
    t.equal(lateUs.length, 1000);
    const stats = new ProtocolStats();
    client.protocol.stats(0, stats);
    return { p99: lateUs.sort((a, b) => a - b)[990] as number, spares: stats.spares };
  };
  for (let seed = 1; seed <= 3; seed += 1) {
    const without = latencies(false, seed);
    const with_ = latencies(true, seed);
    t.equal(without.spares, 0);
    t.ok(with_.spares > 300, `${with_.spares} spare copies`);
    t.ok(with_.p99 < 70_000, `p99 ${with_.p99} µs: the way and two ticks`);
    t.ok(without.p99 > 90_000, `p99 ${without.p99} µs: the way and a round trip`);
  }
});

t.test('without loss nothing is sent twice', async (t) => {
  const pair = connected();
  for (let number = 0; number < 100; number += 1) {
    pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, numbered(number, 50));
    pair.run(16_667);
  }
  const stats = new ProtocolStats();
  pair.client.protocol.stats(0, stats);
  t.equal(stats.spares, 0);
});
