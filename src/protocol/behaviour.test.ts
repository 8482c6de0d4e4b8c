import t from 'tap';
import { CLEAN, End, numbered, numberOf, VirtualPair } from '../../test/support/virtual-net.js';
import {
  MODE_RELIABLE_ORDERED,
  MODE_RELIABLE_UNORDERED,
  MODE_UNRELIABLE,
  MODE_UNRELIABLE_SEQUENCED,
  Protocol,
  ProtocolStats,
  ROLE_RAW,
  ROLE_SERVER,
  SEND_CLOSED,
  SEND_FULL,
  SEND_OK,
  SEND_QUEUED,
  SEND_TOO_LARGE,
  TALLY_NAMES,
  VIOLATION_PARAMS,
} from './protocol.js';

function numbers(end: End): number[] {
  return end.delivered.map((m) => numberOf(m.bytes));
}

function tally(end: End, name: string): number {
  return end.protocol.tallies[TALLY_NAMES.indexOf(name)] ?? -1;
}

function statsOf(end: End): ProtocolStats {
  const stats = new ProtocolStats();
  end.protocol.stats(0, stats);
  return stats;
}

function connected(options: ConstructorParameters<typeof VirtualPair>[0] = {}): VirtualPair {
  const pair = new VirtualPair(options);
  pair.connect();
  pair.run(300_000);
  return pair;
}

/** Everything sent from now on is lost until `heal`. */
function cut(pair: VirtualPair): void {
  pair.link.blackholes.push({ fromUs: pair.timeUs, toUs: Number.MAX_SAFE_INTEGER });
}

function heal(pair: VirtualPair): void {
  pair.link.blackholes.length = 0;
}

t.test('PARAMS survive 60 % loss, and messages sent before wait for them', async (t) => {
  for (let seed = 1; seed <= 10; seed += 1) {
    const pair = new VirtualPair({ seed, link: { loss: 600 } });
    t.equal(pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, numbered(1, 10)), SEND_QUEUED);
    t.equal(pair.send(pair.server, 0, MODE_RELIABLE_ORDERED, numbered(2, 10)), SEND_QUEUED);
    t.ok(pair.runUntil(() => numbers(pair.client).length + numbers(pair.server).length === 2, 6e7));
    t.same([numbers(pair.server), numbers(pair.client)], [[1], [2]]);
  }
});

t.test('the registry hash of the peer comes with READY', async (t) => {
  const pair = new VirtualPair({ seed: 41 });
  let hash = -1;
  const { protocol } = pair.client;
  const poll = protocol.pollEvent.bind(protocol);
  protocol.pollEvent = () => {
    const kind = poll();
    hash = kind === 1 ? protocol.event.registryHash : hash;
    return kind;
  };
  pair.connect();
  t.equal(hash, 42);
});

t.test('any other first payload makes the flow raw', async (t) => {
  const pair = new VirtualPair();
  const server = new End({}, 9);
  server.protocol.openFlow(0, ROLE_SERVER, 0, 1200);
  for (const text of ['hello', 'GGRL', '\x41\x00\x00']) {
    const bytes = new TextEncoder().encode(text);
    server.protocol.handlePacket(0, 0, 0, bytes, 0, bytes.length);
    server.drainEvents(0);
  }
  t.same(
    server.raw.map((bytes) => new TextDecoder().decode(bytes)),
    ['hello', 'GGRL', '\x41\x00\x00'],
  );
  t.equal(server.protocol.pollTransmit(0, new Uint8Array(1200), 0, 1200), 0, 'nothing is sent');
  t.equal(pair.send(server, 0, 0, numbered(1, 4)), SEND_CLOSED);
  server.protocol.openFlow(1, ROLE_RAW, 0, 1200);
  const hello = new TextEncoder().encode('GGRL1 from a foreign peer');
  server.protocol.handlePacket(1, 0, 0, hello, 0, hello.length);
  server.drainEvents(0);
  t.equal(server.raw.length, 4);
});

