import t from 'tap';
import { type End, numbered, VirtualPair } from '../../test/support/virtual-net.js';
import { MODE_RELIABLE_ORDERED, MODE_UNRELIABLE_SEQUENCED, SEND_FULL } from './protocol.js';

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
