import t from 'tap';
import { Prng } from '../util/prng.js';
import { JitterBuffer, SLOTS } from './jitter-buffer.js';

const MS = 1_000;
const SECOND = 1_000_000;
const WAY_US = 30_000;

interface World {
  buffer: JitterBuffer;
  hz: number;
  nowUs: number;
  /** Of the last picture. */
  shownUs: number;
  /** Next tick to be sent. */
  tick: number;
  firstTick: number;
  startUs: number;
  waiting: { atUs: number; tick: number }[];
}

function newWorld(hz: number, firstTick = 0, startUs = 0): World {
  const buffer = new JitterBuffer({ tickHz: hz });
  return { buffer, hz, nowUs: 0, shownUs: 0, tick: 0, firstTick, startUs, waiting: [] };
}

interface RunOptions {
  delayUs?: (tick: number, sentUs: number) => number;
  driftPpm?: number;
  isSent?: (tick: number) => boolean;
  /** Called after each picture. */
  look?: (nowUs: number) => void;
  frameUs?: number;
}

/** Sends ticks and shows pictures for so long. */
function run(world: World, forUs: number, options: RunOptions = {}): void {
  const { delayUs = () => 0, driftPpm = 0, isSent = () => true, look, frameUs = 16_667 } = options;
  const { buffer, waiting } = world;
  const stepUs = SECOND / world.hz / (1 + driftPpm / SECOND);
  const endUs = world.nowUs + forUs;
  for (; world.nowUs < endUs; world.nowUs += frameUs) {
    for (; world.tick * stepUs <= world.nowUs; world.tick++) {
      const sentUs = world.tick * stepUs;
      if (!isSent(world.tick)) continue;
      waiting.push({ atUs: sentUs + WAY_US + delayUs(world.tick, sentUs), tick: world.tick });
    }
    waiting.sort((a, b) => a.atUs - b.atUs);
    while (waiting.length > 0 && waiting[0].atUs <= world.nowUs) {
      const { atUs, tick } = waiting.shift() as { atUs: number; tick: number };
      buffer.put(world.firstTick + tick, (world.startUs + Math.round(atUs)) | 0);
    }
    buffer.advance((world.startUs + world.nowUs) | 0);
    world.shownUs = world.nowUs;
    look?.(world.nowUs);
  }
  buffer.checkInvariants();
}

/** Ticks since the first, with the fraction. */
function position(world: World): number {
  return ((world.buffer.tick - world.firstTick) | 0) + world.buffer.fraction;
}

/** How old the picture is beyond the fastest way, µs. */
function ageUs(world: World): number {
  return world.shownUs - WAY_US - (position(world) * SECOND) / world.hz;
}

function jitter(seed: number, mostUs: number): () => number {
  const random = new Prng(seed);
  return () => random.below(mostUs);
}

for (const hz of [20, 30, 60]) {
  t.test(`an even stream at ${hz} Hz is shown one tick behind, evenly`, async (t) => {
    const world = newWorld(hz);
    run(world, 5 * SECOND);
    let before = position(world);
    let worst = 0;
    run(world, 5 * SECOND, {
      look: () => {
        worst = Math.max(worst, Math.abs(position(world) - before - (16_667 * hz) / SECOND));
        before = position(world);
      },
    });
    t.ok(worst <= 0.001, `a step is off by ${worst} ticks`);
    t.equal(world.buffer.stats.underruns, 0);
    t.ok(Math.abs(world.buffer.delayUs - SECOND / hz) < 100);
  });
}

t.test('the delay covers what 94 % of the packets need, and no more', async (t) => {
  const world = newWorld(60);
  run(world, 60 * SECOND, { delayUs: jitter(5, 60 * MS) });
  const { delayUs, stats, targetUs } = world.buffer;
  t.ok(Math.abs(targetUs - (0.94 * 60 * MS + SECOND / 60)) < 3 * MS, `aims at ${targetUs} µs`);
  t.ok(Math.abs(delayUs - targetUs) < 3 * MS);
  t.ok(stats.underruns < 0.01 * stats.shown, `${stats.underruns} of ${stats.shown}`);
  t.ok(stats.late > 0.03 * stats.received && stats.late < 0.1 * stats.received);
});

