// Builds the native parts with cargo and puts them where the loader looks for them.
//
//   node scripts/build-addon.mjs             build; a missing toolchain is an error
//   node scripts/build-addon.mjs --install   from an install script: without a toolchain the package
//                                            installs all the same, and only UDP is missing
//
// scripts/setup.mjs and binding.gyp both end here, so there is one way to build. This file is part of
// the published package and therefore imports nothing beside Node itself.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const packageRoot = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Path of the addon for this platform, relative to the package root. */
export const addonFile = `native/addon/ggscale-transport.${process.platform}-${process.arch}.node`;

/** Path of the layer-3 forwarder (Linux only), relative to the package root. */
export const forwarderFile = 'native/forwarder/ggscale-forwarder';

const stampFile = '.setup/native.json';
const RUSTUP = 'https://rustup.rs';

/** What the build is made from: everything below native/ that cargo reads for a release build. */
export function nativeSourceHash(root = packageRoot) {
  const hash = createHash('sha256');
  const visit = (folder) => {
    const entries = readdirSync(join(root, folder), { withFileTypes: true });
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!['target', 'tests', 'benches', 'examples', 'fuzz'].includes(entry.name)) visit(path);
      } else if (/(\.rs|\.toml|^Cargo\.lock)$/.test(entry.name)) {
        hash
          .update(`${path}\0`)
          .update(readFileSync(join(root, path)))
          .update('\0');
      }
    }
  };
  visit('native');
  return hash.digest('hex');
}

/** True when the built files are the ones the last build from these very sources left behind. */
export function nativeIsFresh(root = packageRoot) {
  try {
    const stamp = JSON.parse(readFileSync(join(root, stampFile), 'utf8'));
    if (stamp.sources !== nativeSourceHash(root)) return false;
    return wantedFiles(root).every((file) => stamp.files[file] === identity(join(root, file)));
  } catch {
    return false;
  }
}

/** The first cargo on PATH, else in CARGO_HOME, else in ~/.cargo; null without one. */
export function findCargo(env = process.env) {
  const home = env.HOME ?? env.USERPROFILE ?? homedir();
  const folders = (env.PATH ?? env.Path ?? '').split(delimiter);
  if (env.CARGO_HOME) folders.push(join(env.CARGO_HOME, 'bin'));
  folders.push(join(home, '.cargo', 'bin'));
  return findProgram('cargo', folders);
}

/** One line that says what the machine lacks for a native build and how to get it, or null. */
export function toolchainProblem(root = packageRoot, env = process.env) {
  const cargo = findCargo(env);
  if (cargo === null) {
    return `no Rust toolchain (cargo) found: install one from ${RUSTUP}, then run this again`;
  }
  const wanted = /rust-version = "([\d.]+)"/.exec(
    readFileSync(join(root, 'native/Cargo.toml'), 'utf8'),
  )?.[1];
  const answer = spawnSync(join(dirname(cargo), exe('rustc')), ['--version'], {
    env: cargoEnvironment(cargo, env),
    encoding: 'utf8',
  });
  const found = /^rustc (\d+\.\d+)/.exec(answer.stdout ?? '')?.[1];
  if (found === undefined) {
    return `cargo is at ${cargo}, but its rustc does not run: "rustup default stable" installs one`;
  }
  if (wanted !== undefined && older(found, wanted)) {
    return `Rust ${wanted} or newer is needed, this is ${found}: "rustup update stable" brings it`;
  }
  const path = (env.PATH ?? '').split(delimiter);
  const linkers = ['cc', 'gcc', 'clang'].some((name) => findProgram(name, path) !== null);
  if (process.platform === 'linux' && !env.CC && !linkers) {
    return 'no C compiler (cc) found: install one, for example "apt-get install build-essential"';
  }
  return null;
}

/**
 * Builds addon and forwarder and moves them into place atomically: a process that has the old addon
 * mapped keeps it. Cargo's own words go to stderr. Resolves to true when everything was built.
 * `onChild` is told the pid of cargo (a lock holder names it).
 */
