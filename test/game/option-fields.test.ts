/**
 * Every option of servers and clients is refused out of its range, with its name, the value and what
 * is accepted. A new option without a row here fails the test: the rows are held against the names
 * that the refusal of an unknown option lists.
 */
import t from 'tap';
import { Client, type TransportError, WithHighPerformanceTransport } from '../../src/sdk/index.js';
import { GameServer } from '../../src/server/index.js';
import { dial, listen } from './support.js';

/** Values that are refused, each with how the message shows it and what it names as accepted. */
type Rows = Record<string, [value: unknown, shown: string, accepted: RegExp][]>;

const ports: Rows[string] = [
  [-1, '-1', /0…65535/],
  [65_536, '65536', /0…65535/],
  [1.5, '1.5', /integer/],
  ['7777', '"7777"', /integer/],
  [null, 'null', /nothing/],
];

const SERVER: Rows = {
  port: ports,
  host: [
    ['', '""', /an IP address/],
    [5, '5', /an IP address/],
  ],
  registry: [[{}, '{}', /createRegistry/]],
  tickHz: [
    [0.5, '0.5', /1…1000/],
    [1001, '1001', /1…1000/],
    [Number.NaN, 'NaN', /1…1000/],
    ['60', '"60"', /a number/],
    [60n, '60', /a number/],
  ],
  udp: [
    [true, 'true', /an object/],
    [[], '[]', /an object/],
    [null, 'null', /nothing/],
  ],
  ws: [
    [true, 'true', /an object/],
    ['yes', '"yes"', /an object/],
  ],
  verifySession: [['no', '"no"', /a function/]],
  revalidate: [[true, 'true', /a function/]],
  revalidateMs: [
    [4999, '4999', /5000…25000/],
    [25_001, '25001', /5000…25000/],
    [20_000, '20000', /nothing without `revalidate`/],
  ],
  dev: [['yes', '"yes"', /true or false/]],
  trustProxy: [[1, '1', /true or false/]],
  maxPlayers: [
    [0, '0', /1…1048576/],
    [1_048_577, '1048577', /1…1048576/],
  ],
  resumeWindowMs: [
    [-1, '-1', /0…600000/],
    [600_001, '600001', /0…600000/],
  ],
  ticketsPerSecondPerAddress: [
    [0, '0', /0\.1…1000000/],
    [Number.POSITIVE_INFINITY, 'Infinity', /0\.1…1000000/],
  ],
  admission: [
    [5, '5', /an object/],
    [[], '[]', /an object/],
  ],
  channels: [
    [5, '5', /by channel number/],
    [{ 31: {} }, '"31"', /0…30/],
  ],
  logger: [
    [{}, '{}', /info, warn and error/],
    ['console', '"console"', /info, warn and error/],
  ],
  logLevel: [
    ['loud', '"loud"', /'debug', 'info', 'warn', 'error', 'silent'/],
    [30, '30', /'debug'/],
  ],
  metrics: [
    ['on', '"on"', /an object/],
    [1, '1', /an object/],
  ],
};

const UDP: Rows = {
  port: ports,
  nx: [['maybe', '"maybe"', /'off', 'allow', 'require'/]],
  driver: [
    ['poll', '"poll"', /'auto', 'immediate', 'tick'/],
    ['tick', '"tick"', /tickHz is 0/],
  ],
  threads: [
    [-1, '-1', /0…16/],
    [17, '17', /0…16/],
  ],
  affinity: [
    [[0], '[0]', /a CPU for each/],
    ['0', '"0"', /a CPU for each/],
  ],
  protocolId: [
    [1, '1', /a bigint/],
    [-1n, '-1', /a bigint/],
    [2n ** 64n, String(2n ** 64n), /a bigint/],
  ],
  advertise: [
    ['127.0.0.1:1', '"127.0.0.1:1"', /ip:port/],
    [['example:1'], '["example:1"]', /ip:port/],
    [[5n], 'object', /ip:port/],
  ],
  maxTokenLifetimeS: [
    [-1, '-1', /0…86400/],
    [86_401, '86401', /0…86400/],
  ],
  maxFlows: [
    [0, '0', /1…1048576/],
    [2 ** 20 + 1, '1048577', /1…1048576/],
  ],
  receiveBufferBytes: [
    [4095, '4095', /4096…1073741824/],
    [2 ** 31, '2147483648', /4096…1073741824/],
  ],
  sendBufferBytes: [[1, '1', /4096…1073741824/]],
};

