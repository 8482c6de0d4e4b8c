import { readFileSync } from 'node:fs';
import t from 'tap';
import {
  defaultParams,
  lastFragment,
  lastMessage,
  packet,
  u16,
} from '../../test/support/rl1-packets.js';
import { numbered, VirtualPair } from '../../test/support/virtual-net.js';
import { Prng } from '../util/prng.js';
import {
  DROP_REASON_NAMES,
  EVENT_MESSAGE,
  EVENT_NONE,
  EVENT_VIOLATION,
  MODE_RELIABLE_ORDERED,
  MODE_RELIABLE_UNORDERED,
  Protocol,
  type ProtocolLimits,
  ROLE_CLIENT,
  ROLE_SERVER,
  TALLY_NAMES,
  VIOLATION_ACK_NEVER_SENT,
  VIOLATION_SENDER_RULE,
} from './protocol.js';

const OUT = new Uint8Array(1300);
/** Every reason that some test of this file has met. */
const met = new Set<string>();

/** A server of one flow past PARAMS, with short names for tests. */
class Target {
  readonly protocol: Protocol;
  readonly violations: number[] = [];
  messages = 0;

  constructor(limits: ProtocolLimits = {}, flows = 1) {
    this.protocol = new Protocol({
      maxFlows: flows,
      seed: 3,
      registryHash: 0,
      maxAckDelayUs: 25_000,
      limits,
    });
    for (let slot = 0; slot < flows; slot += 1) {
      this.protocol.openFlow(slot, ROLE_SERVER, 0, 1200);
      this.give(defaultParams(false), slot);
    }
    this.drain();
  }

  /** The name of the reason, 'accepted' for none. */
  give(bytes: Uint8Array, slot = 0): string {
    const reason = this.protocol.handlePacket(slot, 0, 0, bytes, 0, bytes.length);
    for (
      let kind = this.protocol.pollEvent();
      kind !== EVENT_NONE;
      kind = this.protocol.pollEvent()
    ) {
      this.messages += kind === EVENT_MESSAGE ? 1 : 0;
      if (kind === EVENT_VIOLATION) {
        this.violations.push(this.protocol.event.code);
      }
    }
    const name = DROP_REASON_NAMES[reason] ?? '?';
    met.add(name);
    return name;
  }

  drain(nowUs = 0): number {
    let packets = 0;
    while (this.protocol.pollTransmit(nowUs, OUT, 0, OUT.length) > 0) {
      packets += 1;
    }
    return packets;
  }

  tally(name: string): number {
    return this.protocol.tallies[TALLY_NAMES.indexOf(name)] ?? -1;
  }
}

t.test('every length 0–1500 of random bytes is refused or taken, and never throws', async (t) => {
  const prng = new Prng(99);
  const target = new Target();
  let packets = 0;
  for (let length = 0; length <= 1500; length += 1) {
    for (let round = 0; round < 8; round += 1) {
      const bytes = new Uint8Array(length);
      for (let index = 0; index < length; index += 1) {
        bytes[index] = prng.nextInt32();
      }
      if (length > 0 && round > 1) {
        bytes[0] = 0x40 | (bytes[0] ?? 0);
      }
      if (length > 3 && round > 4) {
        bytes[0] = 0x40;
        bytes[3] = 0x80 | (bytes[3] ?? 0);
      }
      target.give(bytes);
      packets += 1;
      if (target.violations.length > 0) {
        target.violations.length = 0;
        target.protocol.freeFlow(0);
        target.protocol.openFlow(0, ROLE_SERVER, 0, 1200);
        target.give(defaultParams(false));
        packets += 1;
        target.drain();
      }
    }
  }
  const counted = target.protocol.counters.reduce((sum, count) => sum + count, 0);
  t.equal(counted, packets + 1, 'every packet has exactly one counter');
});

t.test('every first byte with every length up to 64', async (t) => {
  for (let first = 0; first < 256; first += 1) {
    const target = new Target();
    for (let length = 1; length <= 64; length += 1) {
      const bytes = new Uint8Array(length).fill(first);
      target.give(bytes);
    }
  }
  t.pass('no throw');
});

t.test('an acknowledgement of a number never sent closes', async (t) => {
  const target = new Target();
  t.equal(target.give(packet(0, [1], { largest: 0 })), 'ack-never-sent');
  t.same(target.violations, [VIOLATION_ACK_NEVER_SENT]);
  t.equal(target.drain(), 4, 'CLOSE goes out, four times');
  const close = Buffer.from(OUT.subarray(3, 21)).toString('latin1');
  t.equal(close, '\x04\xea\x03\x0eack-never-sent', 'CLOSE 1002');
  t.equal(target.give(packet(1, [1])), 'flow-closed');
});