t.test('several messages share a packet', async (t) => {
  const pair = connected();
  const before = pair.client.packetsOut;
  for (let number = 0; number < 10; number += 1) {
    pair.send(pair.client, number % 3, number % 4, numbered(number, 60));
  }
  pair.run(15_000);
  t.equal(pair.client.packetsOut - before, 1);
  pair.run(30_000);
  t.same(
    numbers(pair.server).sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
});

t.test('the typical packet costs nine bytes and the frame', async (t) => {
  const pair = connected();
  const sizes: number[] = [];
  pair.onPacket = (from, bytes) => {
    if (from === pair.client) {
      sizes.push(bytes.length);
    }
  };
  for (let number = 0; number < 50; number += 1) {
    pair.send(pair.client, 0, MODE_UNRELIABLE_SEQUENCED, numbered(number, 100));
    pair.send(pair.server, 0, MODE_UNRELIABLE_SEQUENCED, numbered(number, 100));
    pair.run(16_667);
  }
  const typical = sizes.filter((size) => size === 9 + 3 + 100).length;
  t.ok(typical >= 40, `${typical} of 50 are 112 bytes`);
});

t.test('send reports pressure, keeps within its bound and recovers', async (t) => {
  const pair = connected();
  cut(pair);
  let accepted = 0;
  let result = SEND_OK;
  while (result < SEND_FULL) {
    result = pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, numbered(accepted, 1000));
    accepted += result < SEND_FULL ? 1 : 0;
    pair.run(100);
  }
  t.equal(result, SEND_FULL);
  t.ok(accepted > 1000 && accepted < 1100, `${accepted} of 1000 B`);
  t.ok(pair.client.protocol.queuedBytes(0) <= 1024 * 1024);
  t.ok(pair.client.protocol.pools().sendBytes <= 1024 * 1024 * 1.1);
  heal(pair);
  t.ok(pair.runUntil(() => pair.server.delivered.length === accepted, 60_000_000));
  t.same(
    numbers(pair.server),
    Array.from({ length: accepted }, (_, index) => index),
  );
  t.equal(pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, numbered(0, 1000)), SEND_OK);
  t.same(pair.server.violations, []);
});

t.test('many small messages are bounded too', async (t) => {
  const pair = connected();
  cut(pair);
  let accepted = 0;
  while (pair.send(pair.client, 0, MODE_RELIABLE_UNORDERED, numbered(accepted, 4)) < SEND_FULL) {
    accepted += 1;
  }
  t.equal(accepted, 4096 - 64, 'all but what more urgent channels may still have');
  heal(pair);
  t.ok(pair.runUntil(() => pair.server.delivered.length === accepted, 60_000_000));
  t.same(pair.server.violations, []);
});

t.test('the sender’s rule holds while one packet is missing: 512 ids and no more', async (t) => {
  const pair = connected();
  const original = pair.onPacket;
  t.equal(original, null);
  pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, numbered(0, 10));
  const start = pair.timeUs;
  pair.link.blackholes.push({ fromUs: start, toUs: start + 1 });
  pair.run(1);
  for (let number = 1; number < 2000; number += 1) {
    pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, numbered(number, 10));
  }
  t.ok(pair.runUntil(() => pair.server.delivered.length === 2000, 20_000_000));
  t.same(
    numbers(pair.server),
    Array.from({ length: 2000 }, (_, index) => index),
  );
  t.same(pair.server.violations, []);
});

t.test('nine large messages are sent within eight partials and the budget', async (t) => {
  const pair = connected({ link: { loss: 50 } });
  for (let number = 0; number < 9; number += 1) {
    pair.sendPatiently(pair.client, number, MODE_RELIABLE_UNORDERED, numbered(number, 150_000));
  }
  t.ok(pair.runUntil(() => pair.server.delivered.length === 9, 60_000_000));
  t.same(numbers(pair.server).sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  t.same(pair.server.violations, []);
});

t.test('what is too large is refused at once', async (t) => {
  const pair = connected();
  const { client } = pair;
  t.equal(pair.send(client, 0, MODE_RELIABLE_ORDERED, new Uint8Array(262_145)), SEND_TOO_LARGE);
  t.equal(pair.send(client, 0, MODE_UNRELIABLE, new Uint8Array(16_385)), SEND_TOO_LARGE);
  t.ok(pair.send(client, 0, MODE_UNRELIABLE, numbered(1, 16_384)) <= SEND_QUEUED);
  t.ok(pair.send(client, 0, MODE_RELIABLE_ORDERED, numbered(2, 262_144)) <= SEND_QUEUED);
  t.ok(pair.runUntil(() => pair.server.delivered.length === 2, 5_000_000));
  t.equal(tally(client, 'send-refused'), 2);
});

t.test('every size about the packet limit arrives whole', async (t) => {
  const pair = connected();
  for (let length = 1100; length < 1260; length += 1) {
    pair.sendPatiently(pair.client, 31, MODE_RELIABLE_ORDERED, numbered(length, length));
    pair.sendPatiently(pair.client, 7, MODE_UNRELIABLE, numbered(length, length));
    pair.run(3000);
  }
  t.ok(pair.runUntil(() => pair.server.delivered.length === 320, 5_000_000));
  t.ok(pair.server.delivered.every((m) => m.bytes.length === numberOf(m.bytes)));
});

t.test('a peer with smaller limits is respected, and refused what cannot fit it', async (t) => {
  const pair = new VirtualPair({ limits: { messageBytes: 4096, channels: 4 } });
  t.equal(pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, new Uint8Array(8192)), SEND_QUEUED);
  t.ok(pair.runUntil(() => pair.client.violations.length > 0, 1_000_000));
  t.same(pair.client.violations, [VIOLATION_PARAMS]);
  const other = connected({ limits: { messageBytes: 4096, channels: 4 } });
  t.equal(other.send(other.client, 0, MODE_RELIABLE_ORDERED, new Uint8Array(4097)), SEND_TOO_LARGE);
  t.ok(other.send(other.client, 3, MODE_RELIABLE_ORDERED, numbered(1, 4096)) <= SEND_QUEUED);
  t.ok(other.runUntil(() => other.server.delivered.length === 1, 1_000_000));
});

