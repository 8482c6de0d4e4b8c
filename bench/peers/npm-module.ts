/** Packages of bench/peers/package.json, which is installed apart from the repository's own. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ROOT } from '../suite/root.js';

export const PEERS = join(ROOT, 'bench/peers');

const require = createRequire(join(PEERS, 'package.json'));

/** @returns what `require(name)` gives. @throws Error when it is not installed */
export function npmModule<T>(name: string): T {
  return require(name) as T;
}

/** The version that the lock says. @throws Error for a name that is not in it */
export function lockedVersion(name: string): string {
  const lock = JSON.parse(readFileSync(join(PEERS, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string } | undefined>;
  };
  const entry = lock.packages[`node_modules/${name}`];
  if (entry === undefined) throw new Error(`${name} is not in bench/peers/package-lock.json`);
  return entry.version;
}
