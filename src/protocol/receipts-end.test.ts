/** Receipts where the sender falls silent, or the receiver closes. Both were found by the simulator. */
import t from 'tap';
import { numbered, VirtualPair } from '../../test/support/virtual-net.js';
import {
  MODE_RELIABLE_UNORDERED,
  MODE_UNRELIABLE_SEQUENCED,
  RECEIPT_ACKED,
  RECEIPT_LOST,
} from './protocol.js';

function connected(): VirtualPair {
  const pair = new VirtualPair();
  pair.connect();
  pair.run(300_000);
  return pair;
}

t.test('a message whose copies never had a packet to ride in answers LOST', async (t) => {
  const pair = connected();
  const { client } = pair;
  const options = { receipt: 1, redundancy: 3 };
  pair.link.blackholes.push({ fromUs: pair.timeUs, toUs: pair.timeUs + 10_000 });
  pair.send(client, 1, MODE_UNRELIABLE_SEQUENCED, numbered(1, 50), options);
  pair.run(5_000_000);
  t.same(
    client.receipts.map(({ receipt, code }) => [receipt, code]),
    [[1, RECEIPT_LOST]],
  );
  pair.send(client, 1, MODE_UNRELIABLE_SEQUENCED, numbered(2, 50), { receipt: 2 });
  pair.run(500_000);
  t.same(client.receipts[1].code, RECEIPT_ACKED);
  t.equal(client.receipts.length, 2);
  t.equal(client.protocol.pools().messages, 0, 'nothing is kept');
});

t.test('CLOSE acknowledges no message that its application was not given', async (t) => {
  const pair = connected();
  const { client, server } = pair;
  server.onMessage = () => server.protocol.close(0, pair.nowUs, 4000, null);
  for (const receipt of [1, 2, 3]) {
    const bytes = numbered(receipt, 50);
    pair.send(client, 1, MODE_RELIABLE_UNORDERED, bytes, { receipt });
  }
  pair.run(500_000);
  t.equal(server.delivered.length, 1);
  t.same(client.closed, { code: 4000, reason: '' });
  t.same(client.receipts, [], 'all three travelled in one packet');
});