t.test('an expired message is not sent, and leaves no hole', async (t) => {
  const pair = connected();
  const blocked = 200;
  cut(pair);
  for (let number = 0; number < blocked; number += 1) {
    pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, numbered(number, 1000));
    pair.run(10);
  }
  const expiresUs = 50_000;
  pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, numbered(900, 10), { expiresUs });
  pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, numbered(901, 10));
  pair.run(100_000);
  heal(pair);
  t.ok(pair.runUntil(() => numbers(pair.server).includes(901), 10_000_000));
  t.notOk(numbers(pair.server).includes(900));
  t.equal(tally(pair.client, 'send-expired'), 1);
});

t.test('unreliable data that could not be sent in 200 ms is dropped', async (t) => {
  const pair = connected();
  cut(pair);
  for (let number = 0; number < 300; number += 1) {
    pair.send(pair.client, 0, MODE_UNRELIABLE, numbered(number, 100));
    pair.run(16_667);
  }
  t.ok(pair.client.protocol.queuedBytes(0) < 20 * 100);
  const stale = tally(pair.client, 'send-stale');
  t.ok(stale > 50, `${stale} dropped`);
  heal(pair);
  const healedAt = pair.timeUs;
  for (let number = 300; number < 370; number += 1) {
    pair.send(pair.client, 0, MODE_UNRELIABLE, numbered(number, 100));
    pair.run(16_667);
  }
  t.ok(pair.server.delivered.some((m) => m.atUs > healedAt && m.atUs < healedAt + 1_100_000));
});

t.test('a newer message of the same key replaces the unsent one', async (t) => {
  const pair = connected();
  cut(pair);
  for (let number = 0; number < 100; number += 1) {
    pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, numbered(number, 1000));
    pair.run(10);
  }
  for (let number = 500; number < 520; number += 1) {
    pair.send(pair.client, 1, MODE_RELIABLE_ORDERED, numbered(number, 20 + number), { key: 77 });
    pair.send(pair.client, 1, MODE_RELIABLE_ORDERED, numbered(number + 100, 2000), { key: 78 });
  }
  t.equal(tally(pair.client, 'send-superseded'), 38);
  heal(pair);
  t.ok(pair.runUntil(() => pair.server.delivered.length === 102, 10_000_000));
  t.same(
    numbers(pair.server).filter((number) => number >= 500),
    [519, 619],
  );
  pair.send(pair.client, 1, MODE_RELIABLE_ORDERED, numbered(1, 20), { key: 77 });
  t.ok(
    pair.runUntil(() => pair.server.delivered.length === 103, 1_000_000),
    'the key is free again',
  );
});

t.test('redundant copies close single losses without a resend', async (t) => {
  for (const mode of [MODE_UNRELIABLE_SEQUENCED, MODE_RELIABLE_UNORDERED]) {
    const pair = connected({ seed: 5, link: { loss: 100 } });
    for (let number = 0; number < 400; number += 1) {
      pair.send(pair.client, 0, mode, numbered(number, 36), { redundancy: 2 });
      pair.run(16_667);
    }
    const seen = new Set(numbers(pair.server));
    t.ok(seen.size >= 390, `mode ${mode}: ${seen.size} of 400`);
    t.equal(seen.size, pair.server.delivered.length, 'none twice');
    if (mode === MODE_RELIABLE_UNORDERED) {
      pair.run(1_000_000);
      t.equal(new Set(numbers(pair.server)).size, 400);
    }
  }
});

