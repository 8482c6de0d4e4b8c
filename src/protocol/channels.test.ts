import t from 'tap';
import { type End, numbered, VirtualPair } from '../../test/support/virtual-net.js';
import {
  MODE_RELIABLE_ORDERED,
  MODE_UNRELIABLE_SEQUENCED,
  ProtocolStats,
  SEND_FULL,
} from './protocol.js';

const URGENT = 1;
const BULK = 5;
const CHANNELS = [{}, { priority: 0 }, { weight: 1 }, { weight: 3 }, {}, { priority: 7 }];
/** 100 KB/s, a fifth of a second of queue. */
const NARROW = { bytesPerSecond: 100_000, queueBytes: 20_000 };

function connected(options: ConstructorParameters<typeof VirtualPair>[0]): VirtualPair {
  const pair = new VirtualPair({ channels: CHANNELS, ...options });
  pair.connect();
  pair.run(300_000);
  return pair;
}

/** Queues large messages on the channel, as many as it takes. */
function fill(pair: VirtualPair, channel: number, count: number, bytes: number): void {
  for (let index = 0; index < count; index += 1) {
    const message = numbered(index, bytes);
    if (pair.send(pair.server, channel, MODE_RELIABLE_ORDERED, message) === SEND_FULL) {
      return;
    }
  }
}

function statsOf(end: End): ProtocolStats {
  const stats = new ProtocolStats();
  end.protocol.stats(0, stats);
  return stats;
}

function bytesOn(end: End, channel: number): number {
  return end.delivered.reduce((sum, m) => sum + (m.channel === channel ? m.bytes.length : 0), 0);
}

t.test('an urgent message is in the next packet, whatever bulk waits or was lost', async (t) => {
  for (const loss of [0, 50]) {
    const pair = connected({ link: { loss, ...NARROW } });
    fill(pair, BULK, 8, 200_000);
    const urgent = new Uint8Array(200).fill(0xee);
    const mark = Buffer.from(urgent);
    let waiting = 0;
    let overtaken = 0;
    pair.onPacket = (from, bytes) => {
      if (from === pair.server && waiting === 1 && bytes.length > 100) {
        if (Buffer.from(bytes).includes(mark)) {
          waiting = 0;
        } else {
          overtaken += 1;
        }
      }
    };
    for (let tick = 0; tick < 120; tick += 1) {
      pair.send(pair.server, URGENT, MODE_UNRELIABLE_SEQUENCED, urgent, { key: 1 });
      waiting = 1; // a newer one takes the place of one that still waits
      pair.run(16_667);
    }
    t.equal(overtaken, 0);
    t.ok(bytesOn(pair.client, URGENT) > 20 * 200);
    t.ok(pair.server.protocol.queuedBytes(0) > 0, 'bulk waits all the time');
  }
});

t.test('an urgent message is in the next packet when all resends of bulk are due', async (t) => {
  const pair = connected({ link: { delayUs: 10_000 } });
  const urgent = new Uint8Array(200).fill(0xee);
  const mark = Buffer.from(urgent);
  let worstLost = 0;
  let overtaken = 0;
  let waiting = false;
  for (let round = 0; round < 20; round += 1) {
    fill(pair, BULK, 3, 250_000);
    // All but the last packets of this time are lost, so they are found missing by one ack.
    const untilUs = pair.timeUs + 8_000;
    pair.loses = (end) => end === pair.server && pair.timeUs < untilUs;
    pair.run(12_000);
    pair.loses = null;
    const before = statsOf(pair.server);
    pair.onPacket = (from, bytes) => {
      if (from === pair.server && waiting) {
        overtaken += Buffer.from(bytes).includes(mark) ? 0 : 1;
        waiting = false;
      }
    };
    for (let step = 0; step < 40; step += 1) {
      pair.send(pair.server, URGENT, MODE_UNRELIABLE_SEQUENCED, urgent, { key: 1 });
      waiting = true;
      pair.run(1_000);
    }
    const after = statsOf(pair.server);
    worstLost = Math.max(worstLost, after.lost - before.lost);
    pair.onPacket = null;
    pair.run(200_000);
  }
  t.ok(worstLost >= 15, `${worstLost} packets to send again at once`);
  t.equal(overtaken, 0);
});

t.test('channels of one priority share what there is by their weights', async (t) => {
  const pair = connected({ link: NARROW });
  const before = [bytesOn(pair.client, 2), bytesOn(pair.client, 3)];
  for (let step = 0; step < 200; step += 1) {
    fill(pair, 2, 5, 900);
    fill(pair, 3, 5, 900);
    pair.run(50_000);
  }
  const light = bytesOn(pair.client, 2) - (before[0] as number);
  const heavy = bytesOn(pair.client, 3) - (before[1] as number);
  t.ok(light > 100_000, `${light} B by weight 1`);
  t.ok(Math.abs(heavy / light - 3) < 0.3, `${heavy} B by weight 3: ${(heavy / light).toFixed(2)}`);
});
