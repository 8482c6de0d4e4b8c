/**
 * Installs and builds what the peers need, at the run that asks for it: packages of npm by the committed
 * lock. Nothing here reaches anything but package registries: scripts of packages do not run, because
 * those download.
 */
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PEERS } from './npm-module.js';
import { bunProgram, type Need, type PeerEntry } from './peers.js';

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

type Step = (say: (text: string) => void, tools: Record<string, string>) => Promise<void>;

/** In this order; each throws an Error whose message is the reason. */
const STEPS: readonly [Need, Step][] = [
  ['npm', installPackages],
  ['bun', findBun],
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
  await runTool(['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund'], PEERS);
}

async function findBun(): Promise<void> {
  if (!existsSync(bunProgram())) {
    throw new Error('@oven/bun-linux-x64 has no binary for this machine');
  }
}

/** @throws Error with the last line it wrote on stderr */
export async function runTool([file, ...args]: readonly string[], cwd: string): Promise<string> {
  const child = spawn(file, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const code = await new Promise<number | string | null>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', resolve);
  });
  if (code === 0) return stdout;
  const why = stderr.trim().split('\n').slice(-3).join(' ').trim();
  throw new Error(`${file} ${args[0]}: ${why === '' ? `exit ${code}` : why}`);
}
