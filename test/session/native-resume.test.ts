/** Sessions over UDP flows of the production endpoint that die: exactly once and in order all the same. */
import t from 'tap';
import { NativeWorld } from './native-world.js';
import { PLANTS, type Plant } from './plants.js';

const SEEDS = 20;
/** Some mistakes show only when a link is left that works, and only for a moment. */
const PLANT_SEEDS = 300;
const FAULTS_MS = 20_000;

const play = (seed: number, plant: Plant) => new NativeWorld(seed, plant).run(FAULTS_MS);

t.test('nothing reliable is lost, doubled or out of order over flows that die', async (t) => {
  const broken: string[] = [];
  let moves = 0;
  let deaths = 0;
  let delivered = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const world = play(seed, 'none');
    for (const what of world.violations) broken.push(`seed ${seed}: ${what}`);
    moves += world.moves;
    deaths += world.deaths;
    delivered += world.delivered;
  }
  t.same(broken, []);
  t.ok(moves > SEEDS, `${moves} moves`);
  t.ok(deaths > SEEDS, `${deaths} deaths`);
  t.ok(delivered > SEEDS * 500, `${delivered} messages`);
});

t.test('a seed is the whole world', async (t) => {
  const [first, again] = [play(3, 'none'), play(3, 'none')];
  t.same(
    [again.moves, again.deaths, again.delivered],
    [first.moves, first.deaths, first.delivered],
  );
});

for (const plant of PLANTS) {
  t.test(`the oracle finds a planted mistake: ${plant}`, async (t) => {
    let found: string | undefined;
    for (let seed = 1; seed <= PLANT_SEEDS && found === undefined; seed++) {
      found = play(seed, plant).violations[0];
    }
    t.not(found, undefined, String(found));
  });
}
