import t from 'tap';
import { createConnectToken } from '../../src/addon/tokens.js';
import { Nat } from '../support/nat.js';
import { counterOf, openClient, openPair, openServer, PROTOCOL_ID } from './peers.js';

t.test('a client behind a NAT that forgets keeps its flow', async (t) => {
  const { server, key } = openServer();
  server.echo = true;
  const nat = await Nat.open(server.endpoint.address().port);
  const client = openClient();
  const token = createConnectToken({
    protocolId: PROTOCOL_ID,
    privateKey: key,
    clientId: 1n,
    serverAddresses: [`127.0.0.1:${server.endpoint.address().port}`],
    publicAddresses: [nat.address],
    expireSeconds: 30,
    timeoutSeconds: 5,
  });
  const flow = client.endpoint.connect(token);
  await client.until(() => counterOf(client.endpoint, 'nx-confirmed') === 1);
  const [atServer] = server.opened;
  const stats = new Float64Array(9);
  for (let round = 1; round <= 3; round++) {
    await nat.rebind();
    // Nothing is sent again here: a payload that is lost on its way back would be the end.
    client.send(flow, new Uint8Array([round]));
    client.endpoint.flush();
    await server.until(() => counterOf(server.endpoint, 'migrations') === round);
    t.equal(server.endpoint.flowAddress(atServer.slot, atServer.generation), nat.outside);
    client.send(flow, new Uint8Array([100 + round]));
    client.endpoint.flush();
    await client.until(() => client.payloads.some((payload) => payload[0] === 100 + round));
  }
  t.same(server.migrated, [1, 1, 1], 'only the port, each time');
  server.endpoint.flowStats(atServer.slot, atServer.generation, stats);
  t.equal(stats[6], 1, 'under NX keys');
  t.equal(stats[7], 3);
  t.equal(server.opened.length, 1);
  t.equal(server.closed.length, 0);
  client.endpoint.close();
  await server.until(() => server.closed.length === 1);
  server.endpoint.close();
  nat.close();
});

t.test('options say whether NX is spoken', async (t) => {
  const plain = await openPair({}, { nx: 'off' });
  const stats = new Float64Array(9);
  plain.client.send(plain.atClient, new Uint8Array([1]));
  plain.client.endpoint.flush();
  await plain.server.until(() => plain.server.payloads.length === 1);
  plain.server.endpoint.flowStats(plain.atServer.slot, plain.atServer.generation, stats);
  t.equal(stats[6], 0);
  t.equal(counterOf(plain.server.endpoint, 'hellos-in'), 0);
  plain.client.endpoint.close();
  plain.server.endpoint.close();

  const required = await openPair({ nx: 'require' }, { nx: 'require', x25519: true });
  t.equal(counterOf(required.client.endpoint, 'nx-confirmed'), 1, 'before the flow opens');
  required.client.endpoint.close();
  required.server.endpoint.close();

  t.throws(() => openServer({ nx: 'auto' as 'allow' }), { code: 'bad-option' });
  t.throws(() => openClient({ nx: 'allow' as 'auto' }), { code: 'bad-option' });
});