const WS: Rows = {
  allowedOrigins: [
    ['https://play.example', '"https://play.example"', /exact origins/],
    [['*'], '["*"]', /exact origins/],
    [['https://play.example/'], '["https://play.example/"]', /exact origins/],
    [['https://play.example:443'], '["https://play.example:443"]', /exact origins/],
    [['https://Play.example'], '["https://Play.example"]', /exact origins/],
    [['https://*.example'], '["https://*.example"]', /exact origins/],
    [['play.example'], '["play.example"]', /exact origins/],
    [['null'], '["null"]', /exact origins/],
    [[1], '[1]', /exact origins/],
  ],
  engine: [
    ['fast', '"fast"', /'auto', 'ws', 'uws'/],
    [1, '1', /'auto', 'ws', 'uws'/],
  ],
  allowedHosts: [
    ['a', '"a"', /an array of strings/],
    [[1], '[1]', /an array of strings/],
  ],
};

/** Named, and told without their value. */
const SECRETS = ['tls', 'udp.privateKey', 'metrics.bearer'];

async function refusal(options: object): Promise<TransportError> {
  const listening = GameServer.listen({ dev: true, udp: false, ...options } as never);
  return listening.then(
    (server) => server.close().then(() => Promise.reject(new Error('not refused'))),
    (error) => error,
  );
}

async function knownNames(prefix: string): Promise<string[]> {
  const nested = prefix === '' ? { nope: 1 } : { [prefix.slice(0, -1)]: { nope: 1 } };
  const { code, message } = await refusal(nested);
  const [, names] = /^ggscale: unknown option \S*nope; known: (.*)$/.exec(message) ?? [];
  return code === 'bad-option' ? (names ?? '').split(', ') : [];
}

for (const [prefix, rows] of [
  ['', SERVER],
  ['udp.', UDP],
  ['ws.', WS],
] as const) {
  t.test(`server options ${prefix}: refused by name, value and range`, async (t) => {
    for (const [name, cases] of Object.entries(rows)) {
      for (const [value, shown, accepted] of cases) {
        const given = { [name]: value };
        const options = prefix === '' ? given : { [prefix.slice(0, -1)]: given };
        const { code, message } = await refusal(options);
        t.equal(code, 'bad-option', message);
        t.ok(message.startsWith(`ggscale: ${prefix}${name} is ${shown}, accepted: `), message);
        t.match(message.split('accepted: ')[1], accepted);
      }
    }
    const secrets = SECRETS.filter((name) => name.startsWith(prefix)).map((name) =>
      name.slice(prefix.length),
    );
    const covered = [...Object.keys(rows), ...secrets.filter((name) => !name.includes('.'))];
    t.same((await knownNames(prefix)).sort(), covered.sort(), 'all of them');
  });
}

t.test('secrets are refused without their value', async (t) => {
  const key = 'hunter2-hunter2';
  for (const [options, wanted] of [
    [{ udp: { privateKey: key } }, /^ggscale: udp\.privateKey must be 32 bytes or 64 hex/],
    [{ udp: { privateKey: new Uint8Array(31) } }, /^ggscale: udp\.privateKey must be/],
    [{ metrics: { bearer: key } }, /^ggscale: metrics\.bearer must be 16 to 256/],
    [{ tls: { key, cert: 'x' } }, /^ggscale: tls is refused/],
    [{ tls: { key } }, /^ggscale: tls must be \{ key, cert \}/],
    [{ tls: 5 }, /^ggscale: tls must be/],
  ] as const) {
    const { message } = await refusal(options);
    t.match(message, wanted);
    t.notMatch(message, /hunter2/);
  }
  t.match(await refusal({ tls: { key, cert: key, ca: key } }), {
    message: /unknown option tls\.ca/,
  });
});

