/** The comparison of src/protocol with native/rl1, from the command line. */
import { readFileSync } from 'node:fs';
import { type Campaign, runCampaign } from './campaign.js';
import { compare, describe } from './compare.js';
import { buildDecoder, Decoder } from './decoder.js';
import { generate, type Play, replay } from './generate.js';

export interface ReceiverOptions {
  seconds: number;
  seed?: number;
  only?: number;
  replay?: string;
  differences: number;
}

const PROGRESS_EVERY_MS = 10_000;

function write(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** @returns whether both agree */
export async function runReceivers(options: ReceiverOptions): Promise<boolean> {
  const decoder = new Decoder(await buildDecoder());
  try {
    if (options.replay !== undefined) return await one(decoder, recorded(options.replay));
    if (options.only !== undefined) return await one(decoder, generate(options.only));
    return await campaign(decoder, options);
  } finally {
    await decoder.close();
  }
}

async function campaign(decoder: Decoder, options: ReceiverOptions): Promise<boolean> {
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
