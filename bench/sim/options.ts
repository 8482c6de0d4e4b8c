/** The command line of the simulator. Everything is checked here, so that nothing fails later. */
import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError, type OptionValues } from 'commander';
import { LEVELS, type Level, PROFILE_NAMES } from '../../src/sim/index.js';
import { parseOptions, UsageError } from '../command-line.js';

const SEED_MAX = 2 ** 31 - 1;
const WORKERS_MAX = 256;

export interface SeedOptions {
  kind: 'seed';
  seed: number;
  level: Level;
  profile: string | null;
  trace: boolean;
}

export interface FarmOptions {
  kind: 'farm';
  first: number;
  last: number;
  levels: readonly Level[];
  profile: string | null;
  workers: number;
  /** Failing seeds are added to the list that the tests rerun. */
  record: boolean;
}

export interface ScenarioOptions {
  kind: 'scenarios';
  /** Ids; empty: all. */
  ids: readonly string[];
  /** As in docs/TESTING.md instead of for a terminal. */
  markdown: boolean;
  /** The table in docs/TESTING.md is written anew. */
  update: boolean;
}

export interface OtherSeedsOptions {
  kind: 'other-seeds';
  ids: readonly string[];
  /** Of each scenario. */
  count: number;
}

export interface PlotOptions {
  kind: 'plots';
  folder: string;
}

export interface SpeedOptions {
  kind: 'speed';
  /** Of simulated time. */
  seconds: number;
}

export interface SweepOptions {
  kind: 'sweep';
  /** Of each corner. */
  seeds: number;
  /** A few corners only. */
  isQuick: boolean;
  workers: number;
}

export type SimCommand =
  | SeedOptions
  | FarmOptions
  | ScenarioOptions
  | OtherSeedsOptions
  | PlotOptions
  | SpeedOptions
  | SweepOptions;

/** @throws UsageError */
export function readOptions(args: readonly string[]): SimCommand {
  const values = parseOptions(createProgram(), args);
  const wanted = ['seed', 'seeds', 'scenarios', 'speed', 'plots', 'sweep'].filter(
    (name) => values[name] !== undefined,
  );
  if (wanted.length !== 1) {
    throw new UsageError(
      'one of --seed, --seeds, --scenarios, --speed, --plots and --sweep is needed',
    );
  }
  const profile: string | null = values.profile ?? null;
  const level: Level | 'both' | undefined = values.level;
  if (values.seed !== undefined) {
    if (level === 'both') throw new UsageError("option '--level both' needs --seeds");
    return {
      kind: 'seed',
      seed: values.seed,
      level: level ?? 'core',
      profile,
      trace: values.trace,
    };
  }
  if (values.seeds !== undefined) {
    const [first, last] = values.seeds;
    const levels = level === undefined || level === 'both' ? LEVELS : [level];
    const { workers, record } = values;
    return { kind: 'farm', first, last, levels, profile, workers, record };
  }
  if (values.speed !== undefined) return { kind: 'speed', seconds: values.speed };
  if (values.plots !== undefined) return { kind: 'plots', folder: values.plots };
  if (values.sweep !== undefined) {
    const seeds = values.sweep === true ? 1 : values.sweep;
    return { kind: 'sweep', seeds, isQuick: values.quick, workers: values.workers };
  }
  return readScenarioOptions(values);
}

function readScenarioOptions(values: OptionValues): ScenarioOptions | OtherSeedsOptions {
  const ids = values.scenarios === true ? [] : values.scenarios;
  const { otherSeeds, markdown, update } = values;
  if (otherSeeds !== undefined) return { kind: 'other-seeds', ids, count: otherSeeds };
  if (update && ids.length > 0) {
    throw new UsageError("option '--update' writes the whole table: name no scenarios");
  }
  return { kind: 'scenarios', ids, markdown, update };
}

function createProgram(): Command {
  const levels = [...LEVELS, 'both'];
  return new Command('npm run sim --')
    .description('Plays deterministic worlds: client, server and the network between them.')
    .option('--seed <n>', 'play one seed and say what came of it', seed)
    .option('--trace', 'with --seed: tell everything that happens', false)
    .option('--seeds <a..b>', 'play many seeds on several cores', seeds)
    .option('--workers <n>', 'with --seeds and --sweep', workers, availableParallelism())
    .option('--no-record', 'with --seeds: leave the list of failing seeds as it is')
    .option(
      '--level <name>',
      `${levels.join(', ')}; default core, with --seeds both`,
      oneOf(levels),
    )
    .option('--profile <name>', `${PROFILE_NAMES.join(', ')}; default any`, oneOf(PROFILE_NAMES))
    .option('--scenarios [ids]', 'measure the named scenarios, all or like T05,T07', list)
    .option('--markdown', 'with --scenarios: as the table of docs/TESTING.md', false)
    .option('--update', 'with --scenarios: write the table of docs/TESTING.md anew', false)
    .option('--other-seeds <n>', 'with --scenarios: n others of each, and which fail', count)
    .option('--plots <folder>', 'measure and draw the plots of docs/TESTING.md')
    .option('--sweep [seeds]', 'rate control over a grid of links, worst first', count)
    .option('--quick', 'with --sweep: a few corners of the grid', false)
    .option('--speed <seconds>', 'packets per second of plain worlds of so many seconds', seconds);
}

function whole(text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
}

function seed(text: string): number {
  return whole(text, 0, SEED_MAX);
}

function seeds(text: string): [number, number] {
  const parts = text.split('..');
  if (parts.length !== 2) throw new InvalidArgumentError('Expected two numbers like 1..1000.');
  const [first, last] = parts.map(seed);
  if (last < first) throw new InvalidArgumentError('Expected the smaller number first.');
  return [first, last];
}

function workers(text: string): number {
  return whole(text, 1, WORKERS_MAX);
}

function count(text: string): number {
  return whole(text, 1, 1_000);
}

function seconds(text: string): number {
  return whole(text, 1, 100_000);
}

function list(text: string): string[] {
  return text.split(',');
}

function oneOf(names: readonly string[]): (text: string) => string {
  return (text) => {
    if (names.includes(text)) return text;
    throw new InvalidArgumentError(`Expected one of ${names.join(', ')}.`);
  };
}
