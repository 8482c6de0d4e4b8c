/** `npm run sim`: see `--help`. Exit codes: 0 done, 1 an invariant was broken, 2 bad arguments. */
import { runSeed, Trace } from '../../src/sim/index.js';
import { UsageError } from '../command-line.js';
import { farm, tell } from './farm.js';
import { readOptions, type SeedOptions, type SimCommand } from './options.js';
import { drawPlots } from './plots.js';
import { showScenarios, tryOtherSeeds } from './scenarios.js';
import { measureSpeed } from './speed.js';
import { sweep, tellSweep } from './sweep.js';

const EXIT_BROKEN = 1;

function write(text: string): void {
  process.stdout.write(text);
}

function playSeed(options: SeedOptions): boolean {
  const trace = options.trace ? new Trace((line) => write(`${line}\n`)) : null;
  const result = runSeed(options, trace);
  const { failure } = result;
  write(
    `seed ${result.seed}, ${result.level}: ${(result.worldUs / 1_000_000).toFixed(1)} s, ` +
      `${result.flows} flows, ${result.datagrams} packets, ${result.messagesSent} messages sent, ` +
      `${result.messagesDelivered} delivered, ${result.events} events\n`,
  );
  write(`hash ${result.hash}\n`);
  if (failure === null) return true;
  write(`broken at ${(failure.atUs / 1000).toFixed(3)} ms: ${failure.message}\n`);
  return false;
}

async function run(command: SimCommand): Promise<boolean> {
  switch (command.kind) {
    case 'seed':
      return playSeed(command);
    case 'farm':
      return tell(await farm(command), command, write);
    case 'speed':
      measureSpeed(command.seconds, write);
      return true;
    case 'scenarios':
      return showScenarios(command, write);
    case 'other-seeds':
      return tryOtherSeeds(command, write);
    case 'sweep':
      tellSweep(await sweep(command), write);
      return true;
    case 'plots':
      await drawPlots(command.folder, write);
      return true;
  }
}

try {
  if (!(await run(readOptions(process.argv.slice(2))))) process.exitCode = EXIT_BROKEN;
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  if (error.message !== '') process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = error.exitCode;
}
