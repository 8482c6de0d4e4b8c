/** Packages that are installed apart from the repository's own, and the versions that the locks say. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../suite/root.js';

export const PEERS = join(ROOT, 'bench/peers');
/** Where Debian's libenet-dev puts it. */
const ENET_HEADER = '/usr/include/enet/enet.h';

const require = createRequire(join(PEERS, 'package.json'));

/** @returns what `require(name)` gives. @throws Error when it is not installed */
export function npmModule<T>(name: string): T {
  return require(name) as T;
}

/**
 * Of a package that can only be imported: it is not found from where the compiled programs are.
 *
 * @returns what `import(name)` gives. @throws Error when it is not installed
 */
export async function npmImport<T>(name: string): Promise<T> {
  const folder = join(PEERS, 'node_modules', name);
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    exports: { '.': { import: string } };
  };
  return (await import(pathToFileURL(join(folder, exports['.'].import)).href)) as T;
}

/** Of a package of npm. @throws Error for a name that is not in the lock */
export function lockedVersion(name: string): string {
  const lock = JSON.parse(readFileSync(join(PEERS, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string } | undefined>;
  };
  const entry = lock.packages[`node_modules/${name}`];
  if (entry === undefined) throw new Error(`${name} is not in bench/peers/package-lock.json`);
  return entry.version;
}

/** Of a crate. @throws Error for a name that is not in the lock */
export function crateVersion(name: string): string {
  const lock = readFileSync(join(PEERS, 'rust/Cargo.lock'), 'utf8');
  const version = new RegExp(`name = "${name}"\\nversion = "([^"]+)"`).exec(lock)?.[1];
  if (version === undefined) throw new Error(`${name} is not in bench/peers/rust/Cargo.lock`);
  return version;
}

/** Of a Go module. @throws Error for a name that is not in go.mod */
export function goVersion(name: string): string {
  const lines = readFileSync(join(PEERS, 'go/go.mod'), 'utf8').split('\n');
  const line = lines.find((line) => line.includes(`${name} v`));
  if (line === undefined) throw new Error(`${name} is not in bench/peers/go/go.mod`);
  return line.slice(line.indexOf(' v') + 2).split(' ')[0];
}

/** Of the library's headers on this machine; null where there are none. */
export function enetVersion(): string | null {
  if (!existsSync(ENET_HEADER)) return null;
  const header = readFileSync(ENET_HEADER, 'utf8');
  const parts = ['MAJOR', 'MINOR', 'PATCH'].map((part) => {
    return new RegExp(`ENET_VERSION_${part} +(\\d+)`).exec(header)?.[1] ?? '0';
  });
  return parts.join('.');
}
