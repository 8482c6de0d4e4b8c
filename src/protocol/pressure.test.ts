import t from 'tap';
import { type End, numbered, numberOf, VirtualPair } from '../../test/support/virtual-net.js';
import * as limits from '../util/limits.js';
import {
  EVENT_NONE,
  MODE_RELIABLE_ORDERED,
  MODE_RELIABLE_UNORDERED,
  MODE_UNRELIABLE,
  MODE_UNRELIABLE_SEQUENCED,
  Protocol,
  ProtocolStats,
  RECEIPT_LOST,
  ROLE_CLIENT,
  SEND_FULL,
  SEND_QUEUED,
  TALLY_NAMES,
} from './protocol.js';

const URGENT = 1;
const CHATTER = 2;
const BULK = 5;
const CHANNELS = [{}, { priority: 0 }, { priority: 7 }, {}, {}, { priority: 5 }];
const TICK_US = 16_667;
/** Chunks are powers of two, so a message may take twice its bytes. */
const SEND_BYTES_MOST =
  2 * (limits.SEND_RELIABLE_BYTES_MAX + limits.SEND_UNRELIABLE_BYTES_MAX) + 64 * 1024;

function connected(options: ConstructorParameters<typeof VirtualPair>[0] = {}): VirtualPair {
  const pair = new VirtualPair({ channels: CHANNELS, ...options });
  pair.connect();
  pair.run(300_000);
  return pair;
}

function tally(end: End, name: string): number {
  return end.protocol.tallies[TALLY_NAMES.indexOf(name)] ?? Number.NaN;
}

function statsOf(end: End): ProtocolStats {
  const stats = new ProtocolStats();
  end.protocol.stats(0, stats);
  return stats;
}

/** Nothing can be sent yet, for longer than most tests take to fill the queues. */
function opening(): VirtualPair {
  return new VirtualPair({
    channels: CHANNELS,
    link: { blackholes: [{ fromUs: 0, toUs: 80_000 }] },
  });
}

