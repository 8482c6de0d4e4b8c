import t, { type Test } from 'tap';
import { I_TX_TAIL, RX_CLOSED, RX_OPENED, RX_PAYLOAD, TX_PAYLOAD } from './layout.js';
import { loadBinding } from './load-binding.js';
import { CLIENT_RING_SIZES, createRingMemory } from './ring-memory.js';
import { SimRings } from './sim-rings.js';
import { createConnectToken } from './tokens.js';

const PROTOCOL_ID = 77n;
const SERVER = '10.0.0.1:4000';
const CLIENT = '10.0.0.2:5000';
const KEY = new Uint8Array(32).fill(3);
const STEP_US = 10_000;
/** NX packets hold 8 bytes less than the base's 1200. */
const PAYLOAD_MAX = 1192;
const SIZES = { rxCapacity: 64, txCapacity: 64, rxArenaBytes: 16_384, txArenaBytes: 16_384 };

function makeToken(): Uint8Array {
  return createConnectToken({
    protocolId: PROTOCOL_ID,
    privateKey: KEY,
    clientId: 5n,
    serverAddresses: [SERVER],
    expireSeconds: 30,
    timeoutSeconds: 5,
  });
}

class World {
  readonly server: SimRings;
  readonly client: SimRings;
  timeUs: number;
  /** Descriptors that waited at once. */
  aheadMost = 0;
  readonly #scratch = new Uint8Array(2048);

  constructor(seed: number, startUs = 1_000_000, first = 0) {
    this.timeUs = startUs;
    const unixS = Math.floor(Date.now() / 1000);
    const common = { seed, startUs, unixS, maxPayloadBytes: 1200, tickIntervalUs: 0 };
    this.server = new SimRings(
      { ...common, role: 'server', maxFlows: 8, protocolId: PROTOCOL_ID, privateKey: KEY },
      SIZES,
      first,
    );
    // One flow sends more here than a player would.
    this.server.setAdmission({ packetsPerFlow: null, bytesPerFlow: null });
    this.client = new SimRings({ ...common, role: 'client', maxFlows: 2 }, SIZES, first);
  }

  /** One step: time, both turns, and every datagram across. */
  step(handle: (at: 'server' | 'client', rings: SimRings) => void): void {
    this.timeUs += STEP_US;
    for (const [name, rings] of [
      ['server', this.server],
      ['client', this.client],
    ] as const) {
      rings.native.setTime(this.timeUs);
      rings.drain();
      const ahead = Array.from({ length: rings.rxAhead }, (_, i) => rings.rxSlotAhead(i));
      this.aheadMost = Math.max(this.aheadMost, ahead.length);
      while (rings.rxPoll()) {
        if (ahead.shift() !== rings.slot) throw new Error('another slot came than was ahead');
        handle(name, rings);
      }
      if (ahead.length > 0) throw new Error('not everything came that was ahead');
      rings.rxRelease();
      rings.flush();
      rings.native.checkInvariants();
    }
    this.#carry(this.server, this.client, SERVER);
    this.#carry(this.client, this.server, CLIENT);
  }

  connect(): { slot: number; generation: number } {
    return this.client.connect(makeToken());
  }

