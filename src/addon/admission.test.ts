import t from 'tap';
import { Endpoint } from './endpoint.js';
import { CLOSE_REASONS, RX_CLOSED, RX_OPENED } from './layout.js';
import { SimRings } from './sim-rings.js';
import { createConnectToken } from './tokens.js';

const PROTOCOL_ID = 77n;
const KEY = new Uint8Array(32).fill(3);
const SERVER = '10.0.0.1:4000';
const CLIENT = '10.0.0.2:5000';
const START_US = 1_000_000;
const SIZES = { rxCapacity: 64, txCapacity: 64, rxArenaBytes: 16_384, txArenaBytes: 16_384 };

function open(role: 'server' | 'client', options: object = {}): SimRings {
  const unixS = Math.floor(Date.now() / 1000);
  const common = { seed: 1, startUs: START_US, unixS, maxPayloadBytes: 1200, tickIntervalUs: 0 };
  const server = { protocolId: PROTOCOL_ID, privateKey: KEY };
  return new SimRings({ ...common, role, maxFlows: 8, ...server, ...options }, SIZES);
}

interface Event {
  at: string;
  kind: number;
  reason: string | undefined;
}

/** Carries datagrams both ways until nothing moves; returns what the ends were told. */
function exchange(server: SimRings, client: SimRings): Event[] {
  const events: Event[] = [];
  const scratch = new Uint8Array(2048);
  const ends = [
    { at: 'server', rings: server, to: client, from: SERVER },
    { at: 'client', rings: client, to: server, from: CLIENT },
  ];
  for (let round = 0; round < 4; round++) {
    for (const { at, rings, to, from } of ends) {
      rings.drain();
      while (rings.rxPoll()) {
        events.push({ at, kind: rings.kind, reason: CLOSE_REASONS[rings.aux0] });
      }
      rings.rxRelease();
      rings.flush();
      for (;;) {
        const sent = rings.native.pollTransmit(scratch);
        if (sent === null) break;
        to.native.inject(from, scratch.subarray(0, sent.length));
      }
    }
  }
  return events;
}

function connect(server: SimRings, client: SimRings, clientId = 5n): Event[] {
  const token = createConnectToken({
    protocolId: PROTOCOL_ID,
    privateKey: KEY,
    clientId,
    serverAddresses: [SERVER],
    expireSeconds: 30,
    timeoutSeconds: 5,
  });
  client.connect(token);
  return exchange(server, client);
}

function closed(events: Event[], at: string): (string | undefined)[] {
  return events.filter((e) => e.at === at && e.kind === RX_CLOSED).map((e) => e.reason);
}

t.test('settings are read back as they were given, the others at their defaults', async (t) => {
  const server = open('server');
  const first = server.admission();
  t.same(first.handshakesPerPrefix, { perSecond: 50, burst: 300 });
  t.match(first, { maxFlows: 8, maxPending: 4096, busy: false, blocked: [], retryAfterS: 5 });
  t.match(first, { flows: 0, pending: 0, prefixes: 0, prefixesEvicted: 0 });
  server.setAdmission({ handshakesPerPrefix: null, maxFlows: 3, maxPending: 7, retryAfterS: 60 });
  const rate = { perSecond: 4_294_967_295, burst: 1 };
  server.setAdmission({ packetsPerFlow: rate, blocked: ['::ffff:192.0.2.0/120', '2001:DB8::/32'] });
  const second = server.admission();
  t.equal(second.handshakesPerPrefix, null);
  t.same(second.packetsPerFlow, rate);
  t.match(second, { maxFlows: 3, maxPending: 7, retryAfterS: 60 });
  t.same(second.blocked, ['192.0.2.0/24', '2001:db8::/32']);
  t.same(second.handshakes, first.handshakes);
  server.setAdmission({ tokenOpens: null, handshakes: null });
  t.match(server.admission(), { tokenOpensLeft: null, handshakesLeft: null });
});

t.test('settings given at the start hold from the start', async (t) => {
  const server = open('server', { admission: { busy: true, maxPending: 9 } });
  t.match(server.admission(), { busy: true, maxPending: 9 });
  t.same(closed(connect(server, open('client')), 'client'), ['denied']);
  t.throws(() => open('server', { admission: { maxFlows: 9 } }), {
    code: 'bad-option',
    message: /admission\.maxFlows must be at most 8/,
  });
});

t.test('gauges follow the handshakes', async (t) => {
  const server = open('server');
  const before = server.admission();
  t.ok(connect(server, open('client')).some((event) => event.kind === RX_OPENED));
  const after = server.admission();
  t.match(after, { flows: 1, pending: 0, tokens: 1, prefixes: 1 });
  t.equal(after.handshakesLeft, (before.handshakesLeft as number) - 1);
  t.equal(after.tokenOpensLeft, (before.tokenOpensLeft as number) - 1);
});

