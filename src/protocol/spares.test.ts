/** Spare copies where packets seldom leave, and where there is nothing to spare. */
import t from 'tap';
import { numbered, numberOf, VirtualPair } from '../../test/support/virtual-net.js';
import { MODE_RELIABLE_ORDERED, MODE_UNRELIABLE, ProtocolStats } from './protocol.js';

const DELAY_US = 30_000;
const TICK_US = 16_667;

/** Both ends have seen loss of about 5 %. */
function lossy(): VirtualPair {
  const pair = new VirtualPair({ seed: 3, link: { loss: 50, delayUs: DELAY_US } });
  pair.connect();
  for (let number = 0; number < 300; number += 1) {
    pair.send(pair.client, 1, MODE_UNRELIABLE, numbered(number, 400));
    pair.send(pair.server, 1, MODE_UNRELIABLE, numbered(number, 400));
    pair.run(TICK_US);
  }
  pair.run(500_000);
  pair.link.loss = 0;
  return pair;
}

function sparesOf(pair: VirtualPair): number {
  const stats = new ProtocolStats();
  pair.client.protocol.stats(0, stats);
  return stats.spares;
}

t.test('a spare copy also rides in an acknowledgement, when nothing else is sent', async (t) => {
  const pair = lossy();
  const { client, server } = pair;
  const before = sparesOf(pair);
  const sentUs: number[] = [];
  let slowestUs = 0;
  server.onMessage = ({ mode, bytes, atUs }) => {
    if (mode === MODE_RELIABLE_ORDERED) {
      slowestUs = Math.max(slowestUs, atUs - (sentUs[numberOf(bytes)] as number));
    }
  };
  for (let number = 0; number < 20; number += 1) {
    const mark = Buffer.from(numbered(number, 60));
    let copies = 0;
    // The first packet with the message is lost.
    pair.loses = (from, bytes) =>
      from === client && Buffer.from(bytes).includes(mark) && ++copies === 1;
    sentUs[number] = pair.timeUs;
    pair.send(client, 0, MODE_RELIABLE_ORDERED, numbered(number, 60));
    for (let tick = 0; tick < 12; tick += 1) {
      pair.send(server, 1, MODE_UNRELIABLE, numbered(tick, 400));
      pair.run(TICK_US);
    }
  }
  t.equal(server.delivered.filter((m) => m.mode === MODE_RELIABLE_ORDERED).length, 20);
  t.ok(sparesOf(pair) - before >= 20, `${sparesOf(pair) - before} copies`);
  t.ok(
    slowestUs <= DELAY_US + 25_000 + 2 * TICK_US,
    `slowest ${slowestUs} µs: the way, an ack delay, two ticks`,
  );
});
