import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import t from 'tap';
import { Endpoint } from '../../src/addon/endpoint.js';
import { createConnectToken, generateKey } from '../../src/addon/tokens.js';
import { TransportError } from '../../src/util/errors.js';
import { counterOf, openClient, openPair, openServer, PROTOCOL_ID, tokenFor } from './peers.js';

const nothing = () => {};

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof TransportError ? error.code : `not typed: ${String(error)}`;
  }
  return 'nothing thrown';
}

t.test('a second server on the port is told that the address is in use', async (t) => {
  const { server, key } = openServer();
  const { port } = server.endpoint.address();
  const again = { protocolId: PROTOCOL_ID, privateKey: key, host: '127.0.0.1', port };
  t.equal(
    codeOf(() => Endpoint.openServer(again, nothing)),
    'address-in-use',
  );
  t.equal(
    codeOf(() => Endpoint.openServer({ ...again, host: '0.0.0.0' }, nothing)),
    'address-in-use',
  );
  t.equal(
    codeOf(() => Endpoint.openClient({ host: '127.0.0.1', port }, nothing)),
    'address-in-use',
  );
  // Nor does asking to reuse the address help another program.
  const foreign = createSocket({ type: 'udp4', reuseAddr: true });
  foreign.bind(port, '127.0.0.1');
  const [error] = await once(foreign, 'error');
  t.equal(error.code, 'EADDRINUSE');
  foreign.close();
  server.endpoint.close();
  // The sockets go in libuv's close callbacks, at the end of this round of the loop.
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  const { server: next } = openServer({ port });
  t.equal(next.endpoint.address().port, port, 'free again after the close');
  next.endpoint.close();
});

t.test('every bad argument has its own code', async (t) => {
  const key = generateKey();
  const good = { protocolId: PROTOCOL_ID, privateKey: key };
  const server = (more: object) => codeOf(() => Endpoint.openServer({ ...good, ...more }, nothing));
  t.equal(server({ privateKey: key.subarray(1) }), 'bad-key');
  t.equal(server({ host: 'localhost' }), 'bad-address');
  t.equal(server({ host: '192.0.2.1' }), 'bad-address');
  t.equal(server({ port: 65_536 }), 'bad-option');
  t.equal(server({ port: -1 }), 'bad-option');
  t.equal(server({ protocolId: -1n }), 'bad-option');
  t.equal(server({ protocolId: 2n ** 64n }), 'bad-option');
  t.equal(server({ protocolId: 'seven' }), 'bad-option');
  t.equal(server({ serverAddresses: ['nowhere'] }), 'bad-address');
  t.equal(server({ maxFlows: 0 }), 'bad-option');
  t.equal(server({ driver: 'tick' }), 'bad-option');
  t.equal(server({ driver: 'sometimes' }), 'bad-option');
  t.equal(server({ clockOffsetUs: 0.5 }), 'bad-option');
  t.equal(server({ maxPayloadBytes: 1301 }), 'bad-option');
  t.equal(server({ rings: { rxCapacity: 100 } }), 'bad-option');
  t.equal(server({ rings: { txArenaBytes: 1024 } }), 'bad-option');
  t.equal(
    codeOf(() => Endpoint.openServer(good, 7 as never)),
    'bad-option',
  );
});

t.test('bad tokens are refused when they are made and when they are used', async (t) => {
  const { server, key } = openServer();
  const client = openClient();
  const token = tokenFor(server, key);
  const connect = (bytes: Uint8Array) => codeOf(() => client.endpoint.connect(bytes));
  t.equal(connect(token.subarray(1)), 'bad-token');
  t.equal(connect(new Uint8Array(2048)), 'bad-token');
  t.equal(connect(new Uint8Array(0)), 'bad-token');
  t.equal(connect('token' as never), 'bad-option');
  t.equal(
    codeOf(() => server.endpoint.connect(token)),
    'bad-option',
  );
  const make = (more: object) =>
    codeOf(() =>
      createConnectToken({
        protocolId: 1n,
        privateKey: key,
        clientId: 1n,
        serverAddresses: ['127.0.0.1:1'],
        expireSeconds: 30,
        timeoutSeconds: 5,
        ...more,
      }),
    );
  t.equal(make({}), 'nothing thrown');
  t.equal(make({ privateKey: new Uint8Array(31) }), 'bad-key');
  t.equal(make({ serverAddresses: [] }), 'bad-token');
  t.equal(make({ serverAddresses: ['127.0.0.1'] }), 'bad-address');
  t.equal(make({ userData: new Uint8Array(257) }), 'bad-option');
  t.equal(make({ expireSeconds: -1 }), 'bad-option');
  client.endpoint.close();
  t.equal(connect(token), 'closed');
  server.endpoint.close();
});

