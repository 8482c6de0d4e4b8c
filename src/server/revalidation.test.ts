import t from 'tap';
import { Prng } from '../util/prng.js';
import { type Question, REVALIDATION_STEP_MS, Revalidation } from './revalidation.js';

interface End {
  player: string;
  cause: string;
  atMs: number;
}

/** How the game's backend answers a question: after how long, and what; `null`: never. */
type Backend = (player: string, askedMs: number) => { afterMs: number; says: boolean | null };

/** A server's clock and timers, and a backend that takes its time. */
class World {
  nowMs = 7000;
  readonly asked: { player: string; atMs: number }[] = [];
  readonly ends: End[] = [];
  timeouts = 0;
  openMax = 0;
  readonly schedule: Revalidation<string>;
  #open = 0;
  #answers: { atMs: number; question: Question<string>; says: boolean | null }[] = [];

  constructor(
    intervalMs: number,
    private readonly backend: Backend,
  ) {
    const port = {
      ask: (player: string, question: Question<string>) => this.#ask(player, question),
      handleTimeout: () => {
        this.timeouts++;
        this.#open--;
      },
      end: (player: string, cause: string) =>
        void this.ends.push({ player, cause, atMs: this.nowMs }),
    };
    this.schedule = new Revalidation(intervalMs, port, this.nowMs);
  }

  /** Polls come late by up to `lateMs`. */
  run(forMs: number, lateMs = 20): void {
    const endMs = this.nowMs + forMs;
    for (let step = 0; this.nowMs < endMs; step++) {
      this.nowMs += REVALIDATION_STEP_MS + (step % 3 === 0 ? lateMs : -lateMs / 2);
      const due = this.#answers.filter(({ atMs }) => atMs <= this.nowMs);
      this.#answers = this.#answers.filter(({ atMs }) => atMs > this.nowMs);
      for (const { question, says } of due) {
        if (question.check.question === question) this.#open--;
        if (says === null) this.schedule.fail(question);
        else this.schedule.answer(question, says, this.nowMs);
      }
      this.schedule.poll(this.nowMs);
    }
  }

  #ask(player: string, question: Question<string>): void {
    this.asked.push({ player, atMs: this.nowMs });
    this.openMax = Math.max(this.openMax, ++this.#open);
    const { afterMs, says } = this.backend(player, this.nowMs);
    if (afterMs < Number.POSITIVE_INFINITY) {
      this.#answers.push({ atMs: this.nowMs + afterMs, question, says });
    }
  }
}

for (const intervalMs of [5000, 20_000, 25_000]) {
  for (const latencyMs of [0, 900, 4800]) {
    t.test(
      `asked every ${intervalMs} ms, answers in ${latencyMs}: revoked is out in 30 s`,
      async (t) => {
        const revokedMs = new Map<string, number>();
        const world = new World(intervalMs, (player, askedMs) => ({
          afterMs: latencyMs,
          says: askedMs < (revokedMs.get(player) ?? Number.POSITIVE_INFINITY),
        }));
        const prng = new Prng(3);
        // A restart: everybody comes at once.
        for (let i = 0; i < 600; i++) world.schedule.add(`p${i}`, world.nowMs, world.nowMs);
        world.run(40_000);
        for (let i = 0; i < 300; i++) {
          revokedMs.set(`p${i}`, world.nowMs + prng.below(60_000));
        }
        world.run(100_000);
        t.equal(world.ends.length, 300);
        const took = world.ends.map(({ player, atMs }) => atMs - (revokedMs.get(player) as number));
        t.ok(Math.max(...took) <= 30_000, `the slowest took ${Math.max(...took)} ms`);
        t.ok(world.ends.every(({ cause }) => cause === 'revoked'));
        t.equal(world.schedule.size, 300);
        t.equal(world.timeouts, 0);
      },
    );
  }
}

t.test('everybody is asked once in each interval, evenly', async (t) => {
  const world = new World(20_000, () => ({ afterMs: 400, says: true }));
  for (let i = 0; i < 1000; i++) world.schedule.add(`p${i}`, world.nowMs, world.nowMs);
  world.run(120_000);
  const gaps = new Map<string, number>();
  let longest = 0;
  const perSecond = new Map<number, number>();
  for (const { player, atMs } of world.asked) {
    longest = Math.max(longest, atMs - (gaps.get(player) ?? 7000));
    gaps.set(player, atMs);
    const second = Math.floor(atMs / 1000);
    perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
  }
  t.ok(longest <= 20_000, `${longest} ms`);
  const expected = (1000 * 120_000) / 20_000;
  t.ok(Math.abs(world.asked.length - expected) < expected / 20, `${world.asked.length} questions`);
  t.ok(Math.max(...perSecond.values()) < 100, 'fifty a second on average');
  t.ok(world.openMax < 60, `${world.openMax} open at once`);
});

