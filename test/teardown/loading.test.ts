import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { preparePrograms, runProgram } from './run-program.js';

/** Names a Bun to run, on machines that have one. */
const BUN_VARIABLE = 'GGSCALE_BUN';
const ADDON = `ggscale-transport.${process.platform}-${process.arch}.node`;

const folder = preparePrograms(t.testdir());

t.test('a second copy of the addon in one process has nothing to do with the first', async (t) => {
  const other = join(folder, 'other');
  mkdirSync(other);
  preparePrograms(other);
  const copy = join(other, 'copy.node');
  copyFileSync(fileURLToPath(new URL(`../../native/addon/${ADDON}`, import.meta.url)), copy);
  const outcome = await runProgram(folder, 'copies', [other, copy]);
  t.equal(outcome.code, 0, outcome.errors);
  t.same(outcome.lines, ['two copies']);
});

t.test('Bun is refused by name, before the addon is looked for', async (t) => {
  const nowhere = { GGSCALE_TRANSPORT_ADDON: '/nowhere/at-all.node' };
  const outcome = await runProgram(folder, 'bun', ['node'], [], nowhere);
  t.same(outcome.lines, ['unsupported-runtime'], outcome.errors);
});

const bun = process.env[BUN_VARIABLE] ?? '';
const skip = bun === '' && `${BUN_VARIABLE} names no Bun`;

t.test('the real Bun is refused by name', { skip }, async (t) => {
  const program = join(folder, 'test/teardown/programs/bun.js');
  const { stdout } = await promisify(execFile)(bun, [program]);
  t.equal(stdout, 'unsupported-runtime\n');
});

t.test('arguments of every kind are answered or refused', async (t) => {
  for (const seed of ['1', '2']) {
    const outcome = await runProgram(folder, 'arguments', [seed]);
    t.equal(outcome.code, 0, outcome.errors);
    t.same(outcome.lines, ['survived']);
  }
});
