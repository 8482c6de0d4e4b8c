/**
 * Everything at once, for as long as you like, and nothing may be left of it or grow: npm run soak.
 *
 *   npm run soak -- --minutes 60 --seed 1 --json soak.json
 *
 * docs/TESTING.md says what runs and what is checked. Exit codes: 0 nothing is wrong, 1 something is,
 * 2 bad arguments, 130 interrupted.
 */
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseOptions, UsageError } from '../command-line.js';
import { watchParent } from '../match/parent-watch.js';
import { buildNative } from '../native/build.js';
import { PLANTS, type Plant } from './messages.js';
import { reportOf } from './report.js';
import { runSoak } from './soak.js';

/** What a player's last link may be waited for comes on top. */
const LOAD_MS = 45_000;
const SHORT_LOAD_MS = 4000;

interface Options {
  minutes: number;
  short: boolean;
  seed: number;
  json?: string;
  flood: number;
  plant: Plant;
}

function rate(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError('A rate is wanted, or 0.');
}

function number(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('A positive number is wanted.');
}

function readOptions(args: readonly string[]): Options {
  const program = new Command('soak')
    .description('matches, churn, rebinds, floods and garbage at once; nothing may be left or grow')
    .option('--minutes <n>', 'how long; no round begins later', number, 60)
    .option('--short', 'one short round instead', false)
    .option('--seed <n>', 'of what is random', number, 1)
    .option('--flood <n>', 'bad netcode requests a second, 0: none', rate, 2000)
    .option('--json <file>', 'the whole result as JSON')
    .addOption(
      new Option('--plant <fault>', 'a fault on purpose').choices([...PLANTS]).default('none'),
    );
  return parseOptions(program, args) as Options;
}

async function main(): Promise<void> {
  const { minutes, short, seed, flood, json, plant } = readOptions(process.argv.slice(2));
  const aborter = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      aborter.abort(new UsageError(signal, 128 + constants.signals[signal]));
    });
  }
  watchParent(() => aborter.abort(new UsageError('the parent process is gone', 1)));
  const result = await runSoak({
    seed,
    minutes: short ? 0 : minutes,
    loadMs: short ? SHORT_LOAD_MS : LOAD_MS,
    perWire: 8,
    residents: 4,
    churnPerS: 30,
    resumeWindowMs: 30_000,
    graceMs: 120_000,
    path: { rebinds: 2, cuts: 0.5, blackouts: 0.1, lossRatio: 0.01 },
    strangers: { datagrams: 500, requests: 10, players: 4 },
    flood: flood === 0 ? null : { binary: await buildNative(), perS: flood },
    plant,
    onProgress: (line) => process.stderr.write(`${line}\n`),
    signal: aborter.signal,
  });
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(result, null, 2)}\n`);
  process.stdout.write(reportOf(result));
  process.exitCode = result.findings.length === 0 ? 0 : 1;
}

main().catch((error) => {
  if (!(error instanceof UsageError)) throw error;
  if (error.message !== '') process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = error.exitCode;
});