t.test('a flow that gets blocked is closed in the next turn, with its reason', async (t) => {
  const server = open('server');
  const client = open('client');
  connect(server, client);
  server.setAdmission({ blocked: ['10.0.0.0/30'] });
  t.equal(server.native.dueReasons() > 0, true, 'a wake is due without anything arriving');
  t.same(closed(exchange(server, client), 'server'), ['blocked']);
  t.equal(server.admission().flows, 0);
  t.same(connect(server, open('client'), 6n), [], 'and nothing is heard from there');
});

t.test('what is no setting is refused by name, and nothing changes', async (t) => {
  const server = open('server');
  const before = server.admission();
  const refused: [object, RegExp][] = [
    [{ busy: 1 }, /admission\.busy is 1/],
    [{ bursts: {} }, /unknown option admission\.bursts/],
    [{ handshakes: 5 }, /admission\.handshakes is 5/],
    [{ handshakes: {} }, /admission\.handshakes\.perSecond is null/],
    [{ handshakes: { perSecond: -1, burst: 5 } }, /handshakes\.perSecond is -1/],
    [{ handshakes: { perSecond: Number.NaN, burst: 5 } }, /handshakes\.perSecond is NaN/],
    [{ handshakes: { perSecond: 0.5, burst: 5 } }, /handshakes\.perSecond is 0\.5/],
    [{ handshakes: { perSecond: 5, burst: 0 } }, /handshakes\.burst is 0/],
    [{ handshakes: { perSecond: 5, burst: Infinity } }, /handshakes\.burst is Infinity/],
    [{ tokenOpens: { perSecond: 5, burst: 5, max: 1 } }, /admission\.tokenOpens/],
    [{ bytesPerFlow: { perSecond: 5, burst: 1324 } }, /bytesPerFlow\.burst is 1324/],
    [{ packetsPerFlow: { perSecond: 2 ** 32, burst: 5 } }, /packetsPerFlow\.perSecond/],
    [{ maxPending: 0 }, /maxPending is 0/],
    [{ maxPending: 65_537 }, /maxPending is 65537/],
    [{ maxFlows: -1 }, /maxFlows is -1/],
    [{ maxFlows: 9 }, /admission\.maxFlows must be at most 8/],
    [{ retryAfterS: 65_536 }, /retryAfterS is 65536/],
    [{ blocked: '10.0.0.0/8' }, /admission\.blocked is "10/],
    [{ blocked: [10] }, /admission\.blocked\[0\] is 10/],
    [
      { blocked: ['10.0.0.0/8', '10.0.0.300/8'] },
      /blocked\[1\] '10\.0\.0\.300\/8': not an address/,
    ],
    [{ blocked: ['10.0.0.0/33'] }, /blocked\[0\].* prefix length/],
    [{ blocked: ['10.1.0.0/8'] }, /10\.0\.0\.0\/8\?/],
  ];
  for (const [settings, message] of refused) {
    t.throws(() => server.setAdmission({ retryAfterS: 9, ...settings }), {
      code: 'bad-option',
      message,
    });
  }
  t.throws(() => server.setAdmission(null as never), { code: 'bad-option' });
  t.same(server.admission(), before);
});

t.test('the native side takes no number that it would have to bend', async (t) => {
  const { native } = open('server');
  const before = native.admission();
  for (const bad of [-1, 0.5, Number.NaN, 2 ** 32, Infinity]) {
    t.throws(() => native.setAdmission({ maxPending: bad }), { code: 'bad-option' });
    t.throws(() => native.setAdmission({ maxFlows: bad }), { code: 'bad-option' });
    t.throws(() => native.setAdmission({ retryAfterS: bad }), { code: 'bad-option' });
    const rate = { perSecond: 1, burst: bad };
    t.throws(() => native.setAdmission({ handshakes: rate }), { code: 'bad-option' });
  }
  for (const bad of [0, -1, 0.5, Number.NaN, -Infinity]) {
    const rate = { perSecond: bad, burst: 1 };
    t.throws(() => native.setAdmission({ tokenOpens: rate }), { code: 'bad-option' });
  }
  t.same(native.admission(), before);
});

t.test('a client admits nobody, and a closed endpoint says so', async (t) => {
  const client = Endpoint.openClient({ host: '127.0.0.1' }, () => {});
  t.throws(() => client.setAdmission({ busy: true }), { code: 'bad-option', message: /client/ });
  t.throws(() => client.admission(), { code: 'bad-option' });
  client.close();
  const server = Endpoint.openServer(
    { host: '127.0.0.1', privateKey: KEY, protocolId: PROTOCOL_ID },
    () => {},
  );
  t.equal(server.admission().flows, 0);
  server.close();
  t.throws(() => server.setAdmission({ busy: true }), { code: 'closed' });
  t.throws(() => server.admission(), { code: 'closed' });
});
