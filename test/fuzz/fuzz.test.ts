/** src/protocol and native/rl1 about the same payloads; `npm run fuzz` is the long way. */
import t from 'tap';
import { DROP_REASON_NAMES } from '../../src/protocol/protocol.js';
import { runCampaign } from './campaign.js';
import { describe } from './compare.js';
import { buildDecoder, Decoder } from './decoder.js';

/** Enough to meet every verdict; about two seconds. */
const FIXED_SEEDS = 300;
const FRESH_MS = 6000;

/** The limit of the process is no business of the peer; src/protocol/hostile.test.ts meets it. */
const NOT_OF_THE_WIRE = ['accepted', 'reassembly-full'];

/** Told that the window is one id wider than it is. */
class Misinformed extends Decoder {
  override ask(lines: readonly string[]): Promise<string[]> {
    const wider = (line: string) => {
      const words = line.split(' ');
      words[4] = String(Number(words[4]) + 1);
      return line.startsWith('flow ') ? words.join(' ') : line;
    };
    return super.ask(lines.map(wider));
  }
}

const program = await buildDecoder();

t.test('fixed seeds: both agree, and every verdict and event is met', async (t) => {
  const decoder = new Decoder(program);
  t.teardown(() => decoder.close());
  const { differences, met } = await runCampaign(decoder, {
    firstSeed: 1,
    isOver: (seeds) => seeds >= FIXED_SEEDS,
  });
  t.same(
    differences.map(({ seed, found }) => `seed ${seed}\n${describe(found)}`),
    [],
  );
  const wanted = DROP_REASON_NAMES.filter((name) => !NOT_OF_THE_WIRE.includes(name));
  wanted.push('accept', 'ready', 'raw', 'message', 'closed', 'violation', 'ok');
  t.same(
    wanted.filter((name) => !met.has(name)),
    [],
  );
});

t.test('fresh seeds: both agree', async (t) => {
  const decoder = new Decoder(program);
  t.teardown(() => decoder.close());
  const firstSeed = Math.floor(Math.random() * 2 ** 31);
  const endMs = performance.now() + FRESH_MS;
  const { differences, seeds } = await runCampaign(decoder, {
    firstSeed,
    isOver: () => performance.now() >= endMs,
  });
  t.comment(`npm run fuzz -- --seed ${firstSeed}: ${seeds} flows`);
  t.same(
    differences.map(({ seed, found }) => `seed ${seed}\n${describe(found)}`),
    [],
  );
});

t.test('a receiver that counts one id wrong is noticed, with few steps', async (t) => {
  const decoder = new Misinformed(program);
  t.teardown(() => decoder.close());
  const { differences } = await runCampaign(decoder, {
    firstSeed: 1,
    isOver: (seeds) => seeds >= FIXED_SEEDS,
  });
  const found = differences[0]?.found;
  t.equal(found?.typescript.split(' ')[0], 'sender-rule');
  t.match(found?.rust, /^accept/);
  t.ok((found?.play.steps.length ?? 99) <= 12, `${found?.play.steps.length} steps are left`);
});
