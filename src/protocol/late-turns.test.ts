/** Receivers that look at their socket once in a tick, and rates that fell. Found by the simulator. */
import t from 'tap';
import { numbered, VirtualPair } from '../../test/support/virtual-net.js';
import * as L from './layout.js';
import { MODE_RELIABLE_ORDERED } from './protocol.js';

function connected(maxAckDelayUs = 25_000): VirtualPair {
  const pair = new VirtualPair({ maxAckDelayUs });
  pair.connect();
  pair.run(300_000);
  return pair;
}

t.test('an acknowledgement waits from the arrival on, not from the turn', async (t) => {
  const pair = connected(55_000);
  const { client, server } = pair;
  pair.send(client, 0, MODE_RELIABLE_ORDERED, numbered(1, 50));
  const bytes = new Uint8Array(1300);
  const length = client.protocol.pollTransmit(pair.nowUs, bytes, 0, bytes.length);
  const turnUs = (pair.nowUs + 50_000) | 0;
  t.equal(server.protocol.handlePacket(0, turnUs, pair.nowUs, bytes, 0, length), 0);
  server.drainEvents(turnUs);
  t.ok(((server.protocol.deadlineUs - turnUs) | 0) <= 6_100, 'the peer was promised 55 ms');
});

t.test('what was sent ahead at a high rate is no debt for minutes at a low one', async (t) => {
  const pair = connected();
  const { flows } = (pair.client.protocol as unknown as { core: { flows: Int32Array } }).core;
  flows[L.F_RATE] = 4_096;
  flows[L.F_TOKENS] = -300_000;
  pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, numbered(1, 50));
  pair.run(4_000_000);
  t.equal(pair.server.delivered.length, 1);
});
