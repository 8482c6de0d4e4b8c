/** Sessions over links that die at every step: nothing reliable is lost, doubled or out of order. */
import t from 'tap';
import { PLANTS, type Plant } from './plants.js';
import { ResumeWorld } from './resume-world.js';

const PARTS = 10;
const RUNS_PER_PART = 1000;
const STEPS = 80;

async function firstBroken(plant: Plant, runs: number) {
  for (let seed = 1; seed <= runs; seed++) {
    const { violations } = await new ResumeWorld(seed, plant).run(STEPS);
    const [what] = violations;
    if (what !== undefined) return { seed, what };
  }
  return null;
}

for (let part = 0; part < PARTS; part++) {
  const first = part * RUNS_PER_PART + 1;
  t.test(`sessions whose links die and change at random, from seed ${first}`, async (t) => {
    let moves = 0;
    let delivered = 0;
    const broken: string[] = [];
    for (let seed = first; seed < first + RUNS_PER_PART; seed++) {
      const outcome = await new ResumeWorld(seed, 'none').run(STEPS);
      moves += outcome.moves;
      delivered += outcome.delivered;
      for (const what of outcome.violations) broken.push(`seed ${seed}: ${what}`);
    }
    t.same(broken.slice(0, 10), []);
    t.ok(moves > RUNS_PER_PART, `${moves} moves`);
    t.ok(delivered > RUNS_PER_PART * 10, `${delivered} messages`);
  });
}

for (const plant of PLANTS) {
  t.test(`the oracle finds a planted mistake: ${plant}`, async (t) => {
    t.not(await firstBroken(plant, 200), null);
  });
}
