/** `npm run bench`: see `--help` and bench/README.md. Exit codes: 0 done, 1 failed, 2 bad arguments. */
import { closeSync, existsSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../command-line.js';
import { type Guests, invite } from '../peers/index.js';
import { peerPlans } from '../peers/plan.js';
import { peersTable } from '../peers/table.js';
import { endWithParent } from './ending.js';
import { readOptions } from './options.js';
import { choose, createPlan, expectedMs, type RunPlan } from './plan.js';
import { ProgressBar } from './progress.js';
import { page, pageFile } from './report/page.js';
import type { Results } from './results.js';
import { ROOT } from './root.js';
import { buildNative, measureAll, placeHere } from './suite.js';
import { tableOf } from './table.js';

const LATEST = join(ROOT, 'bench/results/latest.json');

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const options = readOptions(args);
  const { size, hasPeers } = options;
  const offered = [...createPlan(size), ...(hasPeers ? peerPlans(size) : [])];
  const plans = choose(offered, options.only);
  const unknown = options.only.filter((name) => choose(offered, [name]).length === 0);
  if (unknown.length > 0) throw new UsageError(`no run is called ${unknown.join(' or ')}`);
  if (options.isListed) {
    for (const plan of plans) {
      const seconds = (expectedMs(plan) / 1000).toFixed(0);
      console.log(`${plan.name}: ${plan.wires.join(', ')}; ${plan.rounds} rounds, ${seconds} s`);
    }
    return;
  }
  if (process.platform !== 'linux') throw new UsageError('the load generator needs Linux');
  const file = options.json ?? (options.isWhole ? LATEST : null);
  if (file !== null) requireWritable(file); // before ten minutes of work, not after
  const binary = options.binary ?? (await buildBinary());
  const guests = await inviteTo(plans);
  const bar = new ProgressBar(guests.plans);
  const failed: string[] = [];
  const watcher = {
    begin: (plan: RunPlan) => bar.begin(plan),
    step: (doing: string) => bar.step(doing),
    end: () => bar.end(),
    fail: ({ name }: RunPlan, { message }: Error) => failed.push(`${name}: ${message}`),
  };
  const command = ['npm run bench', ...measuring(args)].join(' ');
  let results: Results;
  try {
    const { foreign, skipped, wires } = guests;
    const place = { ...placeHere(binary), skipped, ...(foreign === undefined ? {} : { foreign }) };
    results = await measureAll(guests.plans, place, watcher, command, wires);
  } finally {
    bar.stop();
  }
  const isWhole = failed.length === 0;
  if (results.runs.length === 0) throw new Error(failed.join('\n'));
  console.log(tableOf(results));
  if (options.hasPeers) console.log(peersTable(results));
  // What is committed stays whole.
  if (file !== null) await write(isWhole ? file : incomplete(file), results);
  if (!isWhole) throw new Error(`not all was measured\n${failed.join('\n')}`);
}

function incomplete(file: string): string {
  return file.replace(/(\.json)?$/, '.incomplete.json');
}

async function write(file: string, results: Results): Promise<void> {
  writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`);
  const report = pageFile(file);
  writeFileSync(report, await page(results));
  console.log(`${file}\n${report}`);
}

/** @throws UsageError when results cannot be written there */
function requireWritable(file: string): void {
  try {
    const isThere = existsSync(file);
    closeSync(openSync(file, 'a'));
    if (!isThere) unlinkSync(file); // a run that fails leaves nothing
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** What decides what is measured; where it is written is no part of that. */
function measuring(args: readonly string[]): string[] {
  const isPlace = (arg: string | undefined): boolean => arg === '--json' || arg === '--binary';
  const kept = args.filter((arg, index) => {
    return !isPlace(arg) && !isPlace(args[index - 1]) && !/^--(json|binary)=/.test(arg);
  });
  return kept.length === 0 ? [] : ['--', ...kept];
}

function inviteTo(plans: readonly RunPlan[]): Promise<Guests> {
  return invite(plans, (text) => process.stderr.write(`bench: ${text}\n`));
}

function buildBinary(): Promise<string> {
  process.stderr.write('bench: building (cargo, release; the first time takes a minute or two)\n');
  return buildNative();
}

endWithParent();
main().then(
  () => process.exit(),
  (error: Error) => {
    if (error.message !== '') process.stderr.write(`bench: ${error.message}\n`);
    process.exit(error instanceof UsageError ? error.exitCode : 1);
  },
);
