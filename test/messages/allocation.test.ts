import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const child = join(root, 'test/messages/allocation-child.mjs');
const out = mkdtempSync(join(tmpdir(), 'messages-'));
t.teardown(() => rmSync(out, { recursive: true }));

/** Compiles src/messages alone; returns the folder of the JavaScript. */
async function compile(): Promise<string> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const project = join(root, 'src/messages/tsconfig.json');
  const emit = ['--noEmit', 'false', '--declaration', 'false', '--outDir', out];
  await run(process.execPath, [tsc, '-p', project, ...emit]);
  writeFileSync(join(out, 'package.json'), '{"type":"module"}');
  return join(out, 'messages');
}

const folder = await compile();

async function measure(mode: string): Promise<{ collections: number; bytesPerMessage: number }> {
  // 1 MiB of young space: 2 bytes per message would already cause a collection.
  const flags = ['--expose-gc', '--min-semi-space-size=1', '--max-semi-space-size=1'];
  const { stdout } = await run(process.execPath, [...flags, child, folder, mode]);
  return JSON.parse(stdout) as { collections: number; bytesPerMessage: number };
}

t.test('encode, verify and view of 1 M snapshots allocate nothing', async (t) => {
  t.ok(dirname(folder) === out);
  const { collections, bytesPerMessage } = await measure('steady');
  t.equal(collections, 0, `${collections} collections`);
  t.ok(bytesPerMessage < 0.5, `${bytesPerMessage} bytes per message`);
});

t.test('the measurement sees one small object per message', async (t) => {
  const { collections } = await measure('leak');
  t.ok(collections > 10, `${collections} collections`);
});
