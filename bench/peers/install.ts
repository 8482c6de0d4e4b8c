/**
 * Installs and builds what the peers need, at the run that asks for it: packages of npm by the committed
 * lock, crates and Go modules by theirs. Nothing here reaches anything but package registries: scripts of packages do not run, because
 * those download.
 */
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../suite/root.js';
import { enetVersion, PEERS } from './locks.js';
import type { Need, PeerEntry } from './peers.js';

/** Where the built programs are. */
export type Tools = Readonly<Record<string, string>>;

export interface Installed {
  tools: Tools;
  /** Why a need is not met. */
  missing: ReadonlyMap<Need, string>;
}

const NPM_LOCK = join(PEERS, 'package-lock.json');
/** npm writes it at the end of an install. */
const NPM_INSTALLED = join(PEERS, 'node_modules/.package-lock.json');
/** By itself npm waits five minutes for a registry that is silent, and asks it three times. */
const NPM_SECONDS_MAX = 180;

type Step = (say: (text: string) => void, tools: Record<string, string>) => Promise<void>;

/** In this order; each throws an Error whose message is the reason. */
const STEPS: readonly [Need, Step][] = [
  ['npm', installPackages],
  ['bun', () => needBinary('@oven/bun-linux-x64')],
  ['quic', () => needBinary(`@matrixai/quic-${process.platform}-${process.arch}`)],
  ['enet', findEnet],
  ['rust', buildRust],
  ['go', buildGo],
];

export async function install(
  entries: readonly PeerEntry[],
  say: (text: string) => void,
): Promise<Installed> {
  const wanted = new Set(entries.flatMap(({ needs }) => needs));
  const tools: Record<string, string> = {};
  const missing = new Map<Need, string>();
  for (const [need, step] of STEPS) {
    if (!wanted.has(need)) continue;
    try {
      await step(say, tools);
    } catch (error) {
      missing.set(need, (error as Error).message);
    }
  }
  return { tools, missing };
}

async function installPackages(say: (text: string) => void): Promise<void> {
  const isFresh =
    existsSync(NPM_INSTALLED) && statSync(NPM_INSTALLED).mtimeMs >= statSync(NPM_LOCK).mtimeMs;
  if (isFresh) return;
  say('npm ci in bench/peers');
  const command = ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  await runTool(command, PEERS, NPM_SECONDS_MAX);
}

/** npm leaves out what is optional and not for this machine. @throws Error with the package's name */
export async function needBinary(name: string): Promise<void> {
  if (!existsSync(join(PEERS, 'node_modules', name))) {
    throw new Error(`${name} is not installed: npm has no binary for this machine`);
  }
}

/** The C library is a package of the system: nobody but root can install it. */
async function findEnet(say: (text: string) => void): Promise<void> {
  if (enetVersion() !== null) return;
  if (process.getuid?.() === 0) {
    say('apt-get install libenet-dev');
    await runTool(['apt-get', 'update', '-qq'], PEERS).catch(() => '');
    const packages = ['install', '-y', '-qq', '--no-install-recommends', 'libenet-dev'];
    await runTool(['apt-get', ...packages], PEERS).catch(() => '');
  }
  if (enetVersion() === null)
    throw new Error('no libenet-dev (Debian: apt-get install libenet-dev)');
}

/** A workspace of its own: the product does not depend on what its peers are. */
async function buildRust(
  say: (text: string) => void,
  tools: Record<string, string>,
): Promise<void> {
  const cargo = await findCargo();
  if (cargo === null) throw new Error('no Rust toolchain (cargo) found');
  say('cargo build in bench/peers/rust (the first time takes some minutes)');
  // Two workspaces in one target folder take each other's builds of the crates they share.
  const shared = process.env.CARGO_TARGET_DIR;
  const target = shared === undefined ? join(PEERS, 'rust/target') : join(shared, 'peers');
  const args = ['build', '--release', '--locked', '--target-dir', target];
  if (enetVersion() !== null) args.push('--features', 'enet');
  await runTool([cargo, ...args], join(PEERS, 'rust'));
  tools.rust = join(target, 'release/ggscale-peers');
}

async function buildGo(say: (text: string) => void, tools: Record<string, string>): Promise<void> {
  say('go build in bench/peers/go');
  tools.go = join(PEERS, 'go/build/gnet-echo');
  await runTool(['go', 'build', '-o', tools.go, '.'], join(PEERS, 'go'));
}

async function findCargo(): Promise<string | null> {
  const url = pathToFileURL(join(ROOT, 'scripts/build-addon.mjs')).href;
  return ((await import(url)) as { findCargo(): string | null }).findCargo();
}

/**
 * What it wrote on stdout. After `secondsMax` it is killed.
 *
 * @throws Error with the last lines it wrote on stderr, or that says how long it was waited for
 */
export async function runTool(
  [file, ...args]: readonly string[],
  cwd: string,
  secondsMax = Number.POSITIVE_INFINITY,
): Promise<string> {
  // A toolchain finds its own programs beside it.
  const path = isAbsolute(file) ? `${dirname(file)}:${process.env.PATH ?? ''}` : process.env.PATH;
  const env = { ...process.env, PATH: path };
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  let isLate = false;
  const kill = (): void => {
    isLate = true;
    child.kill('SIGKILL');
  };
  const timer = Number.isFinite(secondsMax) ? setTimeout(kill, secondsMax * 1000) : undefined;
  const code = await new Promise<number | string | null>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', resolve);
  });
  clearTimeout(timer);
  if (code === 0) return stdout;
  const tail = stderr.trim().split('\n').slice(-3).join(' ').trim();
  const said = tail === '' ? '' : `: ${tail}`;
  if (isLate) throw new Error(`${file} ${args[0]}: not done within ${secondsMax} s${said}`);
  throw new Error(`${file} ${args[0]}${said === '' ? `: exit ${code}` : said}`);
}
