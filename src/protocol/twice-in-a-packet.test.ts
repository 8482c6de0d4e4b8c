/** One message twice in one packet: a copy and a resend may meet there. Found by the simulator. */
import t from 'tap';
import { VirtualPair } from '../../test/support/virtual-net.js';
import { MODE_RELIABLE_ORDERED, ROLE_SERVER } from './protocol.js';

const BYTES = 520;

/** A whole ordered message on channel 1; with `isLast` to the end of the packet. */
function ordered(id: number, isLast: boolean): Uint8Array {
  const type = 0x99 | (isLast ? 0x20 : 0);
  const length = isLast ? [] : [(BYTES & 0x7f) | 0x80, BYTES >> 7];
  return Uint8Array.from([type, id & 0xff, id >> 8, ...length, ...new Uint8Array(BYTES).fill(id)]);
}

t.test('what is held counts once against the receive budget', async (t) => {
  const pair = new VirtualPair({ limits: { messageBytes: 1024, receiveBudgetBytes: 1024 } });
  pair.connect();
  pair.run(200_000);
  const { protocol } = pair.server;
  const packet = Uint8Array.from([0x40, 0x88, 0x13, ...ordered(1, false), ...ordered(1, true)]);
  // A flow of its own, so that nothing else has numbers in it.
  protocol.openFlow(1, ROLE_SERVER, pair.nowUs, 1200);
  const params = firstPayload();
  t.equal(protocol.handlePacket(1, pair.nowUs, pair.nowUs, params, 0, params.length), 0);
  t.equal(protocol.handlePacket(1, pair.nowUs, pair.nowUs, packet, 0, packet.length), 0);
  pair.server.drainEvents(pair.nowUs);
  t.same(pair.server.violations, []);
  const first = Uint8Array.from([0x40, 0x89, 0x13, ...ordered(0, true)]);
  t.equal(protocol.handlePacket(1, pair.nowUs, pair.nowUs, first, 0, first.length), 0);
  pair.server.drainEvents(pair.nowUs);
  const modes = pair.server.delivered.map(({ mode, bytes }) => [mode, bytes[0]]);
  t.same(modes, [
    [MODE_RELIABLE_ORDERED, 0],
    [MODE_RELIABLE_ORDERED, 1],
  ]);
});

/** PARAMS of a client with the limits of this test. */
function firstPayload(): Uint8Array {
  const pair = new VirtualPair({ limits: { messageBytes: 1024, receiveBudgetBytes: 1024 } });
  const bytes = new Uint8Array(1300);
  const length = pair.client.protocol.pollTransmit(pair.nowUs, bytes, 0, bytes.length);
  return bytes.slice(0, length);
}
