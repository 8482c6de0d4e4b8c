/** `npm run fuzz`: see `--help`. Exit codes: 0 all agree, 1 a difference, 2 bad arguments. */
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { type Campaign, runCampaign } from './campaign.js';
import { compare, describe } from './compare.js';
import { buildDecoder, Decoder } from './decoder.js';
import { generate, type Play, replay } from './generate.js';

interface Options {
  seconds: number;
  seed?: number;
  only?: number;
  replay?: string;
  differences: number;
}

const PROGRESS_EVERY_MS = 10_000;

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || Math.abs(value) >= 2 ** 31) {
    throw new InvalidArgumentError('must be a whole number below 2^31');
  }
  return value;
}

function write(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function campaign(decoder: Decoder, options: Options): Promise<boolean> {
  const firstSeed = options.seed ?? Math.floor(Math.random() * 2 ** 31);
  const startMs = performance.now();
  const endMs = startMs + options.seconds * 1000;
  let nextMs = startMs + PROGRESS_EVERY_MS;
  write(`seeds from ${firstSeed} on, for ${options.seconds} s`);
  const result = await runCampaign(decoder, {
    firstSeed,
    differencesMax: options.differences,
    isOver: (seeds) => {
      const nowMs = performance.now();
      if (nowMs >= nextMs) {
        nextMs = nowMs + PROGRESS_EVERY_MS;
        process.stderr.write(`${seeds} seeds\n`);
      }
      return nowMs >= endMs;
    },
  });
  tell(result);
  return result.differences.length === 0;
}

function tell(result: Campaign): void {
  for (const [name, count] of [...result.met].sort(([, a], [, b]) => b - a)) {
    write(`${String(count).padStart(10)}  ${name}`);
  }
  for (const { seed, found } of result.differences) {
    write(`\nseed ${seed}, ${found.play.steps.length} steps left\n${describe(found)}`);
  }
  const { seeds, payloads, differences } = result;
  write(`${seeds} flows, ${payloads} payloads, ${differences.length} differences`);
}

async function one(decoder: Decoder, play: Play): Promise<boolean> {
  const found = await compare(decoder, play);
  play.questions.forEach(({ lines, answer }) => {
    write(`${lines.join('\n')}\n    ${answer}`);
  });
  write(found === null ? 'both agree' : describe(found));
  return found === null;
}

function recorded(file: string): Play {
  const { config, steps } = JSON.parse(readFileSync(file, 'utf8')) as Play;
  return replay(config, steps);
}

async function run(options: Options): Promise<boolean> {
  const decoder = new Decoder(await buildDecoder());
  try {
    if (options.replay !== undefined) return await one(decoder, recorded(options.replay));
    if (options.only !== undefined) return await one(decoder, generate(options.only));
    return await campaign(decoder, options);
  } finally {
    await decoder.close();
  }
}

const program = new Command('fuzz')
  .description(
    'Gives the same payloads to src/protocol and to native/rl1 and compares what they say',
  )
  .option('--seconds <n>', 'how long', wholeNumber, 60)
  .option('--seed <n>', 'first seed; random without it', wholeNumber)
  .option('--only <seed>', 'one flow, with all questions and answers', wholeNumber)
  .option('--replay <file>', 'a flow as a difference prints it (JSON)')
  .option('--differences <n>', 'stop after so many', wholeNumber, 1)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();

if (!(await run(program.opts<Options>()))) process.exitCode = 1;
