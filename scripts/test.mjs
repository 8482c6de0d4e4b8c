// What `npm test` runs (after scripts/setup.mjs): every check and every test of the repository.
//
//   npm test                              all
//   npm test -- --only native|ts          one half
//   npm test -- src/util flow             only test files whose path contains one of the words
//
// Cargo's part and the TypeScript checks run beside each other, the test files after them, so that
// tests with real sockets have the machine to themselves. The last line is `N passed, N failed`; a
// check counts as one, a test by its own count. The exit code is 0 only without a failure.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { findCargo, packageRoot as root } from './build-addon.mjs';
import { closingLine, countCargo, TapCounter } from './lib/test-counts.mjs';

const testFolders = ['src', 'test', 'bench', 'examples', 'sdk-compat', 'scripts'];
const fileTimeoutSeconds = 300; // the first run of a file may compile a foreign peer
const total = { passed: 0, failed: 0, skipped: 0 };

async function main(args) {
  const options = parse(args);
  if (typeof options === 'string') {
    console.error(`test: ${options}`);
    return 2;
  }
  const everything = options.words.length === 0;
  await Promise.all([
    everything && options.only !== 'ts' ? nativeLane() : null,
    everything && options.only !== 'native' ? typescriptLane() : null,
  ]);
  if (options.only !== 'native') await testFiles(options.words);
  if (total.skipped > 0) console.log(`${total.skipped} skipped`);
  console.log(closingLine(total.passed, total.failed));
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

function parse(args) {
  const options = { only: null, words: [] };
  for (let index = 0; index < args.length; index++) {
    const arg = args[index];
    if (arg === '--only') {
      options.only = args[++index] ?? '';
      if (!['native', 'ts'].includes(options.only)) return '--only takes native or ts';
    } else if (arg.startsWith('-')) return `unknown option ${arg}; --only native|ts is known`;
    else options.words.push(arg);
  }
  if (options.only === 'native' && options.words.length > 0) return '--only native takes no files';
  return options;
}

async function nativeLane() {
  const cargo = findCargo();
  if (cargo === null) return report('cargo', 0, 1, null, 'no Rust toolchain (cargo) found');
  const manifest = ['--manifest-path', 'native/Cargo.toml'];
  const env = {
    PATH: `${dirname(cargo)}${delimiter}${process.env.PATH}`,
    CARGO_TERM_COLOR: 'never',
  };
  if (!process.env.CARGO_TARGET_DIR) env.CARGO_TARGET_DIR = join(root, 'native/target');
  const peers = rustWorkspaces('bench');
  const fuzz = 'native/fuzz';
  for (const workspace of ['native', fuzz, ...rustWorkspaces('test'), ...peers]) {
    const args = ['fmt', '--manifest-path', `${workspace}/Cargo.toml`, '--all', '--check'];
    await check(`cargo fmt ${workspace}`, cargo, args, env);
  }
  const clippy = ['clippy', ...manifest, '--workspace', '--all-targets', '--', '-D', 'warnings'];
  await check('cargo clippy', cargo, clippy, env);
  const ofFuzz = ['--locked', '--manifest-path', `${fuzz}/Cargo.toml`];
  const fuzzClippy = ['clippy', ...ofFuzz, '--all-targets', '--', '-D', 'warnings'];
  await check(`cargo clippy ${fuzz}`, cargo, fuzzClippy, env);
  for (const workspace of peers) {
    const args = ['check', '--locked', '--manifest-path', `${workspace}/Cargo.toml`];
    await check(`cargo check ${workspace}`, cargo, args, env);
  }
  const test = ['test', ...manifest, '--workspace', '--no-fail-fast'];
  await cargoTest('cargo test', cargo, test, env);
  await cargoTest(`cargo test ${fuzz}`, cargo, ['test', ...ofFuzz, '--no-fail-fast'], env);
}

async function cargoTest(name, cargo, args, env) {
  const startMs = Date.now();
  const { code, output } = await run(cargo, args, env);
  const counts = countCargo(output, code);
  total.skipped += counts.ignored;
  report(name, counts.passed, counts.failed, Date.now() - startMs, output);
}

async function typescriptLane() {
  const tsc = 'node_modules/typescript/bin/tsc';
  const types = (project) => {
    const record = `.setup/${project.replaceAll('/', '-')}.tsbuildinfo`;
    const args = [tsc, '-p', project, '--noEmit', '--incremental', '--tsBuildInfoFile', record];
    return check(`tsc ${project}`, process.execPath, args);
  };
  await types('tsconfig.json');
  // Folders with rules of their own, as no node types where nothing may reach the machine.
  for (const entry of readdirSync(join(root, 'src'), { withFileTypes: true })) {
    const project = `src/${entry.name}/tsconfig.json`;
    if (!entry.isDirectory() || !existsSync(join(root, project))) continue;
    await types(project);
  }
  for (const example of readdirSync(join(root, 'examples'))) {
    const project = `examples/${example}/page/tsconfig.json`;
    if (existsSync(join(root, project))) await types(project);
  }
  const biome = 'node_modules/@biomejs/biome/bin/biome';
  const biomeArgs = ['check', '--error-on-warnings', '--max-diagnostics=50', '--colors=off'];
  await check('biome', process.execPath, [biome, ...biomeArgs]);
  await check('generated files', process.execPath, ['scripts/generate.mjs', '--check']);
}

async function testFiles(words) {
  const files = testFolders
    .flatMap(listTests)
    .filter((path) => words.length === 0 || words.some((word) => path.includes(word)));
  if (files.length === 0) return report('test files', 0, 1, null, 'no test file matches');
  const counter = new TapCounter(files, (file) => {
    report(file.name, file.passed, file.failed, file.durationMs, file.lines.join('\n'));
  });
  const jobs = Math.max(1, Math.min(4, availableParallelism()));
  const args = ['node_modules/tap/dist/esm/run.mjs', 'run', '--reporter=tap', '--no-color'];
  args.push(`--jobs=${jobs}`, `--timeout=${fileTimeoutSeconds}`, ...files);
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, TAP: '' },
    stdio: ['ignore', 'pipe', 2],
  });
  const closed = new Promise((done) => {
    child.on('error', () => done(1));
    child.on('close', (code) => done(code ?? 1));
  });
  for await (const line of createInterface({ input: child.stdout })) counter.line(line);
  const before = total.failed;
  const counted = counter.failed;
  counter.end(await closed);
  // Failures that belong to no file: report() has not seen them.
  const reported = total.failed - before;
  if (counter.failed - counted > reported) report('tap', 0, 1, null, 'tap left with an error');
  total.skipped += counter.skipped;
}

