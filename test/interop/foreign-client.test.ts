/** Foreign clients at our server, over loopback sockets. */

import t from 'tap';
import { OurEndpoint, type ServerSettings } from './our-endpoint.js';
import { ourToken } from './our-tokens.js';
import { payloadLength } from './payloads.js';
import { buildPeers, type ForeignPeer } from './peer-build.js';
import { PeerProcess } from './peer-process.js';
import { Relay } from './relay.js';
import {
  checkLossy,
  EVERY_SIZE,
  FILE_TIMEOUT_MS,
  foreignToken,
  hasIpv6Loopback,
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
  whenFree,
} from './world.js';

type Test = typeof t;

t.setTimeout(FILE_TIMEOUT_MS);
t.jobs = PARALLEL_TESTS;

const { peers, skipReason } = await buildPeers();
if (skipReason !== null) t.plan(0, skipReason);

function startServer(t: Pick<Test, 'teardown'>, settings: ServerSettings): OurEndpoint {
  const server = OurEndpoint.server(settings);
  t.teardown(() => server.close());
  return server;
}

function startClient(
  t: Pick<Test, 'teardown'>,
  peer: ForeignPeer,
  token: Uint8Array,
  bind = LOOPBACK,
): PeerProcess {
  const client = new PeerProcess(peer, 'client', { bind, token: toHex(token) });
  t.teardown(() => client.kill());
  return client;
}

