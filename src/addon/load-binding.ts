/** Finds and loads the native module, once, and checks that it belongs to this code. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AdvisedError, TransportError } from '../util/errors.js';
import { VERSION } from '../util/version.js';
import type { Binding } from './binding.js';
import { LAYOUT } from './layout.js';
import {
  findPlatformPackages,
  type Machine,
  platformPackageNames,
  thisMachine,
} from './platform-package.js';

const HOW_TO_BUILD =
  "run 'npm rebuild @ggscale/transport' (in a checkout: 'npm run setup'); it needs Rust";
const HOW_TO_INSTALL =
  "run 'npm install --include=optional', or where no package fits 'npm rebuild " +
  "@ggscale/transport' (in a checkout: 'npm run setup'); that needs Rust";

/** Names the .node file to load instead of any other. */
export const ADDON_VARIABLE = 'GGSCALE_TRANSPORT_ADDON';

const HOW_TO_NAME = `unset ${ADDON_VARIABLE}, or let it name the .node file of this version and machine`;

/** Where the addon is looked for. Tests have places of their own. */
export interface Place {
  /** Folder of the package.json: the local build is below it, platform packages are found from it. */
  readonly root: string;
  /** Value of GGSCALE_TRANSPORT_ADDON; empty: not set. */
  readonly named: string;
  readonly machine: Machine;
}

/** A file that may be the addon; `file` is null for a package that is not installed. */
interface Candidate {
  readonly label: string;
  readonly file: string | null;
  /** Of a platform package. */
  readonly version?: string;
}

let loaded: Binding | null = null;

/**
 * The native module: the file that GGSCALE_TRANSPORT_ADDON names, and then nothing else; otherwise the
 * platform package, then the local build.
 *
 * @throws TransportError `unsupported-runtime` (Bun), `unsupported-platform` (not Linux),
 *   `addon-missing` (none is there that loads), `addon-mismatch` (of another version or other sources)
 */
export function loadBinding(): Binding {
  loaded ??= load();
  return loaded;
}

function load(): Binding {
  refuseRuntime(process.versions, process.platform);
  return loadFrom(here());
}

/** Exported for its tests. */
export function loadFrom(place: Place): Binding {
  const { named, machine } = place;
  if (named !== '') {
    const candidate = { label: `${ADDON_VARIABLE}=${named}`, file: resolve(named) };
    return loadFirst([candidate], machine, HOW_TO_NAME);
  }
  return loadFirst([...packaged(place), local(place)], machine);
}

/**
 * For the install script: the module of an installed platform package, null without one.
 *
 * @throws TransportError as loadBinding, where the package is no good
 */
export function loadPrebuilt(place = here()): Binding | null {
  const candidates = packaged(place).filter(({ file }) => file !== null);
  return candidates.length === 0 ? null : loadFirst(candidates, place.machine);
}

function here(): Place {
  const root = packageRoot() ?? dirname(fileURLToPath(import.meta.url));
  return { root, named: process.env[ADDON_VARIABLE] ?? '', machine: thisMachine };
}

function packaged({ root, machine }: Place): Candidate[] {
  const installed = findPlatformPackages(machine, root);
  if (installed.length > 0) {
    return installed.map(({ name, file, version }) => ({ label: name, file, version }));
  }
  return platformPackageNames(machine).map((name) => ({ label: name, file: null }));
}

function local({ root, machine: { platform, arch } }: Place): Candidate {
  const file = join(root, 'native', 'addon', `ggscale-transport.${platform}-${arch}.node`);
  return { label: file, file };
}

/**
 * The first candidate that loads. One of the wrong version or layout is an error, not passed over.
 * `wayOut` is what to do where none is good; undefined: install or build.
 */
function loadFirst(candidates: readonly Candidate[], machine: Machine, wayOut?: string): Binding {
  const tried: string[] = [];
  let cause: unknown;
  for (const { label, file, version } of candidates) {
    if (version !== undefined && version !== VERSION) throw wrongVersion(label, version, file);
    if (file === null) {
      tried.push(`${label} is not installed`);
    } else if (!existsSync(file)) {
      const where = label.endsWith(file) ? '' : ` (${file})`;
      tried.push(
        label === file ? `${file} is not there` : `${label}: the file is not there${where}`,
      );
    } else if (!file.endsWith('.node')) {
      tried.push(`${label} is no .node file`); // require would run it as a program
    } else {
      let binding: Binding | null = null;
      try {
        binding = createRequire(import.meta.url)(file) as Binding;
      } catch (error) {
        cause ??= error;
        tried.push(`${label} does not load: ${firstLine(error)}`);
      }
      if (binding === null) continue;
      checkLayout(binding, label, wayOut);
      return binding;
    }
  }
  const libc = machine.libc();
  const name = `${machine.platform}-${machine.arch}${libc === null ? '' : ` (${libc})`}`;
  const what = `no native addon for ${name}; tried: ${tried.join('; ')}`;
  const options = cause === undefined ? {} : { cause };
  throw new AdvisedError('addon-missing', what, wayOut ?? HOW_TO_INSTALL, options);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0];
}

function wrongVersion(name: string, version: string, file: string | null): TransportError {
  const where = file ? ` (${dirname(file)})` : ''; // NODE_PATH, or a folder above
  return new AdvisedError(
    'addon-mismatch',
    `${name} is version ${version}${where}, @ggscale/transport is ${VERSION}`,
    `run 'npm install @ggscale/transport@${VERSION} --include=optional'`,
  );
}

/** Exported for its tests. Bun exports uv_poll and aborts when it is called, so ask before loading. */
export function refuseRuntime(
  versions: Readonly<Record<string, string | undefined>>,
  platform: string,
): void {
  if (versions.bun !== undefined) {
    throw new TransportError('unsupported-runtime', 'UDP needs Node: Bun has no uv_poll');
  }
  if (platform !== 'linux') {
    throw new TransportError('unsupported-platform', `UDP needs Linux for now, not ${platform}`);
  }
}

/** Exported for its tests. */
export function checkLayout(
  binding: Pick<Binding, 'layout'>,
  label = 'the native addon',
  wayOut = HOW_TO_BUILD,
): void {
  const native = typeof binding.layout === 'function' ? binding.layout() : {};
  const names = new Set([...Object.keys(native), ...Object.keys(LAYOUT)]);
  for (const name of names) {
    if (native[name] === LAYOUT[name]) continue;
    throw new AdvisedError(
      'addon-mismatch',
      `${label} was built from other sources (${name} is ${native[name]}, expected ${LAYOUT[name]})`,
      wayOut,
    );
  }
}

/** The folder with package.json, from source (src/addon) as well as compiled (dist/src/addon). */
function packageRoot(): string | null {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    const parent = dirname(folder);
    if (parent === folder) return null;
    folder = parent;
  }
}