  #carry(from: SimRings, to: SimRings, address: string): void {
    for (;;) {
      const datagram = from.native.pollTransmit(this.#scratch);
      if (datagram === null) return;
      to.native.inject(address, this.#scratch.subarray(0, datagram.length));
    }
  }
}

function exchangeAtRandom(t: Test, world: World): void {
  const flow = world.connect();
  let atServer: { slot: number; generation: number } | null = null;
  const sent: Uint8Array[] = [];
  let received = 0;
  let differing = 0;
  const handle = (at: string, rings: SimRings) => {
    if (at === 'server' && rings.kind === RX_OPENED) {
      atServer = { slot: rings.slot, generation: rings.generation };
      t.equal(rings.view.getBigUint64(rings.offset, true), 5n);
    }
    if (at !== 'server' || rings.kind !== RX_PAYLOAD) return;
    const bytes = rings.bytes.subarray(rings.offset, rings.offset + rings.length);
    if (Buffer.compare(bytes, sent[received]) !== 0) differing++;
    received++;
  };
  for (let i = 0; i < 20 && atServer === null; i++) world.step(handle);
  let random = 12345;
  const next = (below: number) => {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    return random % below;
  };
  let full = 0;
  for (let step = 0; step < 400; step++) {
    for (let burst = next(40); burst > 0; burst--) {
      const payload = new Uint8Array(1 + next(PAYLOAD_MAX)).fill(next(256));
      const at = world.client.txReserve(payload.length + next(5));
      if (at < 0) {
        full++;
        break;
      }
      world.client.bytes.set(payload, at);
      world.client.txCommit(TX_PAYLOAD, flow.slot, flow.generation, payload.length);
      sent.push(payload);
    }
    world.step(handle);
  }
  for (let i = 0; i < 50; i++) world.step(handle);
  t.equal(received, sent.length);
  t.equal(differing, 0);
  t.ok(world.aheadMost > 10, `${world.aheadMost} descriptors ahead`);
  t.ok(sent.length > 2_000 && full > 10, `${sent.length} sent, ring full ${full} times`);
}

t.test('a simulated pair connects, and random traffic arrives once, whole, in order', async (t) => {
  exchangeAtRandom(t, new World(1));
});

t.test('the counters of the rings go across 2^31 and 2^32', async (t) => {
  for (const first of [2 ** 31 - 300, -300]) {
    const world = new World(7, 1_000_000, first | 0);
    exchangeAtRandom(t, world);
    const tail = new Int32Array(world.client.memory)[I_TX_TAIL];
    t.equal(Math.sign(tail), -Math.sign(first | 0), `${first} became ${tail}`);
  }
});

t.test('a memory serves one endpoint, and only a shared one does', async (t) => {
  const { client } = new World(8);
  const { openSim } = loadBinding();
  const options = {
    role: 'client' as const,
    seed: 1,
    startUs: 0,
    unixS: 0,
    maxFlows: 1,
    maxPayloadBytes: 1200,
    tickIntervalUs: 0,
  };
  t.throws(() => openSim(client.bytes, options), { code: 'bad-option', message: /another/ });
  const shared = new Uint8Array(createRingMemory(SIZES));
  t.throws(() => openSim(new Uint8Array(shared), options), {
    code: 'bad-option',
    message: /Shared/,
  });
  openSim(shared, options).close();
  t.throws(() => openSim(shared, options), { code: 'bad-option' }, 'not even after the other');
});

t.test('a reservation without a commit costs nothing, one too small is refused', async (t) => {
  const { client } = new World(2);
  const at = client.txReserve(100);
  for (let i = 0; i < 1000; i++) t.equal(client.txReserve(100), at) || t.bailout();
  t.throws(() => client.txCommit(TX_PAYLOAD, 0, 1, 300), RangeError);
  client.txCommit(TX_PAYLOAD, 0, 1, 100);
  t.throws(() => client.txCommit(TX_PAYLOAD, 0, 1, 100), RangeError, 'once only');
  t.equal(client.txReserve(SIZES.txArenaBytes), -1, 'larger than the arena');
  t.equal(new Int32Array(client.memory)[I_TX_TAIL], 0, 'nothing is published before a flush');
  client.flush();
  t.equal(new Int32Array(client.memory)[I_TX_TAIL], 1);
});

t.test('times are 32-bit and go across the wrap', async (t) => {
  const world = new World(3, 2 ** 31 - 55_000);
  world.connect();
  const times: number[] = [];
  let opened = 0;
  for (let i = 0; i < 30; i++) {
    world.step((_, rings) => {
      if (rings.kind === RX_OPENED) opened++;
    });
    times.push(world.server.nowUs);
  }
  t.equal(opened, 2);
  t.ok(times[0] > 0 && times[29] < 0);
  for (let i = 1; i < times.length; i++) t.equal((times[i] - times[i - 1]) | 0, STEP_US);
});

t.test('a silent client is timed out by netcode alone', async (t) => {
  const world = new World(4);
  world.connect();
  for (let i = 0; i < 20; i++) world.step(() => {});
  const { server } = world;
  let reason = 0;
  for (let i = 0; i < 1000 && reason === 0; i++) {
    const dueUs = server.native.deadlineUs();
    if (dueUs === null) break;
    server.native.setTime(dueUs);
    t.equal(server.native.dueReasons(), 0, 'nothing for JavaScript') || t.bailout();
    if (!server.native.service()) continue;
    server.drain();
    while (server.rxPoll()) if (server.kind === RX_CLOSED) reason = server.aux0;
    server.rxRelease();
  }
  t.equal(reason, 2);
});

t.test('the same seed sends the same bytes', async (t) => {
  const token = makeToken();
  const run = () => {
    const client = new SimRings(
      {
        role: 'client',
        seed: 9,
        startUs: 0,
        unixS: Math.floor(Date.now() / 1000),
        maxFlows: 1,
        maxPayloadBytes: 1200,
        tickIntervalUs: 0,
      },
      CLIENT_RING_SIZES,
    );
    client.connect(token);
    client.flush();
    const out = new Uint8Array(2048);
    const datagram = client.native.pollTransmit(out);
    return { address: datagram?.address, bytes: out };
  };
  const first = run();
  t.equal(first.address, SERVER);
  t.same(first, run());
});

t.test('simulated options are checked', async (t) => {
  const good = {
    role: 'server' as const,
    seed: 1,
    startUs: 0,
    unixS: 0,
    maxFlows: 1,
    maxPayloadBytes: 1200,
    tickIntervalUs: 0,
    protocolId: 1n,
    privateKey: KEY,
  };
  t.throws(() => new SimRings({ ...good, role: 'judge' as never }), { code: 'bad-option' });
  t.throws(() => new SimRings({ ...good, privateKey: KEY.subarray(2) }), { code: 'bad-key' });
  t.throws(() => new SimRings({ ...good, startUs: -1 }), { code: 'bad-option' });
  t.throws(() => new SimRings(null as never), { code: 'bad-option' });
  t.throws(() => new SimRings(good, { ...SIZES, rxCapacity: 4 }), { code: 'bad-option' });
  const sim = new SimRings(good, SIZES);
  t.throws(() => sim.native.inject('nowhere', new Uint8Array(1)), { code: 'bad-address' });
  t.throws(() => sim.connect(new Uint8Array(2048)), { code: 'bad-option' });
});