for (const peer of peers) {
  const makers = [
    { maker: 'ours', make: (fields: TokenFields) => ourToken(fields) },
    { maker: `of ${peer.name}`, make: (fields: TokenFields) => foreignToken(peer, fields) },
  ];

  for (const { maker, make } of makers) {
    t.test(`${peer.name} client with a token ${maker}: every size, both ways`, async (t) => {
      const fields = tokenFields();
      const server = startServer(t, { privateKey: fields.privateKey });
      const client = startClient(t, peer, await make({ ...fields, server: server.address }));
      const opened = await server.nextOpened();
      t.equal(opened.clientId, fields.clientId, 'the client id arrives');
      t.equal(opened.userData, toHex(fields.userData), 'the user data arrives');
      t.equal(opened.timeoutSeconds, fields.timeoutSeconds, 'the timeout arrives');
      await client.next('connected');

      client.command(`drive ${PAYLOAD_COUNT} 1 ${PAYLOAD_BYTES_MAX}`);
      const driven = { sent: PAYLOAD_COUNT, matched: PAYLOAD_COUNT };
      t.match(await client.next('driven'), driven, 'our server echoes every size');
      server.drive(opened, PAYLOAD_COUNT, 2, PAYLOAD_BYTES_MAX);
      t.match(await server.next('driven'), driven, 'the foreign client echoes every size');

      client.command('disconnect');
      t.match(await server.next('closed'), { reason: 'peer-disconnect' });
      t.match(await client.next('disconnected'), { echoed: PAYLOAD_COUNT });
    });
  }

  t.test(`${peer.name} client at our server on a path that loses and repeats`, async (t) => {
    const fields = tokenFields({ timeoutSeconds: LOSSY_TIMEOUT_S });
    const server = startServer(t, { privateKey: fields.privateKey });
    const relay = await Relay.open(server.address, LOSSY);
    t.teardown(() => relay.close());
    const token = ourToken({ ...fields, server: server.address, dial: relay.address });
    const client = startClient(t, peer, token);
    const opened = await server.nextOpened();
    await client.next('connected');
    client.command(`stream ${PAYLOAD_COUNT} 11 ${PAYLOAD_BYTES_MAX}`);
    await client.next('stream-sent');
    relay.mend();
    client.command(`drive ${EVERY_SIZE} 12 ${PAYLOAD_BYTES_MAX}`);
    checkLossy(t, await client.next('streamed'));
    t.match(await client.next('driven'), { matched: EVERY_SIZE }, 'the connection lives');

    relay.impair(LOSSY);
    server.stream(opened, PAYLOAD_COUNT, 13, PAYLOAD_BYTES_MAX);
    await server.next('stream-sent');
    relay.mend();
    server.drive(opened, EVERY_SIZE, 14, PAYLOAD_BYTES_MAX);
    checkLossy(t, await server.next('streamed'));
    t.match(await server.next('driven'), { matched: EVERY_SIZE });
    t.ok(relay.counts.lost > 0 && relay.counts.repeated > 0);
    t.ok(server.counter('replayed') > 0, 'what came twice was dropped once');
  });

  t.test(`a ${peer.name} client of a server that starts again needs a new token`, async (t) => {
    const fields = tokenFields({ timeoutSeconds: SHORT_TIMEOUT_S });
    const { privateKey } = fields;
    const first = OurEndpoint.server({ privateKey });
    const { address } = first;
    const relay = await Relay.open(address);
    t.teardown(() => relay.close());
    const token = ourToken({ ...fields, server: address, dial: relay.address });
    const client = startClient(t, peer, token);
    await first.nextOpened();
    await client.next('connected');
    relay.cut(); // a server that crashes says nothing
    first.close();
    const port = Number(address.split(':').pop());
    const again = { privateKey, port, maxTokenLifetimeS: fields.expireSeconds };
    const second = await whenFree(() => startServer(t, again));
    relay.mend();
    t.match(await client.next('disconnected'), { reason: peer.reasons.timedOut });
    t.ok(second.counter('unknown-address') > 0, 'the old flow means nothing to the new server');

    const late = startClient(t, peer, token);
    t.match(await late.next('disconnected'), { reason: peer.reasons.requestTimedOut });
    // Both servers are of this process: while the first one's memory of tokens is still there, the second
    // shares it and knows the token as used.
    const asOld = second.counter('token-before-start');
    t.ok(asOld + second.counter('token-consumed') > 0, 'nor does the old token');
    t.notOk(second.has('opened'));
    const fresh = startClient(t, peer, ourToken({ ...fields, server: address }));
    await second.nextOpened();
    await fresh.next('connected');
  });

  t.test(`${peer.name} client at our server under the tick driver`, async (t) => {
    const fields = tokenFields();
    const tick = { driver: 'tick', tickIntervalUs: 2000 } as const;
    const server = startServer(t, { privateKey: fields.privateKey, ...tick });
    const client = startClient(t, peer, ourToken({ ...fields, server: server.address }));
    await server.nextOpened();
    await client.next('connected');
    client.command(`drive ${EVERY_SIZE} 6 ${PAYLOAD_BYTES_MAX}`);
    t.match(await client.next('driven'), { matched: EVERY_SIZE });
  });

  t.test(`${peer.name} client is told when our server disconnects it`, async (t) => {
    const fields = tokenFields();
    const server = startServer(t, { privateKey: fields.privateKey });
    const client = startClient(t, peer, ourToken({ ...fields, server: server.address }));
    const opened = await server.nextOpened();
    await client.next('connected');
    server.disconnect(opened);
    t.match(await server.next('closed'), { reason: 'local' });
    t.match(await client.next('disconnected'), { reason: peer.reasons.endedByServer });
  });

  t.test(`${peer.name} client cannot use a token again`, async (t) => {
    const fields = tokenFields({ timeoutSeconds: SHORT_TIMEOUT_S });
    const server = startServer(t, { privateKey: fields.privateKey });
    const token = ourToken({ ...fields, server: server.address });
    const first = startClient(t, peer, token);
    const { port } = await first.next('ready');
    await server.nextOpened();
    await first.next('connected');

    const second = startClient(t, peer, token);
    t.match(await second.next('disconnected'), { reason: peer.reasons.requestTimedOut });
    t.ok(server.counter('token-other-address') > 0, 'refused while its flow lives');

    // More than its timeout has passed without a payload.
    first.command('disconnect');
    t.match(await server.next('closed'), { reason: 'peer-disconnect' }, 'kept alive meanwhile');
    await first.ended;
    const third = startClient(t, peer, token, `127.0.0.1:${port}`);
    t.match(await third.next('disconnected'), { reason: peer.reasons.requestTimedOut });
    t.ok(server.counter('token-consumed') > 0, 'refused at its own address too');
    t.notOk(server.has('opened'), 'no second flow opened');
  });

  const strangers = [
    { what: 'protocol id', change: { protocolId: PROTOCOL_ID + 1n }, drop: 'request-protocol-id' },
    { what: 'private key', change: { privateKey: new Uint8Array(32) }, drop: 'token-open-failed' },
  ];
  for (const { what, change, drop } of strangers) {
    t.test(`${peer.name} client with a token of another ${what} gets no answer`, async (t) => {
      const fields = tokenFields({ timeoutSeconds: SHORT_TIMEOUT_S });
      const server = startServer(t, { privateKey: fields.privateKey });
      const token = await foreignToken(peer, { ...fields, ...change, server: server.address });
      const client = startClient(t, peer, token);
      t.match(await client.next('disconnected'), { reason: peer.reasons.requestTimedOut });
      t.ok(server.counter(drop) > 0, `counted as ${drop}`);
      t.notOk(server.has('opened'));
    });
  }

  t.test(`${peer.name} client is denied by our full server`, async (t) => {
    const fields = tokenFields();
    const server = startServer(t, { privateKey: fields.privateKey, maxFlows: 1 });
    const first = startClient(t, peer, ourToken({ ...fields, server: server.address }));
    await server.nextOpened();
    await first.next('connected');
    const other = { ...tokenFields(), privateKey: fields.privateKey, server: server.address };
    const second = startClient(t, peer, ourToken(other));
    t.match(await second.next('disconnected'), { reason: peer.reasons.denied });
    t.ok(server.counter('server-full') > 0);
  });

  t.test(`a ${peer.name} client that crashed frees its flow`, async (t) => {
    const fields = tokenFields({ timeoutSeconds: SHORT_TIMEOUT_S });
    const server = startServer(t, { privateKey: fields.privateKey, maxFlows: 1 });
    const client = startClient(t, peer, ourToken({ ...fields, server: server.address }));
    const opened = await server.nextOpened();
    await client.next('connected');
    client.kill();
    t.match(await server.next('closed'), { reason: 'timeout' });

    const other = { ...tokenFields(), privateKey: fields.privateKey, server: server.address };
    const next = startClient(t, peer, ourToken(other));
    const reopened = await server.nextOpened();
    t.equal(reopened.clientId, other.clientId, 'the only flow is free again');
    t.equal(reopened.slot, opened.slot);
    t.not(reopened.generation, opened.generation, 'under a new generation');
    await next.next('connected');
  });

  t.test(`a partition ends our flow and the ${peer.name} client`, async (t) => {
    const fields = tokenFields({ timeoutSeconds: SHORT_TIMEOUT_S });
    const server = startServer(t, { privateKey: fields.privateKey });
    const relay = await Relay.open(server.address);
    t.teardown(() => relay.close());
    const token = ourToken({ ...fields, server: server.address, dial: relay.address });
    const client = startClient(t, peer, token);
    await server.nextOpened();
    await client.next('connected');
    relay.cut();
    t.match(await server.next('closed'), { reason: 'timeout' });
    t.match(await client.next('disconnected'), { reason: peer.reasons.timedOut });
  });

  t.test(`a second login of a ${peer.name} client replaces the first`, async (t) => {
    const fields = tokenFields();
    const server = startServer(t, { privateKey: fields.privateKey });
    const first = startClient(t, peer, ourToken({ ...fields, server: server.address }));
    const old = await server.nextOpened();
    await first.next('connected');
    const second = startClient(t, peer, ourToken({ ...fields, server: server.address }));
    const replaced = await server.next('replaced');
    t.match(replaced, { slot: old.slot, generation: old.generation });
    await server.nextOpened();
    server.disconnect(old);
    t.match(await server.next('closed'), { slot: old.slot, reason: 'replaced' });
    t.match(await first.next('disconnected'), { reason: peer.reasons.endedByServer });
    await second.next('connected');
  });

  if (peer.hasStandardIpv6) {
    const skip = hasIpv6Loopback() ? false : 'no IPv6 loopback here';
    t.test(`${peer.name} client reaches our server over IPv6`, { skip }, async (t) => {
      const fields = tokenFields();
      const server = startServer(t, { privateKey: fields.privateKey, host: '::1' });
      for (const make of [ourToken, (f: TokenFields) => foreignToken(peer, f)]) {
        const token = await make({ ...fields, server: server.address });
        const client = startClient(t, peer, token, '[::1]:0');
        await server.nextOpened();
        await client.next('connected');
        client.command(`drive ${EVERY_SIZE} 8 ${PAYLOAD_BYTES_MAX}`);
        t.match(await client.next('driven'), { matched: EVERY_SIZE });
        client.command('disconnect');
        t.match(await server.next('closed'), { reason: 'peer-disconnect' });
      }
    });
  }

  if (peer.maxPayloadBytes > PAYLOAD_BYTES_MAX) {
    t.test(`${peer.name} payloads over 1200 B need a server that allows them`, async (t) => {
      const count = 40;
      const sizes = Array.from({ length: count }, (_, i) => payloadLength(i, peer.maxPayloadBytes));
      for (const maxPayloadBytes of [PAYLOAD_BYTES_MAX, peer.maxPayloadBytes]) {
        const fields = tokenFields();
        const server = startServer(t, { privateKey: fields.privateKey, maxPayloadBytes });
        server.echoes = false;
        const client = startClient(t, peer, ourToken({ ...fields, server: server.address }));
        await server.nextOpened();
        await client.next('connected');
        client.command(`send ${count} 3 ${peer.maxPayloadBytes}`);
        client.command('disconnect');
        await server.next('closed');
        const allowed = sizes.filter((size) => size <= maxPayloadBytes);
        t.same(server.received, allowed, `limit ${maxPayloadBytes} B`);
      }
    });
  }
}
