/** `npm start`: see `--help`. Exit codes: 0 done, 1 failed, 2 bad arguments or a missing privilege. */
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { UsageError } from '../command-line.js';
import { MatchRun } from './match-run.js';
import { type MatchOptions, readOptions, type ServeOptions } from './options.js';
import { watchParent } from './parent-watch.js';
import { WIRES } from './report.js';
import { serve } from './serve.js';
import { closingComparison, LiveTable } from './table.js';

const EXIT_FAILED = 1;

/** Players of `--serve` may finish for this long after the first signal; a second one ends it. */
const DRAIN_MS = 5000;

/** Ended from outside; not an error of the run. */
class Interrupted extends Error {
  constructor(
    reason: string,
    readonly exitCode: number,
  ) {
    super(reason);
  }
}

/** Calls back once, at the first reason to end. */
function onInterrupt(callback: (why: Interrupted) => void): void {
  let isTold = false;
  const tell = (reason: string, exitCode: number): void => {
    if (isTold) return;
    isTold = true;
    callback(new Interrupted(reason, exitCode));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => tell(signal, 128 + constants.signals[signal]));
  }
  watchParent(() => tell('the parent process is gone', EXIT_FAILED));
  // A reader that is gone (a closed pipe) ends the job as a signal would.
  process.stdout.on('error', () => tell('standard output is closed', EXIT_FAILED));
}

async function playMatches(options: MatchOptions): Promise<void> {
  const run = new MatchRun(options, new LiveTable(process.stdout));
  onInterrupt((why) => run.abort(why));
  const report = await run.run();
  process.stdout.write(`\n${closingComparison(report)}`);
  if (options.reportFile !== null) {
    writeFileSync(options.reportFile, `${JSON.stringify(report, null, 2)}\n`);
  }
  if (!WIRES.every((wire) => report.wires[wire].eventsAgree)) process.exitCode = EXIT_FAILED;
}

async function serveUntilInterrupted(options: ServeOptions): Promise<void> {
  const interrupted = new Promise<Interrupted>((resolve) => onInterrupt(resolve));
  const server = await serve(options);
  await interrupted;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => server.close());
  await server.drain({ deadlineMs: DRAIN_MS });
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), process.env);
  await (options.kind === 'serve' ? serveUntilInterrupted(options) : playMatches(options));
}

function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError || error instanceof Interrupted) return error.exitCode;
  return EXIT_FAILED;
}

main().then(
  () => process.exit(),
  (error) => {
    const { message, code } = error as { message?: string; code?: string };
    const text = (message ?? String(error)).replace(/\s*\n\s*/g, ' ');
    const suffix = typeof code === 'string' && !text.includes(code) ? ` (${code})` : '';
    if (text !== '') process.stderr.write(`error: ${text}${suffix}\n`);
    process.exit(exitCodeOf(error));
  },
);
