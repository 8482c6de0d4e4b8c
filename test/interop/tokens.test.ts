/** Connect tokens: theirs read by us, ours read by them, and the reference's bytes made by us. */

import t from 'tap';
import { openPrivateToken, readConnectToken, sealConnectToken } from '../../src/addon/index.js';
import { ourToken } from './our-tokens.js';
import { buildPeers } from './peer-build.js';
import { askPeer } from './peer-process.js';
import { REFERENCE_INPUTS, readReferenceVector } from './reference-vectors.js';
import { FILE_TIMEOUT_MS, foreignToken, toHex, tokenFields } from './world.js';

t.setTimeout(FILE_TIMEOUT_MS);

const { peers, skipReason } = await buildPeers();
if (skipReason !== null) t.plan(0, skipReason);

const IPV4 = ['192.0.2.7:40000', '198.51.100.9:65535'];
const IPV6 = '[2001:db8::1:203]:40001';

for (const peer of peers) {
  const servers = peer.hasStandardIpv6 ? [...IPV4, IPV6] : IPV4;

  t.test(`a ${peer.name} token opens under our API, field by field`, async (t) => {
    const fields = tokenFields({ clientId: 0xffff_ffff_ffff_fffen, server: servers.join(',') });
    const token = await foreignToken(peer, fields);
    const open = readConnectToken(token);
    t.equal(open.protocolId, fields.protocolId);
    t.equal(open.expireTimestamp - open.createTimestamp, BigInt(fields.expireSeconds));
    t.equal(open.timeoutSeconds, fields.timeoutSeconds);
    t.same(open.serverAddresses, servers);

    const secret = openPrivateToken(token, fields.privateKey);
    t.equal(secret.clientId, fields.clientId);
    t.equal(secret.timeoutSeconds, fields.timeoutSeconds);
    t.same(secret.serverAddresses, servers);
    t.equal(toHex(secret.userData), toHex(fields.userData));
    t.equal(toHex(secret.clientToServerKey), toHex(open.clientToServerKey));
    t.equal(toHex(secret.serverToClientKey), toHex(open.serverToClientKey));
    const otherKey = new Uint8Array(32);
    t.throws(() => openPrivateToken(token, otherKey), { code: 'bad-token' });
  });
}

// The other implementation reads the public part only when it connects (see foreign-client.test.ts).
for (const peer of peers.filter(({ name }) => name === 'renetcode')) {
  t.test(`${peer.name} reads the public part of our token, field by field`, async (t) => {
    const fields = tokenFields({ server: IPV4.join(','), dial: '127.0.0.1:9' });
    const token = ourToken(fields);
    const open = readConnectToken(token);
    const read = await askPeer(peer, 'read-token', 'public-token', { token: toHex(token) });
    t.match(read, {
      protocolId: fields.protocolId.toString(),
      createTimestamp: open.createTimestamp.toString(),
      expireTimestamp: open.expireTimestamp.toString(),
      timeoutSeconds: fields.timeoutSeconds.toString(),
      servers: '127.0.0.1:9',
      clientToServerKey: toHex(open.clientToServerKey),
      serverToClientKey: toHex(open.serverToClientKey),
      // Offsets of the standard: VERSION 13, three u64, then nonce and private part.
      nonce: toHex(token.subarray(37, 61)),
      privateData: toHex(token.subarray(61, 61 + 1024)),
    });
  });
}

for (const peer of peers.filter(({ hasStandardIpv6 }) => !hasStandardIpv6)) {
  t.test(`${peer.name} writes IPv6 addresses as octets, not as the standard's u16`, async (t) => {
    const fields = tokenFields({ server: IPV6 });
    const token = await foreignToken(peer, fields);
    const swapped = '[120:b80d::100:302]:40001';
    t.same(readConnectToken(token).serverAddresses, [swapped], 'so such a token misleads');
  });
}

if (peers.length > 0) {
  t.test('we make the byte-identical token of the C reference from its inputs', async (t) => {
    const token = sealConnectToken(REFERENCE_INPUTS);
    t.equal(toHex(token), toHex(await readReferenceVector('connect_token.bin')));
  });

  t.test('the token of the C reference opens under our API', async (t) => {
    const token = await readReferenceVector('connect_token.bin');
    const secret = openPrivateToken(token, REFERENCE_INPUTS.privateKey);
    t.equal(secret.clientId, REFERENCE_INPUTS.clientId);
    t.same(secret.serverAddresses, REFERENCE_INPUTS.serverAddresses);
    t.equal(toHex(secret.userData), toHex(REFERENCE_INPUTS.userData));
  });
}