t.test('long values are cut, values of any kind are shown', async (t) => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  for (const value of ['x'.repeat(10_000), circular, Symbol('s'), () => 1, { n: 1n }]) {
    const { code, message } = await refusal({ port: value });
    t.equal(code, 'bad-option');
    t.match(message, /^ggscale: port is /);
    t.ok(message.length < 250, `${message.length} characters`);
  }
});

t.test('what contradicts itself is refused', async (t) => {
  const logger = { info() {}, warn() {}, error() {} };
  t.match(await refusal({ logger, logLevel: 'info' }), { message: /logLevel is "info"/ });
  t.match(await refusal({ dev: true, host: '192.0.2.1' }), { message: /host is "192\.0\.2\.1"/ });
  t.match(await refusal({ dev: false }), { code: 'bad-option', message: /TLS/ });
  t.match(await refusal({ dev: false, trustProxy: true }), { message: /verifySession/ });
  t.match(await refusal({ admission: { maxFlows: 5 } }), { message: /UDP listener, which is off/ });
  for (const options of [undefined, null, 5, 'dev', []]) {
    await t.rejects(GameServer.listen(options as never), {
      code: 'bad-option',
      message: /options/,
    });
  }
});

const CLIENT: Rows = {
  baseUrl: [
    ['example', '"example"', /http\(s\) URL/],
    ['ftp://example', '"ftp://example"', /http\(s\) URL/],
    [5, '5', /http\(s\) URL/],
    ['http://u:hunter2@example', '"[redacted]"', /without user info/],
    ['http://example/?key=hunter2', '"[redacted]"', /without user info, query/],
  ],
  transport: [[{}, '{}', /a method call/]],
  logger: [[{ info() {} }, '{}', /info and warn/]],
  webSocketHandshakeTimeoutMs: [
    [0, '0', /1…2147483647/],
    [2 ** 31, '2147483648', /1…2147483647/],
    ['5', '"5"', /a number/],
  ],
  userAgent: [
    ['', '""', /printable ASCII/],
    ['a\nb', '"a\\nb"', /printable ASCII/],
    [5, '5', /printable ASCII/],
  ],
  callTimeoutMs: [
    [0, '0', /1…2147483647/],
    [2 ** 31, '2147483648', /1…2147483647/],
    ['5', '"5"', /an integer/],
  ],
  maxResponseBodyBytes: [
    [0, '0', /1…/],
    [1.5, '1.5', /an integer/],
  ],
  realtimeReadLimit: [
    [0, '0', /1…/],
    ['5', '"5"', /an integer/],
  ],
  retryPolicy: [[5, '5', /an object/]],
  reconnectPolicy: [[true, 'true', /an object/]],
  onRealtimeReconnect: [[5, '5', /a function/]],
  onSessionUpdate: [['x', '"x"', /a function/]],
};

const RETRY: Rows = {
  maxAttempts: [
    [0, '0', /1…100/],
    [101, '101', /1…100/],
  ],
  baseDelayMs: [[-1, '-1', /0…2147483647/]],
  maxDelayMs: [[2 ** 31, '2147483648', /0…2147483647/]],
  jitter: [[5, '5', /a function/]],
};

const RECONNECT: Rows = {
  disabled: [['no', '"no"', /true or false/]],
  maxAttempts: [[0, '0', /1…1000000/]],
  firstDelayMaxMs: [[-1, '-1', /0…2147483647/]],
  baseDelayMs: [[-1, '-1', /0…2147483647/]],
  maxDelayMs: [[2 ** 31, '2147483648', /0…2147483647/]],
  jitter: [[5, '5', /a function/]],
};

const HIGH_PERFORMANCE: Rows = {
  handshakeTimeoutMs: [
    [0, '0', /1…60000/],
    [60_001, '60001', /1…60000/],
    [null, 'null', /nothing/],
  ],
  fallback: [['never', '"never"', /'json', 'error'/]],
  nx: [['maybe', '"maybe"', /'off', 'allow', 'require'/]],
};

