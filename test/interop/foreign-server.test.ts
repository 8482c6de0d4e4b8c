/** Our client at foreign servers, over loopback sockets. */

import t from 'tap';
import { OurEndpoint } from './our-endpoint.js';
import { ourToken } from './our-tokens.js';
import { buildPeers, type ForeignPeer } from './peer-build.js';
import { PeerProcess } from './peer-process.js';
import { Relay } from './relay.js';
import {
  checkLossy,
  EVERY_SIZE,
  FILE_TIMEOUT_MS,
  foreignToken,
  LOOPBACK,
  LOSSY,
  LOSSY_TIMEOUT_S,
  PARALLEL_TESTS,
  PAYLOAD_BYTES_MAX,
  PAYLOAD_COUNT,
  PROTOCOL_ID,
  SHORT_TIMEOUT_S,
  type TokenFields,
  toHex,
  tokenFields,
} from './world.js';

type Test = Pick<typeof t, 'teardown'>;

t.setTimeout(FILE_TIMEOUT_MS);
t.jobs = PARALLEL_TESTS;

const { peers, skipReason } = await buildPeers();
if (skipReason !== null) t.plan(0, skipReason);

interface Foreign {
  readonly process: PeerProcess;
  readonly address: string;
}

async function startServer(
  t: Test,
  peer: ForeignPeer,
  privateKey: Uint8Array,
  { maxClients = 4, bind = LOOPBACK } = {},
): Promise<Foreign> {
  const process = new PeerProcess(peer, 'server', {
    bind,
    'protocol-id': PROTOCOL_ID.toString(),
    key: toHex(privateKey),
    'max-clients': maxClients.toString(),
  });
  t.teardown(() => process.kill());
  const { port } = await process.next('ready');
  return { process, address: `127.0.0.1:${port}` };
}

function startClient(t: Test): OurEndpoint {
  const client = OurEndpoint.client();
  t.teardown(() => client.close());
  return client;
}

