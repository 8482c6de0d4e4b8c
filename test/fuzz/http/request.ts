/**
 * Requests to the ticket endpoint as bytes, mostly nearly right. A request that is well-formed HTTP says
 * which answer the documents promise for it (docs/WIRE.md §1); one that is not says null.
 */
import type { Random } from '../messages/mutate.js';

export interface Attempt {
  /** What is written, in these pieces. */
  pieces: Buffer[];
  /** Statuses that may come; null: any that is documented, or none and a closed connection. */
  expected: readonly number[] | null;
  /** The other side hangs up: not, when all is written, or in the middle of it. */
  leaves: 'never' | 'after' | 'reset';
}

interface Draft {
  line: string;
  headers: [string, string][];
  body: Buffer;
  isHttp: boolean;
}

export function drawAttempt(random: Random, player: string): Attempt {
  const draft = drawDraft(random, player);
  const status = statusOf(draft);
  lengthen(draft, random);
  if (random() % 4 === 0) spoilHead(draft, random);
  let bytes = bytesOf(draft);
  if (random() % 6 === 0) {
    bytes = damage(bytes, random);
    draft.isHttp = false;
  }
  const leaves = pick(['never', 'never', 'never', 'after', 'reset'] as const, random);
  const expected = draft.isHttp && leaves === 'never' ? [status] : null;
  return { pieces: cut(bytes, random), expected, leaves };
}

/** A good request in every respect. */
export function goodRequest(player: string): Attempt {
  const draft = emptyDraft(player);
  setLength(draft);
  return { pieces: [bytesOf(draft)], expected: [200], leaves: 'never' };
}

function emptyDraft(player: string): Draft {
  return {
    line: 'POST /v1/game/ticket HTTP/1.1',
    headers: [
      ['Host', '127.0.0.1'],
      ['Content-Type', 'application/json'],
      ['X-Session-Token', player],
      ['Connection', 'close'],
    ],
    body: Buffer.from('{}'),
    isHttp: true,
  };
}

function drawDraft(random: Random, player: string): Draft {
  const draft = emptyDraft(player);
  const count = random() % 3;
  for (let i = 0; i < count; i++) pick(DEFECTS, random)(draft, random);
  return draft;
}

/** What the documents promise, asked in the order in which the server looks. */
function statusOf({ line, headers, body }: Draft): number {
  const [method, target] = line.split(' ');
  const header = (name: string) => headers.find(([other]) => other === name)?.[1];
  const type = (header('Content-Type') ?? '').split(';')[0].trim().toLowerCase();
  if (header('Host') !== '127.0.0.1') return 403;
  if (target.split('?')[0] !== '/v1/game/ticket') return 404;
  if (method !== 'POST') return 405;
  if (header('Origin') !== undefined) return 403;
  if (type !== 'application/json') return 415;
  if (body.length > 4096) return 413;
  if ([...BAD_BODIES, ...BAD_RESUMES].includes(body.toString())) return 400;
  if (!header('X-Session-Token')) return 401;
  return body.toString() === UNKNOWN_SESSION ? 409 : 200;
}

function lengthen(draft: Draft, random: Random): void {
  if (random() % 5 === 0) chunk(draft, random);
  else setLength(draft);
}

function set(draft: Draft, name: string, value: string | null): void {
  draft.headers = draft.headers.filter(([other]) => other !== name);
  if (value !== null) draft.headers.push([name, value]);
}

type Defect = (draft: Draft, random: Random) => void;

const BAD_BODIES = ['{', '"', 'nul', '{"resume":}', '[1,]', '\u0000', '{}}', "{'a':1}"];
const BAD_RESUMES = [
  '{"resume":1}',
  '{"resume":""}',
  '{"resume":"0123456789abcdeF"}',
  '{"resume":"0123456789abcdef0"}',
  '{"resume":[]}',
  '{"resume":{"toString":1}}',
  '{"resume":true}',
];
const GOOD_BODIES = [
  '',
  '{}',
  'null',
  '[]',
  '1',
  '"x"',
  '{"resume":null}',
  '{"__proto__":{"resume":"x"}}',
  `[${'['.repeat(500)}${']'.repeat(500)}]`,
];
const PATHS = ['/', '/v1/game/ticket/', '/v1/game/ticke', '/V1/game/ticket', '//v1/game/ticket'];
const DOTTED = [
  '/v1/../v1/game/ticket',
  '/%761/game/ticket',
  '/v1/game/ticket%00',
  '/v1/game/ticket#a',
];

const UNKNOWN_SESSION = '{"resume":"0123456789abcdef"}';

const DEFECTS: readonly Defect[] = [
  (draft) => {
    draft.body = Buffer.from(UNKNOWN_SESSION);
  },
  (draft, random) => {
    draft.body = Buffer.from(pick(GOOD_BODIES, random));
  },
  (draft, random) => {
    draft.body = Buffer.from(pick(random() % 2 === 0 ? BAD_BODIES : BAD_RESUMES, random));
  },
  (draft, random) => {
    draft.body = Buffer.alloc(4097 + (random() % 9000), pick(['a', ' ', '\u0000'], random));
  },
  (draft, random) => {
    set(draft, 'Host', pick(['evil.example', 'localhost.evil', '127.0.0.2', '[::2]:80'], random));
  },
  (draft, random) => {
    draft.line = `POST ${pick([...PATHS, ...DOTTED], random)} HTTP/1.1`;
  },
  (draft, random) => {
    draft.line = `POST /v1/game/ticket?${'q=%00&'.repeat(random() % 50)} HTTP/1.1`;
  },
  (draft, random) => {
    const method = pick(['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'], random);
    draft.line = draft.line.replace(/^\w+/, method);
  },
  (draft, random) => {
    const type = pick(['text/plain', '', 'application/jsonp', 'application/json/x', ';'], random);
    set(draft, 'Content-Type', random() % 3 === 0 ? null : type);
  },
  (draft, random) => {
    const type = ['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/json ;;;'];
    if (draft.headers.some(([name]) => name === 'Content-Type')) {
      set(draft, 'Content-Type', pick(type, random));
    }
  },
  (draft, random) => {
    set(draft, 'X-Session-Token', random() % 2 === 0 ? null : '');
  },
  (draft, random) => {
    const origin = ['http://evil.example', 'null', 'https://', 'x'.repeat(300)];
    set(draft, 'Origin', pick(origin, random));
  },
  (draft, random) => {
    for (let i = random() % 40; i > 0; i--) draft.headers.push([`X-Filler-${i}`, 'f'.repeat(i)]);
  },
];