t.test('a backend that hangs is asked a bounded number of questions at once', async (t) => {
  const world = new World(20_000, () => ({ afterMs: Number.POSITIVE_INFINITY, says: true }));
  for (let i = 0; i < 4000; i++) world.schedule.add(`p${i}`, world.nowMs, world.nowMs);
  world.run(100_000);
  t.ok(world.openMax <= Math.ceil(((4000 * 5000) / 19_750) * 1.5), `${world.openMax} open`);
  t.equal(world.ends.length, 0);
  world.run(25_000);
  t.equal(world.ends.length, 4000);
});

const SILENCES: Record<string, { afterMs: number; says: null | boolean }> = {
  'throws at once': { afterMs: 0, says: null },
  'throws later': { afterMs: 3000, says: null },
  'never settles': { afterMs: Number.POSITIVE_INFINITY, says: null },
  'says yes when it is too late': { afterMs: 5300, says: true },
  'says no when it is too late': { afterMs: 5300, says: false },
};
for (const [how, silence] of Object.entries(SILENCES)) {
  t.test(`a backend that ${how}: 120 s after the last answer a player leaves`, async (t) => {
    let isDown = false;
    const last = new Map<string, number>();
    const world = new World(20_000, (player, askedMs) => {
      if (isDown) return silence;
      last.set(player, askedMs);
      return { afterMs: 100, says: true };
    });
    for (let i = 0; i < 200; i++) world.schedule.add(`p${i}`, world.nowMs, world.nowMs);
    world.run(50_000);
    isDown = true;
    world.run(99_000);
    t.equal(world.ends.length, 0, 'they stay while it is unknown');
    const { length } = world.asked;
    t.ok(length > 200 * 6, 'it is asked again in each interval');
    world.run(25_000);
    t.equal(world.ends.length, 200);
    for (const { player, cause, atMs } of world.ends) {
      const afterMs = atMs - (last.get(player) as number);
      if (cause !== 'unverifiable' || afterMs > 120_000 || afterMs < 119_000) {
        t.fail(`${player}: ${cause} after ${afterMs} ms`);
      }
    }
    t.equal(world.schedule.size, 0);
  });
}

t.test('a backend that comes back in time costs nobody anything', async (t) => {
  let isDown = false;
  const world = new World(20_000, () =>
    isDown ? { afterMs: Number.POSITIVE_INFINITY, says: null } : { afterMs: 50, says: true },
  );
  for (let i = 0; i < 200; i++) world.schedule.add(`p${i}`, world.nowMs, world.nowMs);
  for (let round = 0; round < 3; round++) {
    isDown = true;
    world.run(70_000);
    isDown = false;
    world.run(30_000);
  }
  t.equal(world.ends.length, 0);
  t.equal(world.schedule.size, 200);
});

t.test('what was verified long before it joined is asked about at once', async (t) => {
  const world = new World(20_000, () => ({ afterMs: 10, says: false }));
  world.schedule.add('late', world.nowMs - 29_000, world.nowMs);
  world.run(1000);
  t.match(world.ends, [{ player: 'late', cause: 'revoked' }]);
});

t.test('who has left is not asked about, and its answer changes nothing', async (t) => {
  const world = new World(5000, () => ({ afterMs: 1000, says: false }));
  world.schedule.add('anna', world.nowMs, world.nowMs);
  world.run(3500);
  t.equal(world.asked.length, 1);
  world.schedule.remove('anna');
  world.schedule.remove('nobody');
  world.schedule.verified('anna', world.nowMs);
  world.run(20_000);
  t.equal(world.asked.length, 1);
  t.same(world.ends, []);
});

t.test('another ticket of the player is as good as an answer', async (t) => {
  const world = new World(20_000, () => ({ afterMs: 0, says: null }));
  world.schedule.add('anna', world.nowMs, world.nowMs);
  world.run(100_000);
  world.schedule.verified('anna', world.nowMs);
  world.run(110_000);
  t.same(world.ends, []);
  world.run(10_000);
  t.match(world.ends, [{ cause: 'unverifiable' }]);
});

t.test('after a pause of minutes everybody is asked once, not once per lap', async (t) => {
  const world = new World(20_000, () => ({ afterMs: 10, says: true }));
  for (let i = 0; i < 100; i++) world.schedule.add(`p${i}`, world.nowMs, world.nowMs);
  world.run(30_000);
  const { length } = world.asked;
  world.nowMs += 300_000;
  world.run(3000);
  t.ok(world.asked.length - length <= 120, `${world.asked.length - length} questions`);
  t.equal(new Set(world.asked.slice(length).map(({ player }) => player)).size, 100);
  t.same(world.ends, []);
});
