/** `npm run fuzz`: see `--help`. Exit codes: 0 nothing found, 1 a finding, 2 bad arguments, 130 or 143 interrupted. */
import { constants } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { Interrupted } from './native/libfuzzer.js';
import { type ReceiverOptions, runReceivers } from './receivers.js';
import { type FuzzTarget, fuzzTargets, type TargetOptions } from './targets.js';

interface Options extends Omit<ReceiverOptions, 'seconds'> {
  seconds?: number;
  target?: string;
  list?: boolean;
  nightly?: boolean;
  asan?: boolean;
  canary?: boolean;
  minimise?: boolean;
}

const RECEIVERS = 'receivers';
const RECEIVERS_ABOUT = 'src/protocol and native/rl1 about the same payloads (the default)';
const SECONDS = 60;
const NIGHTLY_SECONDS = 600;

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

/** One line about it. @returns whether it is as it should be */
async function runOne(target: FuzzTarget, options: TargetOptions): Promise<boolean> {
  const { inputs, finding, notes } = await target.run(options);
  const rest = notes === '' ? '' : `; ${notes}`;
  const how = options.planted ? 'planted fault ' : '';
  const what = finding === null ? 'nothing found' : 'FOUND';
  const after = finding === null ? ` in ${options.seconds} s` : '';
  write(`${target.name.padEnd(10)} ${inputs} inputs${after}: ${how}${what}${rest}`);
  if (finding !== null && !options.planted) write(finding);
  return (finding !== null) === options.planted;
}

async function nightly(options: TargetOptions): Promise<boolean> {
  let isWell = true;
  for (const target of fuzzTargets()) isWell = (await runOne(target, options)) && isWell;
  const { seconds, seed } = options;
  return (await runReceivers({ seconds, seed, differences: 1 })) && isWell;
}

function chosen(name: string): FuzzTarget {
  const found = fuzzTargets().find((target) => target.name === name);
  if (found !== undefined) return found;
  process.stderr.write(`no target ${name}; --list names them\n`);
  process.exit(2);
}

async function run(options: Options): Promise<boolean> {
  if (options.list) {
    const names = fuzzTargets().map(({ name, about }) => `${name.padEnd(10)} ${about}`);
    write([...names, `${RECEIVERS.padEnd(10)} ${RECEIVERS_ABOUT}`].join('\n'));
    return true;
  }
  const seconds = options.seconds ?? (options.nightly ? NIGHTLY_SECONDS : SECONDS);
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 31);
  const mode = options.asan ? 'asan' : 'plain';
  const targetOptions: TargetOptions = { seconds, seed, mode, planted: options.canary ?? false };
  if (options.nightly) return nightly(targetOptions);
  const name = options.target ?? RECEIVERS;
  if (name === RECEIVERS) return runReceivers({ ...options, seconds });
  if (!options.minimise) return runOne(chosen(name), targetOptions);
  write(`${name}: ${await chosen(name).minimise(targetOptions)}`);
  return true;
}

const program = new Command('fuzz')
  .description('Looks for inputs that break what must hold: docs/FUZZING.md')
  .option('--target <name>', 'what to fuzz', RECEIVERS)
  .option('--list', 'the targets, and what they are')
  .option('--seconds <n>', `how long; default ${SECONDS}, ${NIGHTLY_SECONDS} nightly`, wholeNumber)
  .option('--nightly', 'all targets, one after the other, so long each')
  .option('--asan', 'native targets under AddressSanitizer')
  .option('--canary', 'a native target with its planted fault, which must be found')
  .option('--minimise', "makes the target's committed corpus anew")
  .option('--seed <n>', 'first seed; random without it', wholeNumber)
  .option('--only <seed>', 'receivers: one flow, with all questions and answers', wholeNumber)
  .option('--replay <file>', 'receivers: a flow as a difference prints it (JSON)')
  .option('--differences <n>', 'receivers: stop after so many', wholeNumber, 1)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();

try {
  if (!(await run(program.opts<Options>()))) process.exitCode = 1;
} catch (error) {
  if (!(error instanceof Interrupted)) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 128 + constants.signals[error.signal];
}