function setLength(draft: Draft): void {
  draft.headers.push(['Content-Length', String(draft.body.length)]);
}

function chunk(draft: Draft, random: Random): void {
  draft.headers.push(['Transfer-Encoding', 'chunked']);
  const parts: Buffer[] = [];
  for (let at = 0; at < draft.body.length; ) {
    const length = 1 + (random() % 700);
    const part = draft.body.subarray(at, at + length);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'));
    at += length;
  }
  draft.body = Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

/** Makes HTTP of it that is none, or that a server may take or refuse. */
function spoilHead(draft: Draft, random: Random): void {
  draft.isHttp = false;
  const spoilers: ((draft: Draft) => void)[] = [
    (it) => {
      set(
        it,
        'Content-Length',
        pick(['-1', '0x2', '99999999999999999999', '1e3', '', '2, 3'], random),
      );
    },
    (it) => it.headers.push(['Content-Length', '1'], ['Content-Length', '7']),
    (it) => it.headers.push(['Transfer-Encoding', 'chunked'], ['Content-Length', '4']),
    (it) =>
      set(
        it,
        'Transfer-Encoding',
        pick(['gzip', 'chunked, chunked', 'identity', '\u000b'], random),
      ),
    (it) => it.headers.push(['X-Session-Token', 'second'], ['Host', 'evil.example']),
    (it) => set(it, 'Host', null),
    (it) => {
      it.headers.push([
        'X'.repeat(random() % 3),
        ['\u0000', '\r', 'a\r\n b', '\u007f\u00ff'][random() % 4],
      ]);
    },
    (it) => it.headers.push(['X-Large', 'l'.repeat(10_000 + (random() % 20_000))]),
    (it) => {
      for (let i = 0; i < 2_100; i++) it.headers.push([`H${i}`, '']);
    },
    (it) => {
      const lines = ['HTTP/0.9', 'HTTP/2.0', 'HTTP/1.9', 'HTTQ/1.1', '', 'HTTP/1.0', 'RTSP/1.0'];
      it.line = `POST /v1/game/ticket ${pick(lines, random)}`;
    },
    (it) => {
      const targets = [
        '*',
        'http://127.0.0.1/v1/game/ticket',
        'x:y',
        '',
        '/\u00e9',
        '/a b',
        '127.0.0.1:1',
      ];
      it.line = `POST ${pick(targets, random)} HTTP/1.1`;
    },
    (it) => {
      const methods = ['CONNECT', 'PRI', 'post', 'P\u0000ST', 'TRACE', 'M-SEARCH', ''];
      it.line = `${pick(methods, random)} /v1/game/ticket HTTP/1.1`;
    },
    (it) => {
      const upgrade = pick(['websocket', 'h2c', 'WebSocket', 'tls/1.0, websocket', ''], random);
      set(it, 'Connection', 'Upgrade');
      it.headers.push(['Upgrade', upgrade], ['Sec-WebSocket-Key', pick(KEYS, random)]);
      it.headers.push(['Sec-WebSocket-Version', pick(['13', '8', '-1', ''], random)]);
      const path = pick(['/v1/game/ws', '/v1/game/ws?ticket=a', '/v1/game/ticket', '//'], random);
      it.line = `${pick(['GET', 'GET', 'POST'], random)} ${path} HTTP/1.1`;
    },
    (it) => it.headers.push(['Expect', pick(['100-continue', '200-ok', ''], random)]),
    (it) => set(it, 'X-Session-Token', 't'.repeat(201 + (random() % 200))),
    (it) => set(it, 'X-Session-Token', `\u00e9${'\t'}${random()}`),
  ];
  pick(spoilers, random)(draft);
}

const KEYS = ['dGhlIHNhbXBsZSBub25jZQ==', '', 'short', 'k'.repeat(200)];

function bytesOf({ line, headers, body }: Draft): Buffer {
  const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.concat([Buffer.from(`${line}\r\n${head}\r\n`, 'latin1'), body]);
}

function damage(bytes: Buffer, random: Random): Buffer {
  const at = random() % bytes.length;
  switch (random() % 5) {
    case 0:
      bytes[at] ^= 1 << (random() % 8);
      return bytes;
    case 1:
      return bytes.subarray(0, at);
    case 2:
      return Buffer.concat([bytes, bytes.subarray(at)]);
    case 3:
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from([random() & 255]),
        bytes.subarray(at),
      ]);
    default:
      return Buffer.from(Array.from({ length: at }, () => random() & 255));
  }
}

function cut(bytes: Buffer, random: Random): Buffer[] {
  const count = random() % 4;
  const pieces: Buffer[] = [];
  let rest = bytes;
  for (let i = 0; i < count && rest.length > 1; i++) {
    const at = 1 + (random() % (rest.length - 1));
    pieces.push(rest.subarray(0, at));
    rest = rest.subarray(at);
  }
  return [...pieces, rest];
}

function pick<T>(list: readonly T[], random: Random): T {
  return list[random() % list.length];
}
