import t from 'tap';
import { type End, numbered, VirtualPair } from '../../test/support/virtual-net.js';
import { MODE_RELIABLE_ORDERED, MODE_UNRELIABLE_SEQUENCED, ProtocolStats } from './protocol.js';

function ageUs(end: End, nowUs: number): number {
  const stats = new ProtocolStats();
  end.protocol.stats(0, stats);
  return stats.hasUnsent ? (nowUs - stats.unsentSinceUs) | 0 : -1;
}

t.test('the oldest message that was not sent yet tells how long it has waited', async (t) => {
  // Nothing can be sent before PARAMS have come.
  const pair = new VirtualPair({ link: { blackholes: [{ fromUs: 0, toUs: 80_000 }] } });
  const { client } = pair;
  t.equal(ageUs(client, pair.nowUs), -1, 'nothing waits');
  pair.run(10_000);
  pair.send(client, 2, MODE_UNRELIABLE_SEQUENCED, numbered(0, 100), { expiresUs: 900_000 });
  t.equal(ageUs(client, pair.nowUs), -1, 'with an expiry of its own it is not known');
  pair.run(10_000);
  const sentUs = pair.nowUs;
  pair.send(client, 1, MODE_RELIABLE_ORDERED, numbered(0, 100));
  pair.run(20_000);
  pair.send(client, 2, MODE_UNRELIABLE_SEQUENCED, numbered(1, 100));
  pair.send(client, 3, MODE_RELIABLE_ORDERED, numbered(0, 40_000));
  t.equal(ageUs(client, pair.nowUs), (pair.nowUs - sentUs) | 0, 'the reliable one is the oldest');
  pair.run(3_000_000);
  t.equal(ageUs(client, pair.nowUs), -1, 'all of it is sent');
});

t.test('while a large message leaves piece by piece it counts', async (t) => {
  const pair = new VirtualPair();
  pair.connect();
  pair.run(300_000);
  const sentUs = pair.nowUs;
  pair.send(pair.client, 1, MODE_RELIABLE_ORDERED, numbered(0, 200_000));
  pair.run(5000);
  t.equal(ageUs(pair.client, pair.nowUs), (pair.nowUs - sentUs) | 0);
});