export async function buildNative({ root = packageRoot, install = false, onChild } = {}) {
  const cargo = findCargo();
  // An installed package keeps neither intermediate files (100 MB) nor debug information (10 MB).
  const scratch = install && !existsSync(join(root, 'scripts/setup.mjs'));
  const target =
    process.env.CARGO_TARGET_DIR ??
    (scratch ? mkdtempSync(join(tmpdir(), 'ggscale-build-')) : join(root, 'native/target'));
  const sources = nativeSourceHash(root);
  try {
    const args = ['build', '--release', '--message-format=json-render-diagnostics'];
    args.push('--manifest-path', join(root, 'native/Cargo.toml'), '--target-dir', resolve(target));
    args.push('-p', 'ggscale-transport-addon');
    if (wantsForwarder(root)) args.push('-p', 'ggscale-forwarder');
    if (scratch) args.push('--locked');
    const env = scratch ? { CARGO_PROFILE_RELEASE_STRIP: 'debuginfo' } : {};
    const built = await runCargo(cargo, args, env, onChild);
    if (built === null) return false;
    for (const file of wantedFiles(root)) {
      const source = built.get(file);
      if (source === undefined) {
        console.error(`build-addon: cargo built nothing for ${file}`);
        return false;
      }
      place(source, join(root, file));
    }
  } finally {
    if (scratch && process.env.CARGO_TARGET_DIR === undefined) {
      rmSync(target, { recursive: true, force: true });
    }
  }
  if (!scratch) writeStamp(root, sources);
  return true;
}

function wantsForwarder(root) {
  // The published package carries the forwarder's sources only to keep the workspace whole.
  return process.platform === 'linux' && existsSync(join(root, 'scripts/setup.mjs'));
}

function wantedFiles(root) {
  return wantsForwarder(root) ? [addonFile, forwarderFile] : [addonFile];
}

function runCargo(cargo, args, extra, onChild) {
  return new Promise((done) => {
    const child = spawn(cargo, args, {
      stdio: ['ignore', 'pipe', 2],
      env: { ...cargoEnvironment(cargo, process.env), ...extra },
    });
    onChild?.(child.pid);
    let json = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text) => {
      json += text;
    });
    child.on('error', (error) => {
      console.error(`build-addon: ${cargo} does not run: ${error.message}`);
      done(null);
    });
    child.on('close', (code) => done(code === 0 ? artifacts(json) : null));
  });
}

/** Cargo's report of what it made: destination below the package root → the file in the target folder. */
function artifacts(json) {
  const found = new Map();
  for (const line of json.split('\n')) {
    if (!line.startsWith('{"reason":"compiler-artifact"')) continue;
    const message = JSON.parse(line);
    const crate = message.manifest_path.split(/[\\/]/).at(-2);
    if (crate === 'addon' && message.target.kind.includes('cdylib')) {
      found.set(
        addonFile,
        message.filenames.find((file) => /\.(so|dylib|dll)$/.test(file)),
      );
    }
    if (crate === 'forwarder' && message.executable) found.set(forwarderFile, message.executable);
  }
  return found;
}

function cargoEnvironment(cargo, env) {
  const { MAKEFLAGS, MFLAGS, MAKELEVEL, CARGO_MAKEFLAGS, ...rest } = env; // make's job server is not ours
  return { ...rest, PATH: `${dirname(cargo)}${delimiter}${env.PATH ?? ''}` };
}

function place(source, destination) {
  const temporary = `${destination}.${process.pid}.tmp`;
  mkdirSync(dirname(destination), { recursive: true });
  try {
    copyFileSync(source, temporary);
    chmodSync(temporary, 0o755);
    renameSync(temporary, destination);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function writeStamp(root, sources) {
  const files = {};
  for (const file of wantedFiles(root)) files[file] = identity(join(root, file));
  mkdirSync(dirname(join(root, stampFile)), { recursive: true });
  writeFileSync(join(root, stampFile), `${JSON.stringify({ sources, files })}\n`);
}

function identity(path) {
  const { size, mtimeMs } = statSync(path);
  return `${size}@${Math.round(mtimeMs)}`;
}

function older(found, wanted) {
  const [a, b] = [found, wanted].map((text) => text.split('.').map(Number));
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}

function exe(name) {
  return process.platform === 'win32' ? `${name}.exe` : name;
}

function findProgram(name, folders) {
  for (const folder of folders) {
    if (folder === '') continue;
    const path = join(folder, exe(name));
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // not here
    }
  }
  return null;
}

async function main(args) {
  const install = args.includes('--install');
  const unknown = args.find((arg) => arg !== '--install');
  if (unknown !== undefined) {
    console.error(`build-addon: unknown argument ${unknown}; only --install is known`);
    return 2;
  }
  if (install && process.env.GGSCALE_SKIP_ADDON) return 0;
  const problem = toolchainProblem();
  if (problem !== null) {
    const rest = install ? ' (installed without UDP; JSON over WebSocket works)' : '';
    console.error(`build-addon: ${problem}${rest}`);
    return install ? 0 : 1;
  }
  return (await buildNative({ install })) ? 0 : 1;
}

if (process.argv[1] && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  process.exitCode = await main(process.argv.slice(2));
}
