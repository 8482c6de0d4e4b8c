/** Packages that carry the addon ready-made, one per platform: their names, and which are here. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** What a Linux program is linked against; the addon comes for either. */
export type Libc = 'gnu' | 'musl';

/** What decides which package fits. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  /** Null beside Linux. A function, because the report behind it is slow and seldom needed. */
  libc(): Libc | null;
}

export interface PlatformPackage {
  readonly name: string;
  /** `unknown` when its package.json cannot be read. */
  readonly version: string;
  /** Path of the .node file; it may be missing. Empty where the package cannot be looked into. */
  readonly file: string;
}

/** The one file of a platform package that is code. */
export const PACKAGED_FILE = 'ggscale-transport.node';

export const thisMachine: Machine = {
  platform: process.platform,
  arch: process.arch,
  libc() {
    if (process.platform !== 'linux') return null;
    ownLibc ??= reportedLibc();
    return ownLibc;
  },
};

let ownLibc: Libc | null = null;

function reportedLibc(): Libc {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  const kept = report.excludeNetwork;
  report.excludeNetwork = true; // where Node knows it: names of peers would be asked for
  try {
    const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } };
    return header.glibcVersionRuntime === undefined ? 'musl' : 'gnu';
  } finally {
    report.excludeNetwork = kept ?? false;
  }
}

/** Every package that could fit, whatever the libc. */
export function platformPackageNames({ platform, arch }: Machine): string[] {
  const name = `@ggscale/transport-${platform}-${arch}`;
  return platform === 'linux' ? [`${name}-gnu`, `${name}-musl`] : [name];
}

/**
 * Those that are installed where `root` sees them. npm goes by the libc itself; others, and a
 * node_modules that was copied, may have both: then the machine's libc decides.
 */
export function findPlatformPackages(machine: Machine, root: string): PlatformPackage[] {
  const { resolve } = createRequire(join(root, 'package.json'));
  const installed: PlatformPackage[] = [];
  for (const name of platformPackageNames(machine)) {
    try {
      const manifest = resolve(`${name}/package.json`);
      const version = String(JSON.parse(readFileSync(manifest, 'utf8')).version);
      installed.push({ name, version, file: join(dirname(manifest), PACKAGED_FILE) });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') continue;
      installed.push({ name, version: 'unknown', file: '' });
    }
  }
  if (installed.length < 2) return installed;
  const libc = machine.libc();
  return installed.filter(({ name }) => name.endsWith(`-${libc}`));
}
