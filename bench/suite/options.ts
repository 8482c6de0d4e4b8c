/** The command line of `npm run bench`. */
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { parseOptions } from '../command-line.js';
import { FULL, type PlanSize, QUICK } from './plan.js';

export interface SuiteOptions {
  size: PlanSize;
  /** Names, or what they begin with; empty: all. */
  only: string[];
  json: string | null;
  /** All runs at their full size: what is published. */
  isWhole: boolean;
  /** The native program, when it is built already. */
  binary: string | null;
  /** Other transports too, beside the suite's own wires (bench/peers). */
  hasPeers: boolean;
  /** Shows what would run. */
  isListed: boolean;
}

/** @throws UsageError */
export function readOptions(args: readonly string[]): SuiteOptions {
  const program = new Command('npm run bench --')
    .description('Measures this runtime beside its baselines and the floor; see bench/README.md.')
    .option('--quick', 'fewer runs, shorter: under 90 seconds')
    .option(
      '--only <name>',
      'runs of this name, or whose names begin so; may be repeated',
      collect,
      [],
    )
    .option(
      '--json <file>',
      'write the results there (default: bench/results/latest.json for a whole run of full size)',
    )
    .option('--seconds <s>', 'length of a measured stretch', positive)
    .option('--rounds <n>', 'interleaved rounds of the runs that are gated', whole)
    .option('--peers', 'other transports too, installed on demand: see bench/peers/README.md')
    .option('--binary <file>', 'a native bench that is built already')
    .option('--list', 'show what would run');
  const given = parseOptions(program, args);
  const size = { ...(given.quick ? QUICK : FULL) };
  if (given.seconds !== undefined) size.measureMs = given.seconds * 1000;
  if (given.rounds !== undefined) size.rounds = given.rounds;
  return {
    size,
    only: given.only,
    isWhole: !(given.quick || given.seconds || given.rounds || given.only.length > 0),
    json: given.json === undefined ? null : resolve(given.json),
    binary: given.binary === undefined ? null : resolve(given.binary),
    hasPeers: given.peers === true,
    isListed: given.list === true,
  };
}

function collect(name: string, names: string[]): string[] {
  return [...names, name];
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 600) return value;
  throw new InvalidArgumentError('Expected seconds up to 600.');
}

function whole(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value <= 100) return value;
  throw new InvalidArgumentError('Expected a whole number from 1 to 100.');
}
