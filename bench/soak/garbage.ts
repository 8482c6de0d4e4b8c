/** What strangers send: bytes that look like something, requests and frames that are none. */
import type { Prng } from '../../src/util/prng.js';

const DATAGRAM_BYTES_MAX = 1500;
/** Of netcode and NX, and what follows them in no protocol: requests, challenges, payloads, beyond. */
const TYPES = 16;

/** Random bytes behind a first byte that netcode or NX could have written. */
export function randomDatagram(random: Prng): Buffer {
  const bytes = randomBytes(random, random.below(DATAGRAM_BYTES_MAX + 1));
  if (bytes.length > 0) bytes[0] = random.below(TYPES) | (random.below(10) << 4);
  return bytes;
}

export function randomBytes(random: Prng, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeInt32LE(random.nextInt32(), at);
  return bytes;
}

const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

/** Requests that lead nowhere, or end in the middle. */
export const REQUESTS: readonly string[] = [
  '\r\n\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /v1/game/ticket HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
  'POST /v1/game/ticket HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 999999999\r\n\r\n{',
  'POST /v1/game/ticket HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\n\r\nnull',
  'POST /v1/game/ticket HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Session-Token: x\r\n' +
    'Content-Type: application/json\r\nContent-Length: 14\r\n\r\n{"resume":"x"}',
  'POST /v1/game/ticket HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n',
  'POST /v1/game/ticket HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
  `GET /v1/game/ws HTTP/1.1\r\nHost: 127.0.0.1\r\n${UPGRADE}\r\n`,
  `GET /v1/game/ws?ticket=${'A'.repeat(4000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n${UPGRADE}\r\n`,
  `GET /v1/game/ws?ticket=%00%ff HTTP/1.1\r\nHost: 127.0.0.1\r\n${UPGRADE}\r\n\u0081\u00ff`,
  `GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'y'.repeat(20_000)}`,
  'OPTIONS * HTTP/1.1\r\nHost: \r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003',
];

/** What a player who was let in says on a WebSocket; the last ones end it. */
export const FRAMES: readonly (string | Buffer)[] = [
  '',
  '{',
  'null',
  '[]',
  '{"type":1}',
  '{"payload":1}',
  '{"type":"GameEvent","payload":{"tick":-1}}',
  '{"type":"Input","payload":{"inputs":[1,2,3,4,5]}}',
  '{"type":"x","payload":{"__proto__":{"polluted":true}}}',
  `{"type":"x","payload":${'['.repeat(5000)}${']'.repeat(5000)}}`,
];

export const LAST_FRAMES: readonly (string | Buffer)[] = [
  Buffer.from([1, 2, 3]),
  '{"type":"$hello","payload":{}}',
  '{"type":"$ack","payload":{"frames":-1}}',
  '{"type":"$nonsense"}',
  `{"type":"x","payload":"${'y'.repeat(300 * 1024)}"}`,
];
