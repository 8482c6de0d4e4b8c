import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BENCH = 'bench/micro/protocol-core';
const IDLE_FLOW_BYTES_MAX = 1024;

/** What set-up compiles, so that no loader allocates beside it. */
function build(directory: string): string {
  const compiler = join(ROOT, 'scripts/compile.mjs');
  const child = spawnSync(process.execPath, [compiler, directory], { encoding: 'utf8' });
  if (child.status !== 0) {
    throw new Error(child.stdout + child.stderr);
  }
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  return directory;
}

/**
 * Collections of the young generation during the steady state. With 1 MiB of it, one byte per
 * message over a million messages fills it once.
 */
function scavenges(script: string, args: string[]): number {
  const flags = ['--expose-gc', '--trace-gc', '--min-semi-space-size=1', '--max-semi-space-size=1'];
  const child = spawnSync(process.execPath, [...flags, script, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '' },
  });
  if (child.status !== 0) {
    throw new Error(child.stderr);
  }
  const steady = child.stdout.slice(child.stdout.indexOf('steady'), child.stdout.indexOf('\nend'));
  return steady.split('\n').filter((line) => /Scavenge|Mark-Compact/.test(line)).length;
}

// A compilation and six processes of some seconds each, on machines that may be busy.
t.setTimeout(240_000);

const directory = build(t.testdir());

t.test('a million small messages allocate nothing in the steady state', async (t) => {
  const script = join(directory, `${BENCH}.js`);
  const run = (messages: number, ...args: string[]) =>
    scavenges(script, ['--rounds', '1', '--messages', String(messages), ...args]);
  t.equal(run(1_000_000, '--mode', '3'), 0, 'reliable ordered, one per packet');
  t.equal(run(200_000, '--mode', '1', '--echo', '--bytes', '36'), 0, 'sequenced, echoed');
  t.equal(run(200_000, '--mode', '0', '--bytes', '1000'), 0, 'unreliable, large');
  t.equal(run(400_000, '--mode', '2', '--batch', '8'), 0, 'reliable unordered, eight per packet');
  // A control: objects of two fields, 40 B each.
  const leak = run(1_000_000, '--leak', '32');
  t.ok(leak >= 1, `a byte and a quarter per message is noticed: ${leak} collections`);
});

t.test('receiving, sending, acknowledging and sending again allocate nothing', async (t) => {
  const script = join(directory, 'bench/micro/core.js');
  const file = join(directory, 'core.json');
  const args = [script, '--rounds', '1', '--packets', '200000', '--json', file];
  const child = spawnSync(process.execPath, args, { encoding: 'utf8' });
  t.equal(child.status, 0, child.stderr);
  const { paths } = JSON.parse(readFileSync(file, 'utf8'));
  t.equal(paths.length, 4);
  for (const { name, bytesAllocatedPerPacket } of paths) {
    // Compilation at a late hour shows as a few tenths.
    t.ok(bytesAllocatedPerPacket < 0.5, `${name}: ${bytesAllocatedPerPacket} B per packet`);
  }
});

t.test('an idle flow of 100,000 takes at most 1 KiB of JavaScript memory', async (t) => {
  const script = join(directory, 'bench/micro/idle-memory.js');
  const child = spawnSync(process.execPath, ['--expose-gc', script], { encoding: 'utf8' });
  t.equal(child.status, 0, child.stderr);
  const bytes = Number(/^(\d+) B per idle flow, 100000 flows/.exec(child.stdout)?.[1]);
  t.ok(bytes <= IDLE_FLOW_BYTES_MAX, `${bytes} B`);
});

t.test('the jitter buffer allocates nothing per packet and picture', async (t) => {
  const script = join(directory, 'bench/micro/playout-core.js');
  const run = (packets: number, ...args: string[]) =>
    scavenges(script, ['--rounds', '1', '--packets', String(packets), ...args]);
  t.equal(run(500_000), 0);
  const leak = run(100_000, '--leak');
  t.ok(leak >= 2, `one small object per packet is noticed: ${leak} collections`);
});