t.test(
  'the position never goes back and never leaps by more than 3 % while it plays',
  async (t) => {
    const world = newWorld(30);
    const noise = jitter(8, 80 * MS);
    run(world, SECOND);
    let before = position(world);
    let back = 0;
    let fast = 0;
    let wasUnderrun = false;
    run(world, 120 * SECOND, {
      delayUs: (_, sentUs) => (sentUs > 40 * SECOND && sentUs < 80 * SECOND ? noise() : 0),
      look: () => {
        const now = position(world);
        if (now < before) back += 1;
        // Where a tick was missing, the picture catches up.
        if (!wasUnderrun) fast = Math.max(fast, now - before);
        wasUnderrun = world.buffer.isUnderrun;
        before = now;
      },
    });
    t.equal(back, 0);
    t.ok(fast <= (1.03 * 16_667 * 30) / SECOND + 0.0001, `a step of ${fast} ticks`);
  },
);

t.test('duplicates, late and old packets are counted and change nothing', async (t) => {
  const world = newWorld(60);
  run(world, 5 * SECOND);
  const { buffer } = world;
  const before = { ...buffer.stats };
  const arrivalUs = world.nowUs | 0;
  t.equal(buffer.put(buffer.newest, arrivalUs), -1);
  t.equal(buffer.stats.duplicates, before.duplicates + 1);
  t.equal(buffer.put(buffer.newest - SLOTS, arrivalUs), -1);
  t.equal(buffer.stats.refused, before.refused + 1);
  t.equal(buffer.stats.late, before.late + 1);
  run(world, SECOND);
  t.equal(buffer.stats.underruns, before.underruns);
});

t.test('packets that overtake each other are put in order', async (t) => {
  const world = newWorld(60);
  const random = new Prng(4);
  run(world, 30 * SECOND, { delayUs: () => (random.chance(1, 4) ? random.below(30 * MS) : 0) });
  const { stats } = world.buffer;
  t.equal(stats.refused + stats.duplicates, 0);
  t.ok(stats.underruns < 0.02 * stats.shown, `${stats.underruns} of ${stats.shown}`);
});

t.test('lost packets are bridged: no underrun while a later tick is there', async (t) => {
  const world = newWorld(60);
  const noise = jitter(3, 40 * MS);
  run(world, 30 * SECOND, { delayUs: noise, isSent: (tick) => tick % 10 !== 3 });
  const { buffer } = world;
  t.ok(buffer.stats.underruns < 0.02 * buffer.stats.shown);
  t.equal(buffer.slotOf(10 * Math.floor(buffer.newest / 10) - 7), -1);
});

t.test('after a stall of 200 ms everything is there at once and playing goes on', async (t) => {
  const world = newWorld(60);
  const stall = (_: number, sentUs: number): number =>
    sentUs > 10 * SECOND && sentUs < 10.2 * SECOND ? 10.2 * SECOND - sentUs : 0;
  run(world, 10 * SECOND, { delayUs: stall });
  const delayUs = world.buffer.delayUs;
  run(world, 10 * SECOND, { delayUs: stall });
  t.equal(world.buffer.stats.stalls, 1);
  t.equal(world.buffer.stats.jumps, 0);
  t.ok(world.buffer.stats.underruns >= 10 && world.buffer.stats.underruns <= 13);
  t.ok(Math.abs(world.buffer.delayUs - delayUs) < 2 * MS, 'and is as prompt as before');
});

t.test('a pause of the sender is no underrun, and its first tick is shown as ever', async (t) => {
  const world = newWorld(30);
  run(world, 10 * SECOND);
  const { underruns } = world.buffer.stats;
  run(world, 10 * SECOND, { isSent: (tick) => tick > 580 });
  t.ok(world.buffer.stats.underruns - underruns <= 60, 'a second of it at most');
  run(world, 10 * SECOND);
  t.ok(Math.abs(ageUs(world) - SECOND / 30) < 2 * MS, `shows what is ${ageUs(world)} µs old`);
  t.equal(world.buffer.isPaused, false);
});

t.test('a process that stands still finds its way back by itself', async (t) => {
  const world = newWorld(60);
  run(world, 10 * SECOND);
  run(world, 16_667, { frameUs: 4 * SECOND });
  run(world, 2 * SECOND);
  t.ok(Math.abs(ageUs(world) - SECOND / 60) < 2 * MS);
  t.equal(world.buffer.isUnderrun, false);
});