const BASE = { apiKey: 'test', baseUrl: 'http://127.0.0.1:1' };

const createClient = (o: object) => new Client({ ...BASE, ...o } as never);

for (const [what, rows, call, secrets, prefix] of [
  ['Client', CLIENT, createClient, ['apiKey'], ''],
  ['retryPolicy', RETRY, (o: object) => createClient({ retryPolicy: o }), [], 'retryPolicy.'],
  [
    'reconnectPolicy',
    RECONNECT,
    (o: object) => createClient({ reconnectPolicy: o }),
    [],
    'reconnectPolicy.',
  ],
  [
    'WithHighPerformanceTransport',
    HIGH_PERFORMANCE,
    (o: object) => WithHighPerformanceTransport(o as never),
    [],
    '',
  ],
] as const) {
  t.test(`${what}: options refused by name, value and range`, async (t) => {
    const refused = (options: object): TransportError => {
      try {
        call(options);
      } catch (error) {
        return error as TransportError;
      }
      throw new Error(`not refused: ${JSON.stringify(options)}`);
    };
    for (const [name, cases] of Object.entries(rows)) {
      for (const [value, shown, accepted] of cases) {
        const { code, message } = refused({ [name]: value });
        t.equal(code, 'bad-option');
        const told = `ggscale: ${prefix}${name} is ${shown}, accepted: `;
        t.ok(message.startsWith(told), message);
        t.match(message.split('accepted: ')[1], accepted);
        t.notMatch(message, /hunter2/);
      }
    }
    const [, names] = /known: (.*)$/.exec(refused({ nope: 1 }).message) ?? [];
    t.same((names ?? '').split(', ').sort(), [...Object.keys(rows), ...secrets].sort());
  });
}

t.test('a client wants an API key, a way out, and options that are some', async (t) => {
  const wants = (options: unknown, message: string | RegExp) =>
    t.throws(() => new Client(options as never), { code: 'bad-option', message });
  wants({ baseUrl: BASE.baseUrl }, 'ggscale: APIKey is required');
  wants({ ...BASE, apiKey: 5 }, 'ggscale: APIKey is required');
  wants({ apiKey: 'test' }, 'ggscale: either Transport or BaseURL is required');
  wants(undefined, /options is undefined, accepted: an object/);
  const option = {} as never;
  t.throws(() => new Client(BASE, option), { code: 'bad-option', message: /option 1 is \{\}/ });
  const transport = { call: async () => ({}) };
  t.equal(new Client({ apiKey: 'test', transport }).transport, transport);
});

t.test('reads are refused by name, as a rejection', async (t) => {
  const server = await listen({ udp: false });
  t.teardown(() => server.close());
  const connection = await dial(server, 'json-ws', 'anna');
  const rejects = (options: unknown, message: RegExp) =>
    t.rejects(connection.readMessage(options as never), { code: 'bad-option', message });
  await rejects({ signal: 5 }, /signal is 5, accepted: an AbortSignal/);
  await rejects({ timeoutMs: 5 }, /unknown option timeoutMs; known: signal/);
  await rejects(null, /options is null, accepted: an object/);
  await rejects({ signal: null }, /signal is null/);
  await connection.close();
});

t.test('dials are refused by name, as a rejection', async (t) => {
  const client = new Client(BASE);
  const rejects = (options: unknown, message: RegExp) =>
    t.rejects(client.dialGame('127.0.0.1:1', options as never), { code: 'bad-option', message });
  await rejects({ registry: {} }, /registry is \{\}, accepted: what createRegistry returns/);
  await rejects({ signal: 5 }, /signal is 5, accepted: an AbortSignal/);
  await rejects({ sessionToken: 5 }, /sessionToken must be a string/);
  await rejects(
    { token: 'x' },
    /unknown option token; known: registry, sessionToken, signal, channels/,
  );
  await rejects({ channels: 5 }, /channels is 5/);
  await rejects(null, /options is null/);
  t.throws(() => client.setSessionToken(5 as never), { code: 'bad-option' });
});
