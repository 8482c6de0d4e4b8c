/** Plans, traits and the table are pure; one run proves that a broken peer does not end the others. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { ForeignWire } from '../suite/commands.js';
import { killAll } from '../suite/line-process.js';
import { expectedMs, FULL, QUICK, SMOKE } from '../suite/plan.js';
import { isOwnWire, type RunResult } from '../suite/results.js';
import { ROOT } from '../suite/root.js';
import { emptyResult } from '../suite/run.js';
import { problemsOf } from '../suite/schema-check.js';
import { buildNative, measureAll, placeHere } from '../suite/suite.js';
import { needBinary, runTool } from './install.js';
import { slicer } from './load/slicer.js';
import { lockedVersion, PEERS } from './locks.js';
import { infoOf, PEER_ENTRIES } from './peers.js';
import { onWires, peerPlans } from './plan.js';
import { peersTable, rank } from './table.js';

const schema = JSON.parse(readFileSync(join(ROOT, 'bench/suite/results.schema.json'), 'utf8'));
const servers = join(ROOT, 'dist/bench/peers/servers');
const skip =
  process.platform !== 'linux'
    ? 'the load generator needs Linux'
    : existsSync(servers)
      ? false
      : 'not compiled: run `node scripts/setup.mjs` first';

const wires = Object.fromEntries(PEER_ENTRIES.map((entry) => [entry.name, infoOf(entry)]));

t.setTimeout(280_000); // the first run may build
t.teardown(killAll);

t.test('every peer runs saturated, beside the floor, this runtime and the baseline', async (t) => {
  const plans = peerPlans(FULL);
  const [saturated, paced] = plans;
  t.same(saturated.wires.slice(0, 3), ['floor', 'udp', 'json-ws']);
  t.same(paced.wires.slice(0, 3), ['floor', 'udp', 'json-ws']);
  t.same([saturated.flows, saturated.window, saturated.hz], [100, 1, 0]);
  t.same([paced.flows, paced.hz], [1_000, 60]);
  for (const { name } of PEER_ENTRIES) t.ok(saturated.wires.includes(name), name);
  t.equal(new Set(saturated.wires).size, saturated.wires.length, 'no wire twice');
  t.equal(new Set(plans.map(({ name }) => name)).size, plans.length, 'no run twice');
  t.ok(plans.every(({ name }) => name.startsWith('peers/')));
  const quickMs = peerPlans(QUICK)
    .filter(({ name }) => name.startsWith('peers/echo'))
    .reduce((sum, plan) => sum + expectedMs(plan), 0);
  t.ok(quickMs < 180_000, `${quickMs} ms`);
});

t.test('what is missing is left out of the plans', async (t) => {
  const [saturated] = onWires(peerPlans(QUICK), new Set(['ws', 'bun-udp']));
  t.notOk(saturated.wires.includes('ws') || saturated.wires.includes('bun-udp'));
  t.ok(saturated.wires.includes('node-dgram'));
});

t.test('every peer says what it is and what it lacks', async (t) => {
  for (const { name, ...entry } of PEER_ENTRIES) {
    t.notOk(isOwnWire(name), `${name}: a name of its own`);
    const { title, about, language, lacks, version } = entry;
    for (const text of [title, about, language, lacks]) t.not(text, '', name);
    t.match(version, /^\d+\.\d+/, name);
    t.equal(/encryption|everything/.test(lacks), !entry.isEncrypted, name);
    t.notOk(entry.isOrdered && !entry.isReliable, name);
  }
  t.throws(() => lockedVersion('no-such-package'), /not in bench\/peers\/package-lock.json/);
});

t.test(
  'an installation that does not end is given up, and says so with what it said',
  async (t) => {
    const silent = [process.execPath, '-e', 'setInterval(() => {}, 1e6)'];
    await t.rejects(runTool(silent, ROOT, 0.001), { message: /-e: not done within 0.001 s$/ });
    const wrong = [process.execPath, '-e', 'console.error("no such thing"); process.exit(3)'];
    await t.rejects(runTool(wrong, ROOT, 60), { message: /-e: no such thing$/ });
    await t.rejects(runTool([process.execPath, '-e', 'process.exit(3)'], ROOT), {
      message: /-e: exit 3$/,
    });
    t.equal(await runTool([process.execPath, '-p', '7'], ROOT, 60), '7\n');
  },
);

t.test('a package that npm left out is missed by its name', async (t) => {
  const reason = /^@matrixai\/quic-no-such is not installed/;
  await t.rejects(needBinary('@matrixai/quic-no-such'), { message: reason });
});

t.test(
  'the lock has all that its packages want, for every machine, as npm ci demands',
  async (t) => {
    interface Locked {
      dependencies?: Record<string, string>;
      optionalDependencies?: Record<string, string>;
    }
    const text = readFileSync(join(PEERS, 'package-lock.json'), 'utf8');
    const { packages } = JSON.parse(text) as { packages: Record<string, Locked> };
    const isFound = (from: string, name: string): boolean => {
      const path = `${from}${from === '' ? '' : '/'}node_modules/${name}`;
      if (packages[path] !== undefined) return true;
      return (
        from !== '' && isFound(from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/'))), name)
      );
    };
    for (const [path, { dependencies, optionalDependencies }] of Object.entries(packages)) {
      const wanted = Object.keys({ ...dependencies, ...optionalDependencies });
      t.same(
        wanted.filter((name) => !isFound(path, name)),
        [],
        path,
      );
    }
  },
);

t.test('messages come whole out of a stream, however it was cut', async (t) => {
  const sent = Buffer.from('abcdefghijkl');
  for (const cut of [1, 2, 3, 4, 5, 7, 12]) {
    const heard: string[] = [];
    const slice = slicer(4, (message) => heard.push(Buffer.from(message).toString()));
    for (let at = 0; at < sent.length; at += cut) slice(sent.subarray(at, at + cut));
    t.same(heard, ['abcd', 'efgh', 'ijkl'], `${cut} bytes at a time`);
  }
});

t.test('the table is sorted by cost as × floor, or by round trips without a floor', async (t) => {
  const run = (name: string, wire: string, ns: number, p99: number): RunResult => ({
    ...emptyResult(name, wire),
    serverCpuNsPerMessage: ns,
    rttUs: { p50: p99 / 2, p99, p999: p99, max: p99 },
  });
  const runs = [
    run('peers/a', 'ws', 9_000, 5),
    run('peers/a', 'floor', 3_000, 9),
    run('peers/a', 'udp', 4_500, 7),
    run('peers/b', 'udp', 1, 80_000),
    run('peers/b', 'json-ws', 2, 60_000),
  ];
  const order = (name: string): unknown[] =>
    rank(runs, name).map(({ run, toFloor }) => [run.wire, toFloor]);
  t.same(order('peers/a'), [
    ['floor', 1],
    ['udp', 1.5],
    ['ws', 3],
  ]);
  t.same(order('peers/b'), [
    ['json-ws', null],
    ['udp', null],
  ]);
  const text = peersTable({ runs, wires });
  t.match(text, /ws +│ \d+\.\d+\.\d+ +│ +3\.00 │ +2\.00 │/);
});

t.test(
  'a peer that ends is left out with the reason; the others are measured',
  { skip },
  async (t) => {
    const binary = await buildNative({ release: false });
    const [saturated] = peerPlans(SMOKE);
    const names = ['floor', 'broken', 'node-dgram'];
    const plan = { ...saturated, flows: 5, wires: names };
    const echo = PEER_ENTRIES.find(({ name }) => name === 'node-dgram')?.wire({}) as ForeignWire;
    const broken = { ...echo, server: ['sh', '-c', 'exit 3'] };
    const foreign = new Map([
      ['broken', broken],
      ['node-dgram', echo],
    ]);
    const silent = { begin() {}, step() {}, end() {} };
    const place = { ...placeHere(binary), foreign };
    const results = await measureAll([plan], place, silent, 'smoke', wires);
    t.same(problemsOf(results, schema), []);
    t.same(results.skipped, [
      { name: 'peers/echo-saturated: broken', reason: 'broken server: exit code 3' },
    ]);
    t.same(
      results.runs.map(({ wire }) => wire),
      ['floor', 'node-dgram'],
    );
    for (const run of results.runs) {
      t.ok(run.deliveredPerSecond > 0 && run.serverCpuNsPerMessage > 0, run.wire);
      t.equal(run.payloadBytes, 100);
    }
  },
);

const inJavaScript = ['udx', 'data-channel', 'quic'];
const isInstalled = ['udx-native', 'node-datachannel', '@matrixai/quic', 'selfsigned'].every(
  (name) => existsSync(join(PEERS, 'node_modules', name)),
);

t.test(
  'peers whose client is JavaScript open a hundred connections and echo on all of them',
  { skip: skip || (isInstalled ? false : 'not installed: run the benchmark with --peers first') },
  async (t) => {
    const binary = await buildNative({ release: false });
    const [saturated] = peerPlans(SMOKE);
    const plan = { ...saturated, wires: ['floor', ...inJavaScript] };
    const entries = PEER_ENTRIES.filter(({ name }) => inJavaScript.includes(name));
    const foreign = new Map(entries.map((entry) => [entry.name, entry.wire({})]));
    const place = { ...placeHere(binary), foreign };
    const silent = { begin() {}, step() {}, end() {} };
    const results = await measureAll([plan], place, silent, 'smoke', wires);
    t.same(problemsOf(results, schema), []);
    t.same(results.skipped ?? [], []);
    t.same(
      results.runs.map(({ wire }) => wire),
      ['floor', ...inJavaScript],
    );
    for (const run of results.runs) {
      t.equal(run.flows, 100, run.wire);
      t.ok(run.deliveredPerSecond > 0 && run.serverCpuNsPerMessage > 0, run.wire);
      t.equal(run.payloadBytes, 100, run.wire);
    }
  },
);