function numbersOn(end: End, channel: number): number[] {
  return end.delivered.filter((m) => m.channel === channel).map((m) => numberOf(m.bytes));
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function fill(pair: VirtualPair, channel: number, bytes: number): number {
  let count = 0;
  while (pair.send(pair.client, channel, 3, numbered(count, bytes)) <= SEND_QUEUED) {
    count += 1;
  }
  return count;
}

/** Loses every packet of the client with the first bytes of a message on the channel in it. */
function loseForEver(pair: VirtualPair, message: Uint8Array): void {
  const mark = Buffer.from(message.subarray(0, 64));
  pair.loses = (from, bytes) => from === pair.client && Buffer.from(bytes).includes(mark);
}

/** Sends of every mode each tick: as much as is taken, and large ones among it. */
function talk(pair: VirtualPair, ticks: number, accepted: number[]): number {
  let refused = 0;
  for (let tick = 0; tick < ticks; tick += 1) {
    for (let mode = 0; mode < 4; mode += 1) {
      for (const length of [50, 900, 9000]) {
        const number = accepted[mode] as number;
        if (pair.send(pair.client, 8 + mode, mode, numbered(number, length)) <= SEND_QUEUED) {
          accepted[mode] = number + 1;
        } else {
          refused += 1;
        }
      }
    }
    pair.run(TICK_US);
  }
  return refused;
}

t.test('a peer that never acknowledges is told of, bounded, and not disconnected', async (t) => {
  const pair = connected();
  const accepted = [0, 0, 0, 0];
  pair.loses = (from) => from === pair.server;
  t.ok(talk(pair, 150, accepted) > 100, 'the sender is told');
  const { sendBytes, messages, packets } = pair.client.protocol.pools();
  t.ok(sendBytes <= SEND_BYTES_MOST, `${sendBytes} B in the queue`);
  t.ok(
    messages <= limits.SEND_RELIABLE_MESSAGES_MAX + limits.SEND_UNRELIABLE_MESSAGES_MAX,
    `${messages} messages`,
  );
  t.ok(packets <= limits.PACKETS_IN_FLIGHT_MAX, `${packets} packet records`);
  t.equal(pair.client.writable, 0, 'there is no room, so none is told');
  pair.loses = null;
  t.ok(
    pair.runUntil(() => pair.client.writable === 1, 30_000_000),
    'room again',
  );
  t.ok(pair.runUntil(() => numbersOn(pair.server, 11).length === accepted[3], 60_000_000));
  t.same(numbersOn(pair.server, 11), upTo(accepted[3] as number));
  t.same([pair.client.closed, pair.client.violations, pair.server.violations], [null, [], []]);
  t.equal(pair.client.writable, 1, 'once');
});

t.test('a peer that acknowledges slowly gets everything at its pace', async (t) => {
  const pair = connected();
  let count = 0;
  pair.loses = (from) => from === pair.server && ++count % 5 !== 0;
  const accepted = [0, 0, 0, 0];
  for (let round = 0; round < 5; round += 1) {
    talk(pair, 20, accepted);
    t.ok(pair.client.protocol.pools().sendBytes <= SEND_BYTES_MOST);
    t.ok(pair.server.protocol.pools().receiveBytes <= 2 * limits.RECEIVE_BUDGET_BYTES);
  }
  t.ok(
    pair.runUntil(() => numbersOn(pair.server, 11).length === accepted[3], 300_000_000),
    `${numbersOn(pair.server, 11).length} of ${accepted[3]}`,
  );
  t.same(numbersOn(pair.server, 11), upTo(accepted[3] as number));
  t.same([pair.client.closed, pair.client.violations, pair.server.violations], [null, [], []]);
});

t.test('behind a permanent hole one channel waits, within its bounds, and no other', async (t) => {
  for (const length of [900, 60_000]) {
    const pair = connected();
    const held = fill(pair, BULK, length);
    t.ok(held * length > 900_000, 'the buffer is full');
    loseForEver(pair, numbered(0, length));
    let slowestUs = 0;
    let refused = 0;
    pair.server.onMessage = ({ channel, bytes, atUs }) => {
      if (channel === URGENT || channel === 0) {
        slowestUs = Math.max(slowestUs, atUs - (sentUs[numberOf(bytes)] as number));
      }
    };
    const sentUs: number[] = [];
    // Numbers of their own: a lost packet is known by the bytes of number 0.
    for (let number = 5000; number < 5200; number += 1) {
      sentUs[number] = pair.timeUs;
      const message = numbered(number, 200);
      refused +=
        pair.send(pair.client, URGENT, MODE_RELIABLE_ORDERED, message) === SEND_FULL ? 1 : 0;
      refused += pair.send(pair.client, 0, MODE_RELIABLE_UNORDERED, message) === SEND_FULL ? 1 : 0;
      pair.run(TICK_US);
    }
    pair.run(1_000_000);
    t.equal(numbersOn(pair.server, URGENT).length, 200);
    t.equal(numbersOn(pair.server, 0).length, 200);
    t.equal(refused, 0);
    t.ok(slowestUs < 1_500_000, `slowest ${slowestUs} µs`);
    t.same(numbersOn(pair.server, BULK), [], 'the hole is there');
    const { receiveBytes } = pair.server.protocol.pools();
    t.ok(receiveBytes > 0 && receiveBytes <= 2 * limits.RECEIVE_BUDGET_BYTES);
    pair.loses = null;
    t.ok(pair.runUntil(() => numbersOn(pair.server, BULK).length === held, 60_000_000));
    t.same(numbersOn(pair.server, BULK), upTo(held));
    t.same([pair.client.closed, pair.client.violations, pair.server.violations], [null, [], []]);
  }
});

t.test('a flood of small messages on a patient channel keeps no urgent one out', async (t) => {
  const pair = connected();
  fill(pair, CHATTER, 1100);
  loseForEver(pair, numbered(0, 1100));
  pair.run(2_000_000);
  t.ok(fill(pair, CHATTER, 1100) > 0, 'what was acknowledged has left');
  for (let number = 0; number < 20; number += 1) {
    t.ok(pair.send(pair.client, URGENT, 3, numbered(5000 + number, 1000)) <= SEND_QUEUED);
  }
  pair.run(1_500_000);
  t.equal(numbersOn(pair.server, URGENT).length, 20);
  t.same(numbersOn(pair.server, CHATTER), []);
});

t.test('slow flows leave room for others in what all share', async (t) => {
  const flows = 40;
  const protocol = new Protocol({
    maxFlows: flows + 1,
    seed: 1,
    registryHash: 0,
    maxAckDelayUs: 25_000,
    limits: { sendBytes: 4 * 1024 * 1024 },
  });
  const bytes = new Uint8Array(1000);
  const send = (slot: number) => protocol.send(slot, 0, 0, 3, bytes, 0, 1000, 0, 0, 0);
  for (let slot = 0; slot <= flows; slot += 1) {
    protocol.openFlow(slot, ROLE_CLIENT, 0, 1200);
  }
  for (let round = 0; round < 2000; round += 1) {
    for (let slot = 0; slot < flows; slot += 1) {
      send(slot);
    }
  }
  t.ok(protocol.pools().sendBytes <= 4 * 1024 * 1024);
  for (let count = 0; count < 40; count += 1) {
    t.equal(send(flows), SEND_QUEUED, 'a flow that has little may have more');
  }
  t.equal(protocol.pollEvent(), EVENT_NONE);
});

t.test('a full queue of unreliable messages drops the least urgent and oldest', async (t) => {
  const pair = opening();
  for (let number = 0; number < 300; number += 1) {
    t.ok(pair.send(pair.client, CHATTER, MODE_UNRELIABLE, numbered(number, 20)) <= SEND_QUEUED);
  }
  const first = 300 - limits.SEND_UNRELIABLE_MESSAGES_MAX;
  t.equal(tally(pair.client, 'send-displaced'), first);
  for (let number = 0; number < 20; number += 1) {
    const message = numbered(number, 100);
    t.ok(pair.send(pair.client, URGENT, MODE_UNRELIABLE_SEQUENCED, message) <= SEND_QUEUED);
  }
  pair.run(300_000);
  t.same(numbersOn(pair.server, URGENT), upTo(20), 'all of the urgent');
  t.same(numbersOn(pair.server, CHATTER), upTo(300).slice(first + 20), 'the newest of the others');
  t.equal(statsOf(pair.client).droppedOut, first + 20);
});

t.test('urgent unreliable messages are not displaced by patient ones', async (t) => {
  const pair = opening();
  for (let number = 0; number < limits.SEND_UNRELIABLE_MESSAGES_MAX; number += 1) {
    pair.send(pair.client, URGENT, MODE_UNRELIABLE, numbered(number, 50));
  }
  t.equal(pair.send(pair.client, CHATTER, MODE_UNRELIABLE, numbered(0, 50)), SEND_FULL);
  pair.run(300_000);
  t.equal(numbersOn(pair.server, URGENT).length, limits.SEND_UNRELIABLE_MESSAGES_MAX);
});

t.test('of one kind of sequenced message only the newest is worth sending', async (t) => {
  const pair = opening();
  for (let tick = 0; tick < 4; tick += 1) {
    // Three parts of one kind in a tick, one of another kind in the first tick only.
    for (let part = 0; part < 3; part += 1) {
      const message = numbered(10 * tick + part, 60);
      pair.send(pair.client, URGENT, MODE_UNRELIABLE_SEQUENCED, message, { key: -7 });
    }
    if (tick === 0) {
      const message = numbered(999, 60);
      pair.send(pair.client, URGENT, MODE_UNRELIABLE_SEQUENCED, message, { key: -8 });
    }
    pair.run(TICK_US);
  }
  pair.run(300_000);
  t.same(numbersOn(pair.server, URGENT), [999, 30, 31, 32]);
  t.equal(tally(pair.client, 'send-outrun'), 9);
});

t.test('an unreliable message that stays half sent is given up', async (t) => {
  const pair = connected();
  pair.send(pair.client, BULK, MODE_RELIABLE_ORDERED, numbered(0, 100));
  pair.loses = () => true;
  for (let number = 0; number < 4; number += 1) {
    pair.send(pair.client, 9, MODE_UNRELIABLE, numbered(number, 16_000), { receipt: number + 1 });
  }
  pair.run(1_000_000);
  t.equal(pair.client.protocol.queuedBytes(0), 100, 'nothing unreliable waits');
  t.ok(tally(pair.client, 'send-stale') > 0);
  t.ok(statsOf(pair.client).droppedOut > 0);
  pair.loses = null;
  pair.run(3_000_000);
  pair.send(pair.client, 9, MODE_UNRELIABLE, numbered(77, 16_000), { receipt: 77 });
  pair.run(500_000);
  t.same(numbersOn(pair.server, 9), [77]);
  t.equal(pair.client.receipts.length, 5, 'each receipt is answered once');
  t.ok(pair.client.receipts.slice(0, 1).every(({ code }) => code === RECEIPT_LOST));
  t.equal(pair.client.protocol.pools().messages, 0);
});

t.test('copies never keep a new message out of a packet', async (t) => {
  const pair = connected();
  for (let number = 0; number < limits.REDUNDANT_MESSAGES_MAX; number += 1) {
    const message = numbered(number, 256);
    pair.send(pair.client, 2, MODE_UNRELIABLE_SEQUENCED, message, { redundancy: 7 });
  }
  pair.run(5000);
  const fresh = numbered(1, 500);
  const packets: boolean[] = [];
  pair.onPacket = (from, bytes) => {
    if (from === pair.client) {
      packets.push(Buffer.from(bytes).includes(Buffer.from(fresh)));
    }
  };
  pair.send(pair.client, URGENT, MODE_UNRELIABLE, fresh);
  pair.run(5000);
  t.equal(packets[0], true);
});
