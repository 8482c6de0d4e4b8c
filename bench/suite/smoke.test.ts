/** Every run at a size that proves it works: shapes, and counts that add up. Nothing about time. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { killAll } from './line-process.js';
import { createPlan, SMOKE } from './plan.js';
import type { RunResult } from './results.js';
import { ROOT } from './root.js';
import { problemsOf } from './schema-check.js';
import { buildNative, measureAll, placeHere } from './suite.js';

const program = join(ROOT, 'dist/bench/suite/main.js');
/** `npm test` compiles first; a single test file run by hand may find nothing. */
const skip =
  process.platform !== 'linux'
    ? 'the load generator needs Linux'
    : existsSync(program)
      ? false
      : 'not compiled: run `node scripts/setup.mjs` first';
/** Real processes on a machine that may be busy, and at first a build; only a hang takes this long. */
const TIMEOUT_MS = 280_000;
/** What runs is tested, not how many. */
const FLOWS_MAX = 20;
const schema = JSON.parse(readFileSync(join(ROOT, 'bench/suite/results.schema.json'), 'utf8'));

t.setTimeout(TIMEOUT_MS);
t.teardown(killAll);

const silent = { begin() {}, step() {}, end() {} };

t.test('every run of the benchmark works on each of its wires', { skip }, async (t) => {
  const binary = await buildNative({ release: false });
  const plans = createPlan(SMOKE).map((plan) => ({
    ...plan,
    flows: Math.min(plan.flows, FLOWS_MAX),
  }));
  const results = await measureAll(plans, placeHere(binary), silent, 'smoke');
  t.same(problemsOf(results, schema), []);
  const left = new Set(results.skipped?.map(({ name }) => name));
  for (const plan of plans.filter(({ name }) => !left.has(name))) {
    for (const wire of plan.wires) {
      const run = results.runs.find((it) => it.name === plan.name && it.wire === wire);
      t.ok(run !== undefined && isAlive(run), `${plan.name} on ${wire}`);
      t.equal(run?.events?.received, run?.events?.sent, `${plan.name} on ${wire}: events`);
      t.equal(run?.clientGcPauseMs !== undefined, plan.hasClient === true);
    }
  }
  t.ok(results.ratios['echo/saturated cpu json-ws/udp'] > 0);
});

function isAlive(run: RunResult): boolean {
  if (run.startMs !== undefined) return run.startMs.p50 > 0;
  return (run.connectedPerSecond ?? run.deliveredPerSecond) > 0 && run.serverCpuNsPerMessage > 0;
}

t.test('a run that is killed takes its processes with it', { skip }, async (t) => {
  const binary = await buildNative({ release: false });
  const args = [program, '--binary', binary, '--only', 'echo/paced-100x60', '--seconds', '600'];
  const run = spawn(process.execPath, args, { stdio: 'ignore' });
  t.teardown(() => run.kill('SIGKILL'));
  // Servers and loads of three wires: all of them are there when the last one is.
  const children = await untilChildren(run, 6);
  run.kill('SIGKILL');
  await until(() => children.every((pid) => !existsSync(`/proc/${pid}/exe`)));
  t.pass('all of them are gone');
});

t.test('a run that fails is named at the end, and the others are kept', { skip }, async (t) => {
  const binary = await buildNative({ release: false });
  const dir = t.testdir({ load: `#!/bin/sh\n[ "$1" = load ] && exit 3\nexec '${binary}' "$@"\n` });
  const file = join(dir, 'results');
  chmodSync(join(dir, 'load'), 0o700);
  const few = ['--rounds', '1', '--only', 'start', '--only', 'echo/paced-1x20'];
  const args = [program, ...few, '--binary', join(dir, 'load'), '--json', `${file}.json`];
  const { code, stderr } = await ended(args);
  t.equal(code, 1);
  t.match(stderr, /echo\/paced-1x20: floor load: exit code 3\n$/);
  t.equal(existsSync(`${file}.json`), false, 'what is whole is not overwritten');
  const { runs, skipped } = JSON.parse(readFileSync(`${file}.incomplete.json`, 'utf8'));
  t.same([...new Set(runs.map(({ name }: RunResult) => name))], ['start']);
  t.match(skipped, [{ name: 'echo/paced-1x20' }]);
});

t.test('bad arguments: one line, exit 2', { skip }, async (t) => {
  const refused = [
    ['--bogus'],
    ['--only', 'nothing'],
    ['--only', 'start', '--only', 'nothing'],
    ['--rounds', '0'],
    ['--only', 'start', '--binary', '/bin/true', '--json', '/proc/nowhere/results.json'],
    ['--only', 'start', '--binary', '/bin/true', '--json', ROOT],
  ];
  for (const args of refused) {
    const { code, stderr } = await ended([program, ...args]);
    t.equal(code, 2);
    t.match(stderr, /^bench: [^\n]+\n$/);
  }
});

async function ended(args: string[]): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stderr };
}

async function untilChildren({ pid }: ChildProcess, count: number): Promise<number[]> {
  let children: number[] = [];
  await until(() => {
    const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    children = list === '' ? [] : list.split(' ').map(Number);
    return children.length >= count;
  });
  return children;
}

/** Looks again and again; the test's own limit ends what never comes. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(20);
}