t.test('runs and bitmaps that reach before the first number close too', async (t) => {
  for (const ack of [
    { largest: 0, run: 1 },
    { largest: 0, run: 0, bitmap: [1] },
    { largest: 0, run: 255 },
  ]) {
    const target = new Target();
    target.give(packet(0, [1]));
    t.ok(target.drain() > 0, 'number 0 was used');
    t.equal(target.give(packet(1, [1], ack)), 'ack-never-sent', JSON.stringify(ack));
  }
});

t.test('an optimistic acknowledger meets a skipped number', async (t) => {
  const target = new Target();
  let refused = false;
  let nowUs = 0;
  for (let sequence = 0; sequence < 600 && !refused; sequence += 1) {
    nowUs += 1000;
    // A ping makes the target use one number; the attacker acknowledges the next without seeing it.
    const bytes = packet(sequence, [1], sequence === 0 ? undefined : { largest: sequence - 1 });
    refused = target.give(bytes) === 'ack-never-sent';
    target.drain(nowUs);
  }
  t.ok(refused);
  t.same(target.violations, [VIOLATION_ACK_NEVER_SENT]);
});

t.test('duplicates and packets older than the history are refused', async (t) => {
  const target = new Target();
  t.equal(target.give(packet(1000, lastMessage(0, 0, 0, [1]))), 'accepted');
  t.equal(target.give(packet(1000, lastMessage(0, 0, 0, [1]))), 'packet-duplicate');
  t.equal(target.give(packet(489, lastMessage(0, 0, 0, [1]))), 'accepted');
  t.equal(target.give(packet(488, lastMessage(0, 0, 0, [1]))), 'packet-old');
  t.equal(target.messages, 2);
});

t.test(
  'permanent holes hold no more than the window, and three packets too many close',
  async (t) => {
    const target = new Target();
    let sequence = 0;
    for (let id = 1; id < 512; id += 1) {
      t.equal(target.give(packet(sequence, lastMessage(3, 0, id, [1, 2, 3]))), 'accepted');
      sequence += 1;
    }
    t.equal(target.messages, 0);
    for (let strike = 1; strike <= 3; strike += 1) {
      t.equal(target.give(packet(sequence, lastMessage(3, 0, 512, [1]))), 'sender-rule');
      t.equal(target.violations.length, strike === 3 ? 1 : 0);
    }
    t.same(target.violations, [VIOLATION_SENDER_RULE]);
  },
);

t.test('first fragments of every id take no more than the budget', async (t) => {
  const target = new Target();
  let accepted = 0;
  for (let id = 0; id < 100 && target.violations.length === 0; id += 1) {
    accepted += target.give(packet(id, lastFragment(3, 0, id, 0, 256))) === 'accepted' ? 1 : 0;
  }
  t.equal(accepted, 2, 'two of 255 KiB and a bit, and no third');
  const many = new Target();
  accepted = 0;
  for (let id = 0; id < 100 && many.violations.length === 0; id += 1) {
    accepted += many.give(packet(id, lastFragment(2, 0, id, 0, 2))) === 'accepted' ? 1 : 0;
  }
  t.equal(accepted, 8, 'eight messages in pieces');
});

t.test('the process-wide cap refuses without closing, and ends with the pressure', async (t) => {
  const target = new Target({ reassemblyBytes: 256 * 1024 }, 2);
  t.equal(target.give(packet(0, lastFragment(3, 0, 0, 0, 256)), 0), 'accepted');
  t.equal(target.give(packet(0, lastFragment(3, 0, 0, 0, 2)), 1), 'reassembly-full');
  t.equal(
    target.give(packet(1, lastMessage(3, 1, 0, [1])), 1),
    'accepted',
    'in order needs no room',
  );
  target.protocol.freeFlow(0);
  t.equal(
    target.give(packet(0, lastFragment(3, 0, 1, 0, 2)), 1),
    'accepted',
    'the same packet again',
  );
  t.same(target.violations, []);
});

t.test('fragments of one packet agree about how many there are', async (t) => {
  for (const mode of [0, 1, 2, 3]) {
    const target = new Target();
    const first = [0x80 | 0x40 | (mode << 3), ...u16(0), 1, 1, 1, 0xaa];
    const count = mode >= 2 ? 201 : 10;
    const frames = [...first, ...lastFragment(mode, 0, 0, count - 1, count)];
    t.equal(target.give(packet(0, frames)), 'fragment-malformed', `mode ${mode}`);
    t.equal(target.protocol.pools().held, 0);
    target.protocol.checkInvariants();
  }
});

t.test('a message cannot change how many fragments it has', async (t) => {
  const target = new Target();
  t.equal(target.give(packet(0, lastFragment(3, 0, 0, 0, 3))), 'accepted');
  t.equal(target.give(packet(1, lastFragment(3, 0, 0, 0, 4))), 'fragment-malformed');
});

