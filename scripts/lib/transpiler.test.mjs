import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../build-addon.mjs';
import transpiler from './transpiler.cjs';

const name = `no such source ${process.pid}.ts`;
const kept = join(packageRoot, '.setup/transpiled', `${name}.json`);
t.teardown(() => rmSync(kept, { force: true }));

const { transpile } = transpiler.create({ service: { config: { options: { sourceMap: true } } } });
const compile = (text) => transpile(text, { fileName: join(packageRoot, name) });

t.test('what has not changed is not compiled again', async (t) => {
  const first = compile('export const a: number = 1;');
  t.match(first.outputText, 'export const a = 1;');
  t.match(JSON.parse(first.sourceMapText), { sources: [name] });
  const planted = { ...JSON.parse(readFileSync(kept, 'utf8')), outputText: 'from the folder' };
  writeFileSync(kept, JSON.stringify(planted));
  t.equal(compile('export const a: number = 1;').outputText, 'from the folder');
});

t.test('what has changed is, and what cannot be read', async (t) => {
  t.match(compile('export const a: number = 2;').outputText, 'export const a = 2;');
  writeFileSync(kept, '{ "key": ');
  t.match(compile('export const a: number = 2;').outputText, 'export const a = 2;');
});

t.test('a fault is told every time', async (t) => {
  for (let n = 0; n < 2; n++) t.equal(compile('let a: = 3;').diagnostics.length, 1);
});