for (const peer of peers) {
  const makers = [
    { maker: 'ours', make: (fields: TokenFields) => ourToken(fields) },
    { maker: `of ${peer.name}`, make: (fields: TokenFields) => foreignToken(peer, fields) },
  ];

  for (const { maker, make } of makers) {
    t.test(`${peer.name} server and a token ${maker}: every size, both ways`, async (t) => {
      const secret = tokenFields();
      const { process: server, address } = await startServer(t, peer, secret.privateKey);
      const fields = { ...secret, server: address };
      const client = startClient(t);
      const flow = client.connect(await make(fields));
      await client.next('opened');
      const connected = await server.next('connected');
      t.equal(connected.flow, fields.clientId.toString(), 'the client id arrives');
      t.equal(connected.userData, toHex(fields.userData), 'the user data arrives');

      client.drive(flow, PAYLOAD_COUNT, 4, PAYLOAD_BYTES_MAX);
      const driven = { sent: PAYLOAD_COUNT, matched: PAYLOAD_COUNT };
      t.match(await client.next('driven'), driven, 'the foreign server echoes every size');
      server.command(`drive ${PAYLOAD_COUNT} 5 ${PAYLOAD_BYTES_MAX}`);
      t.match(await server.next('driven'), driven, 'our client echoes every size');

      client.disconnect(flow);
      t.match(await client.next('closed'), { reason: 'local' });
      const gone = await server.next('disconnected');
      t.match(gone, { reason: 'client disconnect', echoed: PAYLOAD_COUNT });
    });
  }

  t.test(`our client at a ${peer.name} server on a path that loses and repeats`, async (t) => {
    const secret = tokenFields({ timeoutSeconds: LOSSY_TIMEOUT_S });
    const { process: server, address } = await startServer(t, peer, secret.privateKey);
    const relay = await Relay.open(address, LOSSY);
    t.teardown(() => relay.close());
    const client = startClient(t);
    const flow = client.connect(ourToken({ ...secret, server: address, dial: relay.address }));
    await client.next('opened');
    await server.next('connected');
    client.stream(flow, PAYLOAD_COUNT, 15, PAYLOAD_BYTES_MAX);
    await client.next('stream-sent');
    relay.mend();
    client.drive(flow, EVERY_SIZE, 16, PAYLOAD_BYTES_MAX);
    checkLossy(t, await client.next('streamed'));
    t.match(await client.next('driven'), { matched: EVERY_SIZE }, 'the connection lives');

    relay.impair(LOSSY);
    server.command(`stream ${PAYLOAD_COUNT} 17 ${PAYLOAD_BYTES_MAX}`);
    await server.next('stream-sent');
    relay.mend();
    server.command(`drive ${EVERY_SIZE} 18 ${PAYLOAD_BYTES_MAX}`);
    checkLossy(t, await server.next('streamed'));
    t.match(await server.next('driven'), { matched: EVERY_SIZE });
    t.ok(client.counter('replayed') > 0, 'what came twice was dropped once');
  });

  t.test(`our client is told when a ${peer.name} server disconnects it`, async (t) => {
    const secret = tokenFields();
    const { process: server, address } = await startServer(t, peer, secret.privateKey);
    const client = startClient(t);
    client.connect(ourToken({ ...secret, server: address }));
    await client.next('opened');
    await server.next('connected');
    server.command('disconnect');
    t.match(await client.next('closed'), { reason: 'peer-disconnect' });
  });

  t.test(`our client cannot use a token again at a ${peer.name} server`, async (t) => {
    const secret = tokenFields({ timeoutSeconds: SHORT_TIMEOUT_S });
    const { process: server, address } = await startServer(t, peer, secret.privateKey);
    const token = ourToken({ ...secret, server: address });
    const first = startClient(t);
    const flow = first.connect(token);
    await first.next('opened');
    await server.next('connected');
    const second = startClient(t);
    second.connect(token);
    t.match(await second.next('closed'), { reason: 'request-timeout' });

    // More than its timeout has passed without a payload.
    first.disconnect(flow);
    const gone = await server.next('disconnected');
    t.equal(gone.reason, 'client disconnect', 'the first was kept alive meanwhile');
    const third = startClient(t);
    third.connect(token);
    t.match(await third.next('closed'), { reason: 'request-timeout' });
    t.notOk(server.has('connected'));
  });

  const strangers = [
    { what: 'protocol id', change: { protocolId: PROTOCOL_ID + 1n } },
    { what: 'private key', change: { privateKey: new Uint8Array(32) } },
  ];
  for (const { what, change } of strangers) {
    t.test(`a ${peer.name} server does not answer our token of another ${what}`, async (t) => {
      const secret = tokenFields({ timeoutSeconds: SHORT_TIMEOUT_S });
      const { process: server, address } = await startServer(t, peer, secret.privateKey);
      const client = startClient(t);
      client.connect(ourToken({ ...secret, ...change, server: address }));
      t.match(await client.next('closed'), { reason: 'request-timeout' });
      t.notOk(server.has('connected'));
    });
  }

  t.test(`our client is denied by a full ${peer.name} server`, async (t) => {
    const secret = tokenFields();
    const { process: server, address } = await startServer(t, peer, secret.privateKey, {
      maxClients: 1,
    });
    const first = startClient(t);
    first.connect(ourToken({ ...secret, server: address }));
    await first.next('opened');
    await server.next('connected');
    const second = startClient(t);
    second.connect(ourToken({ ...tokenFields(), privateKey: secret.privateKey, server: address }));
    t.match(await second.next('closed'), { reason: 'denied' });
  });

  t.test(`our client of a ${peer.name} server that starts again needs a new token`, async (t) => {
    const secret = tokenFields({ timeoutSeconds: SHORT_TIMEOUT_S });
    const first = await startServer(t, peer, secret.privateKey);
    const client = startClient(t);
    client.connect(ourToken({ ...secret, server: first.address }));
    await client.next('opened');
    await first.process.next('connected');
    first.process.kill();
    await first.process.ended;
    const second = await startServer(t, peer, secret.privateKey, { bind: first.address });
    t.match(await client.next('closed'), { reason: 'timeout' });
    t.notOk(second.process.has('connected'), 'the old flow means nothing to the new server');
    client.connect(ourToken({ ...secret, server: second.address }));
    await client.next('opened');
    t.pass('the only flow of our endpoint is free again');
  });

  t.test(`a partition ends our client's flow and that of the ${peer.name} server`, async (t) => {
    const secret = tokenFields({ timeoutSeconds: SHORT_TIMEOUT_S });
    const { process: server, address } = await startServer(t, peer, secret.privateKey);
    const relay = await Relay.open(address);
    t.teardown(() => relay.close());
    const client = startClient(t);
    client.connect(ourToken({ ...secret, server: address, dial: relay.address }));
    await client.next('opened');
    await server.next('connected');
    relay.cut();
    t.match(await client.next('closed'), { reason: 'timeout' });
    t.match(await server.next('disconnected'), { reason: 'timed out' });
  });

  t.test(`our client skips a dead server of its token for a ${peer.name} server`, async (t) => {
    const secret = tokenFields({ timeoutSeconds: SHORT_TIMEOUT_S });
    const dead = await startServer(t, peer, secret.privateKey);
    dead.process.kill();
    await dead.process.ended;
    const { process: server, address } = await startServer(t, peer, secret.privateKey);
    const client = startClient(t);
    client.connect(ourToken({ ...secret, server: `${dead.address},${address}` }));
    await client.next('opened');
    t.equal((await server.next('connected')).flow, secret.clientId.toString());
  });
}
