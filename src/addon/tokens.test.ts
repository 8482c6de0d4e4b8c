import t from 'tap';
import {
  createConnectToken,
  generateKey,
  openPrivateToken,
  readConnectToken,
  sealConnectToken,
} from './tokens.js';

const privateKey = new Uint8Array(32).fill(9);

t.test('a token reads and opens as it was made', async (t) => {
  const token = createConnectToken({
    protocolId: 2n ** 64n - 1n,
    privateKey,
    clientId: 2n ** 63n,
    serverAddresses: ['192.0.2.1:40000', '[2001:db8::1]:40001'],
    publicAddresses: ['198.51.100.7:50000'],
    expireSeconds: 45,
    timeoutSeconds: -1,
    userData: new Uint8Array([1, 2, 3]),
  });
  t.equal(token.length, 2048);
  const open = readConnectToken(token);
  t.equal(open.protocolId, 2n ** 64n - 1n);
  t.equal(open.expireTimestamp - open.createTimestamp, 45n);
  t.equal(open.timeoutSeconds, -1);
  t.same(open.serverAddresses, ['198.51.100.7:50000']);
  const hidden = openPrivateToken(token, privateKey);
  t.equal(hidden.clientId, 2n ** 63n);
  t.same(hidden.serverAddresses, ['192.0.2.1:40000', '[2001:db8::1]:40001']);
  t.equal(hidden.userData.length, 256);
  t.same([...hidden.userData.subarray(0, 4)], [1, 2, 3, 0]);
  t.same(hidden.clientToServerKey, open.clientToServerKey);
  t.same(hidden.serverToClientKey, open.serverToClientKey);
});

t.test('sealing given fields is reproducible', async (t) => {
  const fields = {
    protocolId: 1n,
    privateKey,
    clientId: 2n,
    serverAddresses: ['127.0.0.1:40000'],
    createTimestamp: 1_700_000_000n,
    expireTimestamp: 1_700_000_030n,
    timeoutSeconds: 5,
    nonce: new Uint8Array(24).fill(4),
    clientToServerKey: new Uint8Array(32).fill(5),
    serverToClientKey: new Uint8Array(32).fill(6),
  };
  t.same(sealConnectToken(fields), sealConnectToken(fields));
  t.equal(openPrivateToken(sealConnectToken(fields), privateKey).clientId, 2n);
  t.throws(() => sealConnectToken({ ...fields, nonce: new Uint8Array(12) }), {
    code: 'bad-option',
  });
  t.throws(() => sealConnectToken({ ...fields, expireTimestamp: 1n }), { code: 'bad-token' });
});

t.test('a wrong key, a flipped byte and a short token do not open', async (t) => {
  const token = createConnectToken({
    protocolId: 1n,
    privateKey,
    clientId: 1n,
    serverAddresses: ['127.0.0.1:40000'],
    expireSeconds: 30,
    timeoutSeconds: 5,
  });
  const key = generateKey();
  t.equal(key.length, 32);
  t.notSame(key, generateKey());
  t.throws(() => openPrivateToken(token, key), { code: 'bad-token' });
  t.throws(() => openPrivateToken(token, key.subarray(1)), { code: 'bad-key' });
  token[200] ^= 1;
  t.throws(() => openPrivateToken(token, privateKey), { code: 'bad-token' });
  t.throws(() => readConnectToken(token.subarray(1)), { code: 'bad-token' });
  t.throws(() => readConnectToken(7 as never), { code: 'bad-option' });
});
