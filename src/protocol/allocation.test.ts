import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BENCH = 'bench/micro/protocol-core';

/** Plain JavaScript of the core and the steady run, so that no loader allocates beside them. */
function build(directory: string): string {
  const sources = [`${BENCH}.ts`];
  for (const folder of ['src/protocol', 'src/util']) {
    for (const name of readdirSync(join(ROOT, folder))) {
      if (name.endsWith('.ts') && !name.endsWith('.test.ts')) {
        sources.push(join(folder, name));
      }
    }
  }
  for (const source of sources) {
    const { outputText } = ts.transpileModule(readFileSync(join(ROOT, source), 'utf8'), {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 },
    });
    const target = join(directory, source.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  return join(directory, `${BENCH}.js`);
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

// Five processes of a second or so each, on machines that may be busy.
t.setTimeout(240_000);

t.test('a million small messages allocate nothing in the steady state', async (t) => {
  const script = build(t.testdir());
  const run = (messages: number, ...args: string[]) =>
    scavenges(script, ['--rounds', '1', '--messages', String(messages), ...args]);
  t.equal(run(1_000_000, '--mode', '3'), 0, 'reliable ordered, one per packet');
  t.equal(run(200_000, '--mode', '1', '--echo', '--bytes', '36'), 0, 'sequenced, echoed');
  t.equal(run(200_000, '--mode', '0', '--bytes', '1000'), 0, 'unreliable, large');
  t.equal(run(400_000, '--mode', '2', '--batch', '8'), 0, 'reliable unordered, eight per packet');
  const leak = run(100_000, '--leak');
  t.ok(leak >= 2, `one small object per message is noticed: ${leak} collections`);
});