t.test('CLOSE carries its code and reason, and ends everything', async (t) => {
  const pair = connected();
  pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, numbered(1, 5000));
  pair.run(30_000);
  pair.client.protocol.close(0, pair.nowUs, 1001, new TextEncoder().encode('büy 🎮'));
  pair.run(100_000);
  t.same(pair.server.closed, { code: 1001, reason: 'büy 🎮' });
  t.equal(pair.send(pair.client, 0, 0, numbered(1, 4)), SEND_CLOSED);
  t.equal(pair.send(pair.server, 0, 0, numbered(1, 4)), SEND_CLOSED);
  pair.client.protocol.close(0, pair.nowUs, 5, null);
  pair.client.protocol.freeFlow(0);
  pair.server.protocol.freeFlow(0);
  for (const end of [pair.client, pair.server]) {
    t.same(new Set(Object.values(end.protocol.pools())), new Set([0]));
  }
});

t.test('a lost CLOSE is said again to a peer that goes on, three times at most', async (t) => {
  const pair = connected();
  pair.client.protocol.close(0, pair.nowUs, 9, null);
  pair.link.blackholes.push({ fromUs: pair.timeUs, toUs: pair.timeUs + 1 });
  pair.run(1);
  t.equal(pair.server.closed, null);
  pair.send(pair.server, 0, MODE_UNRELIABLE, numbered(1, 4));
  pair.run(100_000);
  t.same(pair.server.closed, { code: 9, reason: '' });
});

t.test('watchDrained tells when all reliable messages are acknowledged', async (t) => {
  const pair = connected({ link: { loss: 100 } });
  for (let number = 0; number < 50; number += 1) {
    pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, numbered(number, 500));
  }
  pair.client.protocol.watchDrained(0);
  t.equal(pair.client.drained, 0);
  t.ok(pair.runUntil(() => pair.client.drained === 1, 10_000_000));
  t.equal(pair.server.delivered.length, 50);
  pair.client.protocol.watchDrained(0);
  pair.client.drainEvents(0);
  t.equal(pair.client.drained, 2, 'at once when there is nothing to wait for');
});

t.test('memory is back to zero after freeFlow in the middle of everything', async (t) => {
  for (let seed = 1; seed <= 8; seed += 1) {
    const pair = connected({
      seed,
      link: { ...CLEAN, loss: 200, reorder: 300, reorderUs: 40_000 },
    });
    for (let number = 0; number < 200; number += 1) {
      for (const end of [pair.client, pair.server]) {
        pair.send(end, number % 9, number % 4, numbered(number, (number * 97) % 9000), {
          redundancy: 3,
          key: number % 5,
        });
      }
      pair.run(1000);
    }
    for (const end of [pair.client, pair.server]) {
      t.ok(end.protocol.pools().messages > 0);
      end.protocol.freeFlow(0);
      t.same(new Set(Object.values(end.protocol.pools())), new Set([0]), `seed ${seed}`);
      end.protocol.checkInvariants();
    }
  }
});

t.test('a slot is used again without a trace of its earlier flow', async (t) => {
  const pair = connected();
  pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, numbered(1, 10));
  for (const end of [pair.client, pair.server]) {
    end.protocol.freeFlow(0);
  }
  pair.client.protocol.openFlow(0, 0, pair.nowUs, 1200);
  pair.server.protocol.openFlow(0, 1, pair.nowUs, 1200);
  pair.run(200_000);
  pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, numbered(2, 10));
  pair.run(200_000);
  t.same(numbers(pair.server), [2]);
});

t.test('freeFlow inside a handler drops the rest of its packet', async (t) => {
  const pair = connected();
  for (let number = 0; number < 5; number += 1) {
    pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, numbered(number, 10));
  }
  pair.server.onMessage = () => pair.server.protocol.freeFlow(0);
  pair.run(100_000);
  t.same(numbers(pair.server), [0]);
});

t.test('send inside a handler may answer at once', async (t) => {
  const pair = connected({ link: { reorder: 300, reorderUs: 30_000 } });
  pair.server.onMessage = (message) => pair.send(pair.server, 0, message.mode, message.bytes);
  for (let number = 0; number < 200; number += 1) {
    pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, numbered(number, 10 + (number % 3) * 900));
    pair.run(2000);
  }
  t.ok(pair.runUntil(() => pair.client.delivered.length === 200, 10_000_000));
  t.same(numbers(pair.client), numbers(pair.server));
});

