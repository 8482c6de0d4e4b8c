/** Damaged FlatBuffers for a moment, over the committed corpus; `npm run fuzz` is the long way. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import type { MessageType } from '../../../src/messages/index.js';
import { type FlatEntry, type FlatOptions, runFlat } from './campaign.js';

const FIXED_INPUTS = 6_000;
const PLANTED_INPUTS = 200_000;

const corpus = JSON.parse(
  readFileSync(new URL('./corpus.json', import.meta.url), 'utf8'),
) as FlatEntry[];

const run = (inputs: number, options: Partial<FlatOptions> = {}) =>
  runFlat({ seed: 1, corpus, isOver: (count) => count >= inputs, ...options });

t.test('damaged messages are refused, or read alike by every accessor', async (t) => {
  const campaign = await run(FIXED_INPUTS);
  t.equal(campaign.finding, null, JSON.stringify(campaign.finding));
  t.ok(campaign.valid > FIXED_INPUTS / 50, `${campaign.valid} were valid all the same`);
  t.ok(campaign.pool.length > corpus.length / 2, `${campaign.pool.length} shapes`);
});

t.test('fresh seeds find nothing either', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { finding } = await run(FIXED_INPUTS / 3, { seed });
  t.equal(finding, null, `npm run fuzz -- --target messages --seed ${seed}: ${finding?.flaw}`);
});

const PLANTS: Readonly<Record<string, (type: MessageType) => MessageType>> = {
  'one that looks four bytes beyond the end': (type) => ({
    ...type,
    verify: (bytes, offset, length) => type.verify(bytes, offset, length + 4),
  }),
  'one that takes every message of 24 to 27 bytes': (type) => ({
    ...type,
    verify: (bytes, offset, length) => length >> 2 === 6 || type.verify(bytes, offset, length),
  }),
};

for (const [name, plant] of Object.entries(PLANTS)) {
  t.test(`a faulty verifier is noticed: ${name}`, async (t) => {
    const { finding, inputs } = await run(PLANTED_INPUTS, { plant, corpus: [] });
    t.not(finding, null, `after ${inputs} inputs`);
  });
}
