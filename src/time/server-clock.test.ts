import t from 'tap';
import { Prng } from '../util/prng.js';
import { ServerClock } from './server-clock.js';

const HOUR_MS = 3_600_000;

/** Two machines and the way between them; the server's time is the truth. */
class World {
  readonly clock = new ServerClock();
  serverMs = 5_000_000;
  localMs = 1_000;
  upMs = () => 20;
  downMs = () => 20;
  /** The server's clock against ours. */
  rate = 1;
  worstMs = 0;
  beyond = 0;
  back = 0;
  fastest = 0;
  slowest = Number.POSITIVE_INFINITY;
  private told = Number.NEGATIVE_INFINITY;
  private toldAtMs = 0;

  constructor() {
    this.clock.begin(this.serverMs - 20, this.localMs);
    for (let k = 0; k < 5; k++) this.exchange();
  }

  pass(ms: number): void {
    this.localMs += ms;
    this.serverMs += ms * this.rate;
  }

  exchange(): void {
    const sent = this.localMs;
    this.pass(this.upMs());
    const server = this.serverMs;
    this.pass(this.downMs());
    const roundTrip = this.localMs - sent;
    this.clock.sample(roundTrip, server - (sent + roundTrip / 2), this.localMs);
  }

  /** An exchange a second, read every 10 ms. */
  run(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      this.exchange();
      for (let part = 0; part < 95; part++) {
        this.pass(10);
        this.look();
      }
    }
  }

  look(): void {
    const told = this.clock.nowMs(this.localMs);
    const error = Math.abs(told - this.serverMs);
    this.worstMs = Math.max(this.worstMs, error);
    if (error > this.clock.errorMs(this.localMs)) this.beyond += 1;
    if (told < this.told) this.back += 1;
    const passed = this.localMs - this.toldAtMs;
    if (this.told > 0 && passed > 5) {
      const rate = (told - this.told) / passed;
      this.fastest = Math.max(this.fastest, rate);
      this.slowest = Math.min(this.slowest, rate);
    }
    this.told = told;
    this.toldAtMs = this.localMs;
  }

  forget(): void {
    this.worstMs = 0;
    this.fastest = 0;
    this.slowest = Number.POSITIVE_INFINITY;
  }
}

function noise(seed: number, mostMs: number): () => number {
  const random = new Prng(seed);
  return () => (random.below(10_000) / 10_000) * mostMs;
}

t.test('until there is an exchange, our own clock carries on from $hello', async (t) => {
  const clock = new ServerClock();
  clock.begin(5000, 100);
  t.equal(clock.nowMs(350), 5250);
  t.equal(clock.errorMs(350), Number.POSITIVE_INFINITY);
});

t.test(
  'without jitter the time is exact, and is said to be within half a round trip',
  async (t) => {
    const world = new World();
    world.run(60);
    t.ok(world.worstMs < 0.01, `${world.worstMs} ms off`);
    const error = world.clock.errorMs(world.localMs);
    t.ok(error > 20 && error < 22, `± ${error} ms`);
  },
);

t.test('the error of an uneven way is half the difference, and known', async (t) => {
  const world = new World();
  world.downMs = () => 100;
  world.run(60);
  t.ok(world.beyond === 0);
});

t.test('jitter averages out', async (t) => {
  const world = new World();
  const up = noise(1, 20);
  const down = noise(2, 20);
  world.upMs = () => 20 + up();
  world.downMs = () => 20 + down();
  world.run(20);
  world.forget();
  world.run(600);
  t.ok(world.worstMs < 3, `${world.worstMs} ms off with ± 10 ms of jitter`);
  t.equal(world.back, 0);
  t.equal(world.beyond, 0);
  t.equal(world.clock.steps, 0);
});

for (const ppm of [100, -100, 500, -500]) {
  t.test(`a clock that is ${ppm} ppm off is followed without steps`, async (t) => {
    const world = new World();
    const up = noise(3, 5);
    const down = noise(4, 5);
    world.upMs = () => 20 + up();
    world.downMs = () => 20 + down();
    world.rate = 1 + ppm / 1_000_000;
    world.run(60);
    world.forget();
    world.run(600);
    t.ok(world.worstMs < 1.5, `${world.worstMs} ms off`);
    t.equal(world.back, 0);
    t.equal(world.clock.steps, 0);
    t.ok(world.fastest < world.rate + 0.0017 && world.slowest > world.rate - 0.0017);
  });
}

t.test('a queue in one direction, for half a minute, moves it little', async (t) => {
  const world = new World();
  const up = noise(5, 4);
  world.upMs = () => 20 + up();
  world.run(60);
  world.forget();
  const down = noise(6, 10);
  world.downMs = () => 100 + down();
  world.run(30);
  t.ok(world.worstMs < 4, `${world.worstMs} ms off; half the queue are 40 to 45`);
  t.equal(world.clock.steps, 0);
});

t.test('after its burst it is led by at most 1 ms a second', async (t) => {
  const world = new World();
  world.run(10);
  world.forget();
  const shift = noise(7, 30);
  world.upMs = () => 20 + shift();
  world.run(30);
  t.ok(world.fastest <= 1.0011 && world.slowest >= 0.9989, `${world.slowest} … ${world.fastest}`);
});

t.test('a machine that slept: stepped over with the next exchange, never back', async (t) => {
  for (const sleptMs of [60, 2_000, 100_000]) {
    const world = new World();
    world.run(30);
    world.serverMs += sleptMs; // our monotonic clock does not count it
    world.exchange();
    world.look();
    world.forget();
    world.run(5);
    t.ok(world.worstMs < 1, `slept ${sleptMs} ms: ${world.worstMs} ms off afterwards`);
    t.equal(world.clock.steps, 1);
    t.equal(world.back, 0);
  }
});

t.test(
  'a clock of ours that jumped ahead: server time stands still, never goes back',
  async (t) => {
    const world = new World();
    world.run(30);
    world.localMs += 3_000;
    world.look();
    world.run(10);
    world.forget();
    world.run(10);
    t.equal(world.back, 0);
    t.ok(world.worstMs < 1, `${world.worstMs} ms off`);
  },
);

t.test('hours without a look do not confuse it', async (t) => {
  const world = new World();
  world.run(60);
  world.pass(5 * HOUR_MS);
  world.forget();
  world.look();
  world.run(10);
  t.ok(world.worstMs < 1, `${world.worstMs} ms off`);
});
