import t from 'tap';
import { openPair } from './peers.js';

t.test('a handshake opens the flow on both sides and payloads are echoed in order', async (t) => {
  const { server, client, atServer, atClient } = await openPair();
  t.equal(server.opened.length, 1);
  t.same(client.opened, [atClient]);
  server.echo = true;
  for (let length = 1; length <= 1200; length += 109) {
    client.send(atClient, new Uint8Array(length).fill(length & 0xff));
  }
  client.endpoint.flush();
  await client.until(() => client.payloads.length === 12);
  for (let i = 0; i < 12; i++) {
    const length = 1 + 109 * i;
    t.same(client.payloads[i], new Uint8Array(length).fill(length & 0xff));
  }
  const stats = new Float64Array(6);
  t.ok(server.endpoint.flowStats(atServer.slot, atServer.generation, stats));
  t.ok(stats[0] >= 12);
  const { host, port } = client.endpoint.address();
  const address = server.endpoint.flowAddress(atServer.slot, atServer.generation);
  t.equal(address, `${host}:${port}`);
  client.endpoint.close();
  await server.until(() => server.closed.length === 1);
  t.equal(server.closed[0].reason, 1, 'the client said goodbye');
  server.endpoint.close();
});
