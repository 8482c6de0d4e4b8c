/** Hostile HTTP to the ticket endpoint for a moment; `npm run fuzz` is the long way. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { until } from '../../game/support.js';
import { type HttpOptions, runHttp } from './campaign.js';

const FIXED_INPUTS = 400;
const PLANTED_INPUTS = 4_000;

const corpus = JSON.parse(
  readFileSync(new URL('./corpus.json', import.meta.url), 'utf8'),
) as number[];

const connections = () =>
  process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;

const run = (inputs: number, options: Partial<HttpOptions> = {}) =>
  runHttp({ firstSeed: 1, corpus, isOver: (count) => count >= inputs, ...options });

t.test('whatever is asked, the answer is documented, and the next player is served', async (t) => {
  const before = connections();
  const { finding, met } = await run(FIXED_INPUTS);
  t.equal(finding, null, JSON.stringify(finding));
  const statuses = [0, 200, 400, 401, 403, 404, 405, 409, 413, 415, 431];
  t.same(
    statuses.filter((status) => !met.has(status)),
    [],
    'every answer was met',
  );
  await until(() => connections() === before, 'every connection to be gone');
});

t.test('fresh seeds find nothing either', async (t) => {
  const firstSeed = Math.floor(Math.random() * 2 ** 31);
  const { finding } = await run(FIXED_INPUTS / 3, { firstSeed, corpus: [] });
  t.equal(finding, null, `npm run fuzz -- --target http --seed ${firstSeed}: ${finding?.why}`);
});

const PLANTS: Readonly<Record<string, NonNullable<HttpOptions['plant']>>> = {
  'a resume that is no session id is taken': (_attempt, answer) =>
    answer.text.includes('"bad-resume"') ? { ...answer, status: 200 } : answer,
  'an error tells where it was thrown': (_attempt, answer) =>
    answer.status === 413
      ? { ...answer, text: `${answer.text}\n    at Server.emit (node:events)` }
      : answer,
  'headers that are too large are an internal error': (_attempt, answer) =>
    answer.status === 431 ? { ...answer, status: 500 } : answer,
};

for (const [name, plant] of Object.entries(PLANTS)) {
  t.test(`a faulty server is noticed: ${name}`, async (t) => {
    const { finding, inputs } = await run(PLANTED_INPUTS, { plant, corpus: [] });
    t.not(finding, null, `after ${inputs} inputs`);
  });
}
