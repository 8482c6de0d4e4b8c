/**
 * The jitter buffer alone: a packet in, a picture out, over jitter of 60 ms with duplicates and
 * overtaking.
 *
 *   npm run setup && node dist/bench/micro/playout-core.js [--packets N] [--rounds N] [--leak]
 *
 * `ns per packet` is `put`, `advance` and finding both ticks of the picture, in CPU time. --leak
 * allocates an object per packet, so that the allocation test can be seen to fail.
 */
import { JitterBuffer } from '../../src/time/jitter-buffer.js';
import { Prng } from '../../src/util/prng.js';

/** One second before int32 microseconds wrap, so that the run crosses it. */
const START_US = 0x7fffffff - 1_000_000;
const TICK_US = 16_667;
const JITTER_US = 60_000;

class Stream {
  readonly buffer = new JitterBuffer({ tickHz: 60 });
  private readonly random = new Prng(1);
  private leaked: unknown = null;
  /** Stays a small integer, as the ticks of a game of less than two years do. */
  private tick = 0;
  private nowUs = START_US;

  constructor(private readonly leak: boolean) {}

  run(packets: number): number {
    const { buffer, random } = this;
    let seen = 0;
    for (let count = 0; count < packets; count += 1) {
      this.tick += 1;
      this.nowUs = (this.nowUs + TICK_US) | 0;
      const isCopy = random.chance(1, 50);
      buffer.put(isCopy ? this.tick - 1 : this.tick, (this.nowUs + random.below(JITTER_US)) | 0);
      if (buffer.advance(this.nowUs)) {
        seen += buffer.slotAtOrBefore(buffer.tick) + buffer.slotAfter(buffer.tick);
      }
      if (this.leak) this.leaked = { seen, before: this.leaked === null };
    }
    return seen;
  }
}

function numberOption(name: string, otherwise: number): number {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
}

const packets = numberOption('--packets', 1_000_000);
const rounds = numberOption('--rounds', 5);
const stream = new Stream(process.argv.includes('--leak'));
stream.run(200_000);
globalThis.gc?.();
console.log('steady');
const figures: number[] = [];
for (let round = 0; round < rounds; round += 1) {
  const before = process.cpuUsage();
  stream.run(packets);
  const used = process.cpuUsage(before);
  figures.push(((used.user + used.system) * 1000) / packets);
}
console.log('end');
figures.sort((a, b) => a - b);
console.log(`${(figures[rounds >> 1] ?? 0).toFixed(0)} ns per packet (median of ${rounds})`);