t.test('the clock finds the peer’s offset', async (t) => {
  const pair = new VirtualPair({ link: { reorder: 500, reorderUs: 20_000 } });
  t.notOk(pair.client.protocol.hasClock(0));
  pair.connect();
  pair.run(3_000_000);
  t.ok(pair.client.protocol.hasClock(0));
  t.notOk(pair.server.protocol.hasClock(0), 'only clients ask');
  const offset = pair.client.protocol.serverOffsetUs(0);
  t.ok(Math.abs(offset) <= 1000, `offset ${offset} µs with one clock`);
});

t.test('a round trip longer than the gaps of the burst loses none of its answers', async (t) => {
  const pair = new VirtualPair({ link: { delayUs: 150_000 } });
  pair.connect();
  pair.run(700_000);
  const { protocol } = pair.client;
  t.ok(protocol.clockSampleCount(0) >= 5, `${protocol.clockSampleCount(0)} answers`);
  const sample = new Int32Array(3);
  for (let index = 0; index < protocol.clockSampleCount(0); index += 1) {
    t.ok(protocol.clockSample(0, index, sample));
    t.ok(Math.abs(sample[0] - 300_000) <= 1000 && Math.abs(sample[1]) <= 1000, `${sample}`);
  }
  t.notOk(protocol.clockSample(0, protocol.clockSampleCount(0), sample));
  pair.run(20_000_000);
  t.notOk(protocol.clockSample(0, protocol.clockSampleCount(0) - 9, sample), 'eight are kept');
});

t.test('an idle flow sends no more than its clock', async (t) => {
  const pair = connected();
  pair.run(3_000_000); // at first it asks for the time more often
  const before = pair.client.packetsOut + pair.server.packetsOut;
  pair.run(10_000_000);
  t.ok(pair.client.packetsOut + pair.server.packetsOut - before <= 22);
  t.equal(statsOf(pair.client).inFlightPackets, 0);
});

t.test('a long round trip resends nothing', async (t) => {
  const pair = new VirtualPair({ link: { delayUs: 750_000 } });
  pair.connect();
  for (let number = 0; number < 30; number += 1) {
    pair.send(pair.client, 0, MODE_RELIABLE_ORDERED, numbered(number, 100));
    pair.run(300_000);
  }
  pair.run(5_000_000);
  t.equal(pair.server.delivered.length, 30);
  t.ok(statsOf(pair.client).resends <= 30, 'at most one spurious resend per message');
});

t.test('reordering teaches the packet threshold', async (t) => {
  const pair = connected({ link: { reorder: 250, reorderUs: 30_000 } });
  const stats = () => statsOf(pair.client);
  for (let number = 0; number < 1000; number += 1) {
    pair.send(pair.client, 0, MODE_RELIABLE_UNORDERED, numbered(number, 100));
    pair.run(5000);
  }
  const early = stats().resends;
  for (let number = 1000; number < 3000; number += 1) {
    pair.send(pair.client, 0, MODE_RELIABLE_UNORDERED, numbered(number, 100));
    pair.run(5000);
  }
  t.ok(stats().resends - early < 100, `${stats().resends - early} of 2000 after 5 s`);
});

t.test('deadlines of many flows come from one wheel', async (t) => {
  const protocol = new Protocol({
    maxFlows: 5000,
    seed: 1,
    registryHash: 0,
    maxAckDelayUs: 25_000,
  });
  const out = new Uint8Array(1200);
  for (let slot = 0; slot < 5000; slot += 1) {
    protocol.openFlow(slot, 0, slot * 10, 1200);
  }
  let nowUs = 50_000;
  let sent = 0;
  while (protocol.pollTransmit(nowUs, out, 0, 1200) > 0) {
    sent += 1;
  }
  t.equal(sent, 5000);
  for (let step = 0; step < 60; step += 1) {
    t.ok(protocol.hasDeadline);
    nowUs = protocol.deadlineUs;
    protocol.handleTimeout(nowUs);
    while (protocol.pollTransmit(nowUs, out, 0, 1200) > 0) {
      sent += 1;
    }
    protocol.checkInvariants();
  }
  t.ok(sent >= 10_000, 'everyone repeats its PARAMS');
});