for (const ppm of [100, -100, 1000, -1000]) {
  t.test(`a sender whose clock is ${ppm} ppm off is followed`, async (t) => {
    const world = newWorld(60);
    run(world, 300 * SECOND, { driftPpm: ppm, delayUs: jitter(6, 20 * MS) });
    const { stats, delayUs } = world.buffer;
    t.equal(stats.jumps, 0);
    t.ok(stats.underruns < 0.02 * stats.shown, `${stats.underruns} of ${stats.shown}`);
    t.ok(Math.abs(delayUs - 36 * MS) < 4 * MS, `delay ${delayUs} µs`);
  });
}

for (const byMs of [40, 100, 400]) {
  t.test(`a path that becomes ${byMs} ms longer and shorter again is followed`, async (t) => {
    const world = newWorld(60);
    const noise = jitter(7, 20 * MS);
    const delayUs = (_: number, sentUs: number): number =>
      noise() + (sentUs >= 20 * SECOND && sentUs < 40 * SECOND ? byMs * MS : 0);
    run(world, 21 * SECOND, { delayUs });
    const missed = world.buffer.stats.underruns;
    t.ok(missed <= 20 + (60 * byMs) / 1000, `up: ${missed} pictures without their tick`);
    run(world, 18 * SECOND, { delayUs });
    t.ok(world.buffer.stats.underruns - missed < 10, 'no more once it is known');
    t.ok(Math.abs(ageUs(world) - (36 + byMs) * MS) < 5 * MS, `${ageUs(world)} µs old`);
    run(world, 8 * SECOND, { delayUs });
    t.ok(Math.abs(ageUs(world) - 36 * MS) < 5 * MS, `down: ${ageUs(world)} µs old`);
  });
}

t.test('ticks and times wrap unnoticed', async (t) => {
  const plain = newWorld(60);
  const wrapping = newWorld(60, 0xffffffff - 600, 0x7fffffff - 8 * SECOND);
  const other = newWorld(60, 0x7fffffff - 600, 0xffffffff - 8 * SECOND);
  for (const world of [plain, wrapping, other]) {
    run(world, 20 * SECOND, { delayUs: jitter(9, 30 * MS) });
  }
  for (const world of [wrapping, other]) {
    t.same(world.buffer.stats, plain.buffer.stats);
    t.ok(Math.abs(position(world) - position(plain)) < 1e-6);
  }
});

t.test('days without a restart leave no error behind', async (t) => {
  const world = newWorld(20);
  run(world, 60 * SECOND, { delayUs: jitter(1, 10 * MS) });
  // Every tick of 100 minutes, without the pictures between: times wrap twice.
  run(world, 6000 * SECOND, { delayUs: jitter(2, 10 * MS), frameUs: 200 * MS });
  run(world, 10 * SECOND, { delayUs: jitter(1, 10 * MS) });
  t.ok(Math.abs(ageUs(world) - 59.4 * MS) < 3 * MS, `${ageUs(world)} µs old`);
});

t.test('a sender that counts anew is followed within a second', async (t) => {
  for (const restart of [5_000_000, -4_000]) {
    const world = newWorld(60, 10_000);
    run(world, 10 * SECOND);
    world.firstTick += restart;
    run(world, SECOND);
    run(world, 5 * SECOND);
    t.ok(Math.abs(ageUs(world) - SECOND / 60) < 3 * MS, `${restart}: ${ageUs(world)} µs old`);
    t.equal(world.buffer.isUnderrun, false);
  }
});

t.test('a packet of every third tick needs the time between packets', async (t) => {
  const buffer = new JitterBuffer({ tickHz: 60, ticksPerPacket: 3 });
  for (let nowUs = 0; nowUs < 20 * SECOND; nowUs += 10 * MS) {
    if (nowUs % (50 * MS) === 0) buffer.put((nowUs / (50 * MS)) * 3, nowUs);
    buffer.advance(nowUs);
  }
  t.equal(buffer.stats.underruns, 0);
  t.ok(Math.abs(buffer.delayUs - 50 * MS) < MS);
});

t.test('options out of range are refused', async (t) => {
  t.throws(() => new JitterBuffer({ tickHz: 0 }), RangeError);
  t.throws(() => new JitterBuffer({ tickHz: Number.NaN }), RangeError);
  t.throws(() => new JitterBuffer({ tickHz: 60, ticksPerPacket: 1.5 }), RangeError);
});
