/**
 * The documents' programs are real: every code block whose first line names its file is written into
 * a project of its own, which sees the package as an installed one. All of them must compile, and the
 * README's server and client must play, on both wires.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
/** Without the test runner's own loaders. */
const ENV = { ...process.env, NODE_OPTIONS: '' };
const LIMIT_MS = 60_000;

/** Lines of code, blank ones and the file's name left out. */
function lineCount(text: string): number {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('// ')).length;
}

/** Named code blocks of a document, by file name. */
function filesOf(document: string): Map<string, string> {
  const text = readFileSync(join(ROOT, document), 'utf8');
  const files = new Map<string, string>();
  for (const [, body] of text.matchAll(/^```(?:ts|fbs)\n([\s\S]*?)^```$/gm)) {
    const name = /^\/\/ ([\w-]+(?:\/[\w-]+)*\.(?:ts|fbs))\n/.exec(body)?.[1];
    if (name !== undefined) files.set(name, body);
  }
  return files;
}

/** The files in a folder where the package is installed, generated and compiled. */
async function project(t: Test, files: Map<string, string>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'documents-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '@ggscale'), { recursive: true });
  symlinkSync(ROOT, join(modules, '@ggscale/transport'));
  symlinkSync(join(ROOT, 'node_modules/@types'), join(modules, '@types'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  for (const [name, text] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  if ([...files.keys()].some((name) => name.endsWith('.fbs'))) {
    const cli = join(ROOT, 'dist/src/cli/main.js');
    const generate = [cli, 'generate', 'schemas', '--out', 'messages'];
    await run(process.execPath, generate, { cwd: folder, env: ENV });
  }
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const flags = ['--module', 'nodenext', '--target', 'es2022', '--strict', '--types', 'node'];
  const sources = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  const built = run(process.execPath, [compiler, ...flags, ...sources], { cwd: folder, env: ENV });
  await built.catch((error: { stdout: string }) => {
    throw new Error(`the programs of a document do not compile:\n${error.stdout}`);
  });
  return folder;
}

/** Starts a compiled program; what it prints comes line by line. */
function start(t: Test, folder: string, name: string, env: Record<string, string>) {
  const child: ChildProcess = spawn(process.execPath, [name], {
    cwd: folder,
    env: { ...ENV, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  let errors = '';
  child.stderr?.on('data', (data) => {
    errors += data;
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const end = async () => {
    clearTimeout(timer);
    child.kill('SIGTERM');
    await exited;
  };
  t.teardown(end);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  return { lines, exited, errors: () => errors };
}

async function firstMatch(lines: AsyncIterable<string>, pattern: RegExp): Promise<RegExpExecArray> {
  for await (const line of lines) {
    const match = pattern.exec(line);
    if (match !== null) return match;
  }
  throw new Error(`no line like ${pattern}`);
}

t.test("the README's server and client play, on both wires", async (t) => {
  const files = filesOf('README.md');
  t.same([...files.keys()].sort(), ['client.ts', 'messages.ts', 'schemas/arena.fbs', 'server.ts']);
  const [server = '', client = ''] = [files.get('server.ts'), files.get('client.ts')];
  t.ok(lineCount(server) <= 20, `the server has ${lineCount(server)} lines, of at most 20`);
  t.ok(lineCount(client) <= 15, `the client has ${lineCount(client)} lines, of at most 15`);
  const token = ', WithHighPerformanceTransport()';
  t.match(client, token);
  files.set('client-json.ts', client.replace(token, ''));
  const folder = await project(t, files);
  const running = start(t, folder, 'server.js', { PORT: '0' });
  const [, port] = await firstMatch(running.lines, /listening on .*?(\d+)$/);
  for (const [program, wire] of [
    ['client-json.js', 'json-ws'],
    ['client.js', 'udp'],
  ]) {
    const player = start(t, folder, program, { GAME: `127.0.0.1:${port}` });
    const seen: string[] = [];
    for await (const line of player.lines) seen.push(line);
    t.equal(await player.exited, 0, player.errors());
    t.ok(
      seen.some((line) => line.startsWith(`${wire}: anna says hello`)),
      `${wire}: chat comes back`,
    );
    const places = seen.map((line) => Number(/ is at ([\d.]+)$/.exec(line)?.[1] ?? Number.NaN));
    const moves = places.filter((x) => !Number.isNaN(x));
    t.ok(moves.length > 1 && (moves.at(-1) ?? 0) > moves[0], `${wire}: the unit moves`);
  }
  t.equal(running.errors(), '');
});

for (const page of readdirSync(join(ROOT, 'docs/guide')).filter((name) => name.endsWith('.md'))) {
  const files = filesOf(`docs/guide/${page}`);
  if (files.size === 0) continue;
  t.test(`the programs of docs/guide/${page} compile`, async (t) => {
    await project(t, files);
    t.pass();
  });
}
