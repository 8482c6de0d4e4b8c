/** Builds the foreign peers once per test file; cargo itself serialises builds of two files. */

import { spawn } from 'node:child_process';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collectText } from './peer-process.js';

export interface ForeignPeer {
  /** The crate and version under test. */
  readonly name: string;
  readonly program: string;
  /** The largest payload that it sends and accepts, in bytes. */
  readonly maxPayloadBytes: number;
  /** False: its tokens hold IPv6 addresses in another byte order than the standard's. */
  readonly hasStandardIpv6: boolean;
  /** How its client names the states that the tests wait for. */
  readonly reasons: {
    readonly denied: string;
    readonly requestTimedOut: string;
    readonly timedOut: string;
    readonly endedByServer: string;
  };
}

export const PEERS_DIRECTORY = fileURLToPath(new URL('./peers/', import.meta.url));

const DESCRIPTIONS: readonly Omit<ForeignPeer, 'program'>[] = [
  {
    name: 'netcode-official',
    maxPayloadBytes: 1200,
    hasStandardIpv6: true,
    reasons: {
      denied: 'connection denied',
      requestTimedOut: 'connection request timed out',
      timedOut: 'connection timed out',
      endedByServer: 'disconnected',
    },
  },
  {
    name: 'renetcode',
    maxPayloadBytes: 1300,
    hasStandardIpv6: false,
    reasons: {
      denied: 'server denied connection',
      requestTimedOut: 'connection timed out during request step',
      timedOut: 'connection timed out',
      endedByServer: 'connection terminated by server',
    },
  },
];

export interface PeerBuild {
  readonly peers: readonly ForeignPeer[];
  /** Why there is nothing to run, or null. */
  readonly skipReason: string | null;
}

/** Throws when the build itself fails: only a machine without Rust may skip. */
export async function buildPeers(): Promise<PeerBuild> {
  const cargo = spawn(
    'cargo',
    ['build', '--locked', '--quiet', '--bins', '--message-format=json-render-diagnostics'],
    {
      cwd: PEERS_DIRECTORY,
      env: { ...process.env, PATH: searchPath() },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const missing = new Promise<boolean>((resolve, reject) => {
    cargo.once('spawn', () => resolve(false));
    cargo.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve(true);
      else reject(error);
    });
  });
  if (await missing) {
    return { peers: [], skipReason: 'no Rust toolchain: cargo is needed to build foreign peers' };
  }
  const ended = new Promise<number | null>((resolve) => cargo.once('close', resolve));
  const [output, errors, code] = await Promise.all([
    collectText(cargo.stdout),
    collectText(cargo.stderr),
    ended,
  ]);
  if (code !== 0) throw new Error(`cargo build of the foreign peers failed:\n${errors}`);
  const programs = executables(output);
  const peers = DESCRIPTIONS.map((description) => {
    const program = programs.get(`peer-${description.name}`);
    if (program === undefined) throw new Error(`cargo built no peer-${description.name}`);
    return { ...description, program };
  });
  return { peers: [...peers, ...extraPeers()], skipReason: null };
}

/**
 * `INTEROP_EXTRA_PEERS=name=program,…` puts more implementations to the same tests: ones that no
 * package registry carries. They speak the lines of peers/common and name states like the first peer.
 */
function extraPeers(): ForeignPeer[] {
  const likeFirst = DESCRIPTIONS[0];
  const pairs = process.env.INTEROP_EXTRA_PEERS?.split(',') ?? [];
  return pairs.flatMap((pair) => {
    const [name, program] = pair.split('=');
    return name && program && likeFirst ? [{ ...likeFirst, name, program }] : [];
  });
}

/** rustup's folder too, which a shell that was open before its installation does not search. */
export function searchPath(): string {
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), '.cargo');
  return [process.env.PATH, join(cargoHome, 'bin')].join(delimiter);
}

function executables(output: string): Map<string, string> {
  const programs = new Map<string, string>();
  for (const line of output.split('\n')) {
    if (!line.startsWith('{')) continue;
    const message = JSON.parse(line) as { executable?: string | null; target?: { name: string } };
    if (message.executable && message.target) programs.set(message.target.name, message.executable);
  }
  return programs;
}
