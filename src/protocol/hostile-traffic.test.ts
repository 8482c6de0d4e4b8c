/** Packets that are well formed one by one, and hostile in what they say or how many they are. */
import t from 'tap';
import { answerOf } from '../../test/support/rl1-answers.js';
import {
  type Ack,
  defaultParams,
  lastMessage,
  packet,
  u16,
} from '../../test/support/rl1-packets.js';
import { Prng } from '../util/prng.js';
import { MODE_RELIABLE_ORDERED, Protocol, ProtocolStats, ROLE_SERVER } from './protocol.js';

/** A server past PARAMS that notes the numbers of what it sends. */
class Target {
  readonly protocol: Protocol;
  /** Packet numbers sent, the newest last. */
  readonly numbers: number[] = [];
  private readonly out = new Uint8Array(1200);

  constructor(flows = 1) {
    const options = { maxFlows: flows, seed: 3, registryHash: 0, maxAckDelayUs: 25_000 };
    this.protocol = new Protocol(options);
    for (let slot = 0; slot < flows; slot += 1) {
      this.protocol.openFlow(slot, ROLE_SERVER, 0, 1200);
    }
  }

  greet(): this {
    this.give(defaultParams(false));
    return this;
  }

  /** What it says to a payload; its packets leave at once. */
  give(bytes: Uint8Array, nowUs = 0): string {
    const answer = answerOf(this.protocol, nowUs, bytes);
    this.drain(nowUs);
    return answer;
  }

  drain(nowUs: number): number {
    let packets = 0;
    while (this.protocol.pollTransmit(nowUs, this.out, 0, 1200) > 0) {
      packets += 1;
      if (this.out[0] !== 0x47) {
        this.numbers.push((this.out[1] ?? 0) | ((this.out[2] ?? 0) << 8));
      }
    }
    return packets;
  }

  /** Makes it use numbers: each PING is answered at once. */
  ping(times: number, firstSequence: number): void {
    for (let index = 0; index < times; index += 1) {
      this.give(packet((firstSequence + index) & 0xffff, [1]));
    }
  }
}

t.test('acknowledgements older than what is remembered are ignored', async (t) => {
  const target = new Target().greet();
  target.ping(2000, 0);
  const first = target.numbers[0] ?? 0;
  for (const back of [1025, 1500, 1990]) {
    const largest = ((target.numbers.at(-1) ?? 0) + 1 - back) & 0xffff;
    const ack = { largest, run: 5, bitmap: [0xff] };
    t.equal(target.give(packet(3000 + back, [], ack)), 'accept', `${back} back`);
  }
  const before = { largest: (first - 1) & 0xffff };
  t.equal(
    target.give(packet(6000, [], before)),
    'ack-never-sent | violation ack-never-sent',
    'one before the first was never sent, however long ago that was',
  );
});

t.test(
  'a number that was skipped is never acknowledged with impunity, run or bitmap',
  async (t) => {
    for (const shape of ['largest', 'run', 'bitmap'] as const) {
      const target = new Target().greet();
      let skipped = -1;
      for (let sequence = 0; skipped < 0 && sequence < 600; sequence += 1) {
        target.ping(1, sequence);
        const [last = 0, previous = last] = [target.numbers.at(-1), target.numbers.at(-2)];
        if (((last - previous) & 0xffff) === 2) {
          skipped = (last - 1) & 0xffff;
        }
      }
      t.ok(skipped >= 0, 'a number was left out');
      target.ping(2, 700);
      const ack: Ack =
        shape === 'largest'
          ? { largest: skipped }
          : shape === 'run'
            ? { largest: skipped + 1, run: 1 }
            : { largest: skipped + 2, run: 0, bitmap: [1] };
      t.equal(
        target.give(packet(710, [], ack)),
        'ack-never-sent | violation ack-never-sent',
        shape,
      );
    }
  },
);

t.test('a storm of the longest blocks, each contradicting the last, moves nothing', async (t) => {
  const target = new Target().greet();
  const prng = new Prng(5);
  const data = new Uint8Array(100);
  for (let number = 0; number < 8; number += 1) {
    target.protocol.send(0, 0, 0, MODE_RELIABLE_ORDERED, data, 0, 100, 0, 0, 0);
  }
  target.ping(50, 0);
  const sent = new Set(target.numbers);
  const largest = target.numbers.at(-1) ?? 0;
  const pools = () => JSON.stringify(target.protocol.pools());
  let after = '';
  let accepted = 0;
  const sequence = (index: number) => (100 + index) & 0xffff;
  for (let index = 0; index < 10_000; index += 1) {
    const bitmap = Array.from({ length: 5 }, (_, byte) => {
      let bits = 0;
      for (let bit = 0; bit < 8; bit += 1) {
        const named = sent.has((largest - 2 - 8 * byte - bit) & 0xffff) && prng.chance(1, 2);
        bits |= named ? 1 << bit : 0;
      }
      return bits;
    });
    while (bitmap.length > 0 && bitmap.at(-1) === 0) {
      bitmap.pop();
    }
    const answer = target.give(packet(sequence(index), [], { largest, bitmap }));
    accepted += answer === 'accept' ? 1 : 0;
    if (index === 100) {
      after = pools();
    }
  }
  t.equal(pools(), after, 'what is held stays the same');
  t.equal(accepted, 10_000);
  const more = target.numbers.length - sent.size;
  t.ok(more <= 8, `${more} packets for 10,000: acknowledgements are not answered, losses are`);
  target.protocol.checkInvariants();
});

t.test('random timestamps change neither what is delivered nor the round trip', async (t) => {
  const prng = new Prng(9);
  const target = new Target().greet();
  const before = new ProtocolStats();
  target.protocol.stats(0, before);
  for (let id = 0; id < 1000; id += 1) {
    const stamped = [0x60, ...u16(id), ...u16(prng.below(0x10000)), ...lastMessage(3, 0, id, [7])];
    t.match(target.give(new Uint8Array(stamped), id * 1000), /^accept \| message 0 3 /);
  }
  const stats = new ProtocolStats();
  target.protocol.stats(0, stats);
  t.equal(stats.srttUs, before.srttUs);
  t.equal(stats.minRttUs, before.minRttUs);
  t.ok(stats.jitterUs >= 0 && stats.jitterUs <= 0x8000 * 256, `jitter ${stats.jitterUs} µs`);
});

t.test('flows that never say anything hold nothing but their slot', async (t) => {
  const target = new Target(1000);
  t.ok(Object.values(target.protocol.pools()).every((count) => count === 0));
  t.equal(target.protocol.hasDeadline, false, 'no timer runs for them');
  t.equal(target.drain(1_000_000), 0, 'nothing is sent to them');
});

t.test('CLOSE that is malformed closes nothing', async (t) => {
  const target = new Target().greet();
  for (const reason of [[0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xff], [0xe2, 0x82]]) {
    const close = [4, 0, 0, reason.length, ...reason];
    t.equal(target.give(packet(1, close)), 'close-malformed');
  }
  t.match(target.give(packet(1, lastMessage(3, 0, 0, [1]))), /^accept \| message/);
});