t.test('a token under another key is dropped, counted, and times out at the client', async (t) => {
  const { server } = openServer();
  const client = openClient();
  client.endpoint.connect(tokenFor(server, generateKey(), 1n, undefined, 1));
  await client.until(() => client.closed.length > 0);
  t.equal(client.closed[0].reason, 7, 'request-timeout');
  t.ok(counterOf(server.endpoint, 'token-open-failed') > 0);
  t.equal(server.opened.length, 0);
  client.endpoint.close();
  server.endpoint.close();
});

t.test('hostile datagrams of every length leave the server working and counted', async (t) => {
  const { server, client, atClient } = await openPair({ receiveBufferBytes: 1 << 20 });
  const { port } = server.endpoint.address();
  const socket = createSocket('udp4');
  const before = counterOf(server.endpoint, 'socket-datagrams-in');
  let sent = 0;
  const seen = () => counterOf(server.endpoint, 'socket-datagrams-in') - before;
  for (const first of [0x00, 0x15, 0x97, 0xff]) {
    for (let length = 0; length <= 1500; length++) {
      const bytes = new Uint8Array(length).fill(0x5a);
      if (length > 0) bytes[0] = first;
      socket.send(bytes, port, '127.0.0.1');
      sent++;
      // In step with the server, so that no buffer in between has to hold them all.
      if (sent % 50 === 0) await server.until(() => seen() >= sent);
    }
  }
  await server.until(() => seen() >= sent);
  const drops = Object.values(server.endpoint.drops()).reduce((sum, count) => sum + count, 0);
  t.ok(drops >= sent, `${drops} drops of ${sent}`);
  t.equal(server.opened.length, 1, 'nothing opened');
  server.echo = true;
  client.send(atClient, new Uint8Array([42]));
  client.endpoint.flush();
  await client.until(() => client.payloads.length === 1);
  t.same(client.payloads[0], new Uint8Array([42]));
  socket.close();
  client.endpoint.close();
  server.endpoint.close();
});

t.test('a flood of handshakes takes nothing from the flows', async (t) => {
  const { server, key } = openServer({ driver: 'tick', tickIntervalUs: 1_000 });
  t.equal(server.endpoint.features().handshakeSocket, true);
  const client = openClient();
  const flow = client.endpoint.connect(tokenFor(server, key));
  await client.until(() => client.opened.length > 0);
  await server.until(() => server.opened.length > 0);
  // From here the server takes its turns by hand, far from the next tick.
  server.endpoint.setTickIntervalUs(1e9);
  server.turn(0);
  const { port } = server.endpoint.address();
  const socket = createSocket('udp4');
  const request = new Uint8Array(1078);
  for (let i = 0; i < 2_000; i++) {
    await new Promise((resolve) => socket.send(request, port, '127.0.0.1', resolve));
  }
  client.send(flow, new Uint8Array([7]));
  client.endpoint.flush();
  const before = counterOf(server.endpoint, 'socket-datagrams-in');
  server.endpoint.drain();
  const taken = counterOf(server.endpoint, 'socket-datagrams-in') - before;
  t.ok(taken > 1 && taken < 80, `${taken} datagrams in one turn`);
  t.equal(server.endpoint.more, true);
  server.turn(0);
  t.same(server.payloads, [new Uint8Array([7])], 'the payload came in the first of them');
  socket.close();
  client.endpoint.close();
  server.endpoint.close();
});
