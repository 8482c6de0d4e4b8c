/** What a flow's peer may not have: told when another flow takes over. */
import t from 'tap';
import { numbered, numberOf, VirtualPair } from '../../test/support/virtual-net.js';
import { MODE_RELIABLE_ORDERED, MODE_RELIABLE_UNORDERED } from './protocol.js';

function connected(): VirtualPair {
  const pair = new VirtualPair();
  pair.connect();
  pair.run(300_000);
  return pair;
}

/** Sends a message in a packet of its own. */
function sendAlone(pair: VirtualPair, mode: number, number: number, bytes = 50): void {
  pair.send(pair.client, 2, mode, numbered(number, bytes), { receipt: number + 1 });
  pair.run(1_000);
}

function unacked(pair: VirtualPair): number[][] {
  const { messages } = pair.client.protocol.unacked(0);
  return messages.map(({ number, bytes, receipt }) => [number, numberOf(bytes), receipt]);
}

function cutFor(pair: VirtualPair, us: number): void {
  pair.link.blackholes.push({ fromUs: pair.timeUs, toUs: pair.timeUs + us });
}

/** What was sent is acknowledged, but nothing that is sent again arrives. */
function hearOnly(pair: VirtualPair): void {
  pair.link.blackholes.push({ fromUs: pair.timeUs + 35_000, toUs: Number.MAX_SAFE_INTEGER });
  pair.run(60_000);
}

t.test('nothing when everything is acknowledged, but how many there were', async (t) => {
  const pair = connected();
  sendAlone(pair, MODE_RELIABLE_ORDERED, 0);
  sendAlone(pair, MODE_RELIABLE_ORDERED, 1);
  pair.run(500_000);
  t.same(pair.client.protocol.unacked(0), {
    streams: [{ channel: 2, mode: MODE_RELIABLE_ORDERED, next: 2 }],
    messages: [],
  });
});

t.test('an ordered message is not delivered because it is acknowledged', async (t) => {
  for (const bytes of [50, 2500]) {
    const pair = connected();
    sendAlone(pair, MODE_RELIABLE_ORDERED, 0);
    pair.run(200_000);
    cutFor(pair, 500);
    sendAlone(pair, MODE_RELIABLE_ORDERED, 1, bytes);
    sendAlone(pair, MODE_RELIABLE_ORDERED, 2, bytes);
    hearOnly(pair);
    const told = pair.client.receipts.map(({ receipt }) => receipt);
    t.same(told, [1, 3], 'the first and the third have come');
    t.same(
      unacked(pair),
      [
        [1, 1, 2],
        [2, 2, 0],
      ],
      'the third waits for the second',
    );
    pair.client.protocol.checkInvariants();
  }
});

t.test('an unordered one is', async (t) => {
  const pair = connected();
  cutFor(pair, 500);
  sendAlone(pair, MODE_RELIABLE_UNORDERED, 0);
  sendAlone(pair, MODE_RELIABLE_UNORDERED, 1);
  hearOnly(pair);
  t.same(unacked(pair), [[0, 0, 1]]);
});

t.test(
  'messages of several streams, sent and not, in the order in which they were queued',
  async (t) => {
    const pair = connected();
    cutFor(pair, Number.MAX_SAFE_INTEGER);
    for (let number = 0; number < 200; number++) {
      const mode = number % 3 === 0 ? MODE_RELIABLE_UNORDERED : MODE_RELIABLE_ORDERED;
      sendAlone(pair, mode, number, number % 50 === 7 ? 20_000 : 100);
    }
    const found = pair.client.protocol.unacked(0).messages.map(({ bytes }) => numberOf(bytes));
    t.same(
      found,
      Array.from({ length: 200 }, (_, number) => number),
    );
  },
);

t.test('it can still be asked for when the peer has said CLOSE', async (t) => {
  const pair = connected();
  cutFor(pair, 500);
  sendAlone(pair, MODE_RELIABLE_ORDERED, 0);
  pair.server.protocol.close(0, 0, 1000, null);
  pair.run(30_000);
  t.same(pair.client.closed?.code, 1000);
  t.same(unacked(pair), [[0, 0, 1]]);
  pair.client.protocol.freeFlow(0);
  t.equal(pair.client.protocol.pools().messages, 0, 'until the flow is freed');
});