t.test('unreliable partials are few and short-lived, and never a violation', async (t) => {
  const target = new Target();
  for (let id = 0; id < 50; id += 1) {
    t.equal(target.give(packet(id, lastFragment(0, 0, id, 0, 16))), 'accepted');
  }
  t.equal(target.tally('partial-evicted'), 48);
  target.protocol.handleTimeout(400_000);
  t.equal(target.tally('partial-expired'), 0);
  target.protocol.handleTimeout(502_000);
  t.equal(target.tally('partial-expired'), 2);
  t.same(target.violations, []);
});

t.test('a sequenced jump locks out only its own sender', async (t) => {
  const target = new Target();
  target.give(packet(0, lastMessage(1, 0, 32766, [1])));
  t.equal(target.messages, 1);
  target.give(packet(1, lastMessage(1, 0, 5, [1])));
  t.equal(target.messages, 1);
  t.equal(target.tally('message-stale'), 1);
  target.give(packet(2, lastMessage(1, 1, 0, [1])));
  t.equal(target.messages, 2, 'another channel is not concerned');
});

t.test('a PING flood is answered once per turn', async (t) => {
  const target = new Target();
  for (let sequence = 0; sequence < 1000; sequence += 1) {
    target.give(packet(sequence, new Array<number>(64).fill(1)));
  }
  t.equal(target.drain(), 1);
});

t.test('TIME_REQ floods are answered once per turn, unasked answers are set aside', async (t) => {
  const target = new Target();
  for (let sequence = 0; sequence < 100; sequence += 1) {
    target.give(packet(sequence, [2, 1, 2, 3, 4, 2, 5, 6, 7, 8]));
  }
  t.equal(target.drain(), 1);
  target.give(packet(100, [3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]));
  t.equal(target.tally('time-unmatched'), 1);
});

t.test('contradictory acknowledgements of old numbers are only counted', async (t) => {
  const pair = new VirtualPair({ limits: { firstSequence: 0 } });
  pair.connect();
  for (let number = 0; number < 60; number += 1) {
    pair.send(pair.server, 0, MODE_RELIABLE_ORDERED, numbered(number, 10));
    pair.run(5000);
  }
  for (let round = 0; round < 50; round += 1) {
    const ack = { largest: 20 + (round % 30), run: round % 5, bitmap: [0xaa, 0x55] };
    pair.inject(pair.client, packet(300 + round, [], ack));
  }
  t.same(pair.server.violations, []);
});

t.test('before its PARAMS are answered a client takes nothing else', async (t) => {
  const client = new Protocol({ maxFlows: 1, seed: 1, registryHash: 0, maxAckDelayUs: 25_000 });
  client.openFlow(0, ROLE_CLIENT, 0, 1200);
  const give = (bytes: Uint8Array) =>
    DROP_REASON_NAMES[client.handlePacket(0, 0, 0, bytes, 0, bytes.length)];
  t.equal(give(packet(0, [1])), 'before-params');
  t.equal(give(defaultParams(false)), 'params-unexpected', 'its own PARAMS, echoed');
  t.equal(give(defaultParams(true).subarray(0, 20)), 'params-malformed');
  t.equal(give(defaultParams(true)), 'accepted');
  t.equal(give(defaultParams(true)), 'accepted', 'again is harmless');
});

t.test('a free slot refuses packets', async (t) => {
  const target = new Target();
  target.protocol.freeFlow(0);
  t.equal(target.give(packet(0, [1])), 'flow-closed');
});

t.test('misuse of the API throws', async (t) => {
  const target = new Target();
  const { protocol } = target;
  const bytes = new Uint8Array(10);
  t.throws(() => protocol.openFlow(0, ROLE_SERVER, 0, 1200), /in use/);
  t.throws(() => protocol.freeFlow(1), /slot/);
  t.throws(() => protocol.freeFlow(-1), /slot/);
  t.throws(() => protocol.send(0, 0, 32, 0, bytes, 0, 1, 0, 0, 0), /channel/);
  t.throws(() => protocol.send(0, 0, 0, 4, bytes, 0, 1, 0, 0, 0), /mode/);
  t.throws(() => protocol.send(0, 0, 0, 0, bytes, 5, 6, 0, 0, 0), /bytes/);
  t.throws(() => protocol.close(0, 0, 0x10000, null), /u16/);
  t.throws(() => protocol.close(0, 0, 0, new Uint8Array(65)), /64/);
  protocol.send(0, 0, 0, MODE_RELIABLE_UNORDERED, bytes, 0, 1, 0, 0, 0);
  t.throws(() => protocol.pollTransmit(0, bytes, 0, 10), /capacity/);
});

t.test('every DropReason can be reached, here or by the vectors', async (t) => {
  for (const file of ['refused', 'params']) {
    const url = new URL(`../../test/vectors/rl1/${file}.json`, import.meta.url);
    for (const [, name] of readFileSync(url, 'utf8').matchAll(/"reason": "([a-z-]+)"/g)) {
      met.add(name as string);
    }
  }
  met.add('before-params');
  t.same(
    DROP_REASON_NAMES.filter((name) => !met.has(name)),
    [],
  );
});