function listTests(folder) {
  if (!existsSync(join(root, folder))) return [];
  const found = [];
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!['node_modules', 'target', 'dist'].includes(entry.name)) found.push(...listTests(path));
    } else if (/\.test\.(ts|mts|mjs|js)$/.test(entry.name)) found.push(path);
  }
  return found.sort();
}

/** Foreign peers: those of `test` are built by its tests, those of `bench` by the run that asks. */
function rustWorkspaces(folder) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  if (entries.some(({ name }) => name === 'Cargo.lock')) return [folder];
  return entries
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .flatMap(({ name }) => rustWorkspaces(`${folder}/${name}`));
}

async function check(name, command, args, env = {}) {
  const startMs = Date.now();
  const { code, output } = await run(command, args, env);
  report(name, code === 0 ? 1 : 0, code === 0 ? 0 : 1, Date.now() - startMs, output);
}

function run(command, args, env) {
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const collect = (text) => {
      output += text;
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.on('error', (error) => done({ code: 1, output: error.message }));
    child.on('close', (code) => done({ code: code ?? 1, output }));
  });
}

function report(name, passed, failed, durationMs, output) {
  total.passed += passed;
  total.failed += failed;
  const took = durationMs === null ? '' : `, ${(durationMs / 1000).toFixed(1)} s`;
  console.log(`${failed === 0 ? 'ok  ' : 'FAIL'} ${name} (${passed}/${passed + failed}${took})`);
  if (failed > 0) console.log(output.trimEnd());
}

process.exitCode = await main(process.argv.slice(2));
