// The steps of scripts/setup.mjs. Each has a check that reads contents, not dates, and costs a few
// milliseconds, and an action that runs only under the lock when the check fails.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { buildNative, nativeIsFresh, packageRoot, toolchainProblem } from '../build-addon.mjs';
import { npmCommand } from './npm-command.mjs';
import { acquireLock } from './setup-lock.mjs';

const root = packageRoot;
const dependencyStamp = join(root, 'node_modules/.ggscale-setup');
const typescriptStamp = join(root, 'dist/.ggscale-setup');
const compiledFolders = ['src', 'bench', 'examples', 'sdk-compat'];
/** Pages: esbuild makes of them what browsers load. */
const bundled = /^examples\/[^/]+\/page$/;
const compiler = ['scripts/compile.mjs', 'scripts/lib/fold-constants.mjs'];

export async function main() {
  if (allFresh()) return;
  // Asked before anything is downloaded: half a set-up helps nobody.
  const problem = nativeIsFresh(root) ? null : toolchainProblem(root);
  if (problem !== null) {
    say(problem);
    process.exitCode = 1;
    return;
  }
  const lock = await acquireLock(join(root, '.setup/lock'), (pid) => {
    say(`another set-up (process ${pid}) is running here; waiting for it`);
  });
  let childPid = null;
  const onChild = (pid) => {
    childPid = pid ?? null;
    lock.setChild(childPid);
  };
  const stop = (signal) => {
    if (childPid !== null) process.kill(childPid, signal);
    lock.release();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const run = (command, args) => {
    return new Promise((done) => {
      const stdio = ['ignore', 2, 2];
      const child = spawn(command, args, { cwd: root, env: childEnvironment(), stdio });
      onChild(child.pid);
      child.on('error', (error) => {
        say(`${command} does not run: ${error.message}`);
        done(false);
      });
      child.on('close', (code) => done(code === 0));
    });
  };
  try {
    process.exitCode = (await runSteps(run, onChild)) ? 0 : 1;
  } finally {
    lock.release();
  }
}

function allFresh() {
  return dependenciesAreFresh() && nativeIsFresh(root) && typescriptIsFresh();
}

async function runSteps(run, onChild) {
  if (!dependenciesAreFresh() && !(await installDependencies(run))) return false;
  if (!nativeIsFresh(root)) {
    const startMs = Date.now();
    say('building the native parts (cargo, release; the first time takes a minute or two)');
    if (!(await buildNative({ root, onChild }))) {
      say('the native build failed; the lines above say why');
      return false;
    }
    say(`native parts built in ${seconds(startMs)}`);
  }
  return typescriptIsFresh() || (await compileTypeScript(run));
}

// --- dependencies ---------------------------------------------------------------------------------

function dependenciesAreFresh() {
  const lockText = readOr(join(root, 'package-lock.json'));
  if (lockText === null) return false;
  const digest = sha256(lockText);
  if (!rootPackagesExist(lockText)) return false;
  if (readOr(dependencyStamp)?.trim() === digest) return true;
  if (!installedMatches(lockText)) return false;
  tryWrite(dependencyStamp, `${digest}\n`); // somebody ran npm ci by hand: no need to do it again
  return true;
}

function rootPackagesExist(lockText) {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(lockText).packages[''];
  return Object.keys({ ...dependencies, ...devDependencies }).every((name) =>
    existsSync(join(root, 'node_modules', name, 'package.json')),
  );
}

/** npm leaves what it installed in node_modules/.package-lock.json; packages of other platforms are absent. */
function installedMatches(lockText) {
  const installedText = readOr(join(root, 'node_modules/.package-lock.json'));
  if (installedText === null) return false;
  const installed = JSON.parse(installedText).packages;
  return Object.entries(JSON.parse(lockText).packages).every(([path, wanted]) => {
    if (path === '') return true;
    const found = installed[path];
    if (found === undefined) return wanted.optional === true;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

async function installDependencies(run) {
  const startMs = Date.now();
  const lockText = readOr(join(root, 'package-lock.json'));
  if (lockText === null) {
    say('package-lock.json is missing: this is not a whole checkout');
    return false;
  }
  say('installing dependencies (npm ci)');
  // The package's own install script is the native build, which is the next step anyway.
  const args = ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund'];
  const [command, ...first] = npmCommand();
  if (!(await run(command, [...first, ...args]))) {
    say('npm ci failed; the lines above say why');
    return false;
  }
  writeFileSync(dependencyStamp, `${sha256(lockText)}\n`);
  say(`dependencies installed in ${seconds(startMs)}`);
  return true;
}

/** Without what the outer npm call exported for itself: its --prefix, --workspace or --omit are not ours. */
function childEnvironment() {
  const env = {};
  const outer = /^npm_config_(prefix|local_prefix|global|omit|include|workspaces?|dry_run|json)$/i;
  for (const [name, value] of Object.entries(process.env)) {
    if (!outer.test(name)) env[name] = value;
  }
  env.PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`;
  return env;
}

// --- TypeScript -----------------------------------------------------------------------------------

function typescriptSources() {
  const files = [];
  const visit = (folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory() && !bundled.test(path)) visit(path);
      else if (/\.ts$/.test(entry.name) && !/\.test\.ts$/.test(entry.name)) files.push(path);
    }
  };
  for (const folder of compiledFolders) if (existsSync(join(root, folder))) visit(folder);
  return files.sort();
}

function typescriptHash(files) {
  const hash = createHash('sha256');
  const settings = ['package-lock.json', 'tsconfig.base.json', 'tsconfig.build.json'];
  for (const path of [...settings, ...compiler, ...files]) {
    hash
      .update(`${path}\0`)
      .update(readOr(join(root, path)) ?? '')
      .update('\0');
  }
  return hash.digest('hex');
}

function typescriptIsFresh() {
  const files = typescriptSources();
  if (readOr(typescriptStamp)?.trim() !== typescriptHash(files)) return false;
  return files.every((path) => path.endsWith('.d.ts') || existsSync(compiledPath(path)));
}

function compiledPath(path) {
  return join(root, 'dist', path.replace(/\.ts$/, '.js'));
}

async function compileTypeScript(run) {
  const startMs = Date.now();
  const files = typescriptSources();
  const digest = typescriptHash(files);
  say('compiling TypeScript');
  rmSync(typescriptStamp, { force: true });
  if (!(await run(process.execPath, [join(root, compiler[0])]))) {
    say('the TypeScript does not compile; the lines above say why');
    return false;
  }
  removeOrphans(new Set(files));
  writeFileSync(typescriptStamp, `${digest}\n`);
  say(`TypeScript compiled in ${seconds(startMs)}`);
  return true;
}

/** Output whose source is gone would still be importable, and packed. */
function removeOrphans(sources) {
  const visit = (folder) => {
    if (!existsSync(join(root, 'dist', folder))) return;
    for (const entry of readdirSync(join(root, 'dist', folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`;
      const base = path.replace(/(\.d\.ts|\.js)(\.map)?$/, '');
      if (entry.isDirectory()) visit(path);
      else if (base !== path && !sources.has(`${base}.ts`)) rmSync(join(root, 'dist', path));
    }
  };
  for (const folder of compiledFolders) visit(folder);
}

// --- helpers --------------------------------------------------------------------------------------

function say(line) {
  process.stderr.write(`setup: ${line}\n`);
}

function seconds(startMs) {
  return `${((Date.now() - startMs) / 1000).toFixed(1)} s`;
}

function sha256(text) {
  return createHash('sha256').update(text).digest('hex');
}

function readOr(path) {
  try {
    return statSync(path).isFile() ? readFileSync(path, 'utf8') : null;
  } catch {
    return null;
  }
}

function tryWrite(path, text) {
  try {
    writeFileSync(path, text);
  } catch {
    // a read-only checkout works too, it only compares more each time
  }
}
