/** Finds and loads the native module, once, and checks that it belongs to this code. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TransportError } from '../util/errors.js';
import type { Binding } from './binding.js';
import { LAYOUT } from './layout.js';

const HOW_TO_BUILD =
  "run 'npm rebuild @ggscale/transport' (in a checkout: 'npm run setup'); it needs Rust";

/** Names the .node file to load instead of the built one. */
export const ADDON_VARIABLE = 'GGSCALE_TRANSPORT_ADDON';

let loaded: Binding | null = null;

/**
 * The native module.
 *
 * @throws TransportError `unsupported-runtime` (Bun), `unsupported-platform` (not Linux),
 *   `addon-missing` (not built), `addon-mismatch` (built from other sources)
 */
export function loadBinding(): Binding {
  loaded ??= load();
  return loaded;
}

function load(): Binding {
  refuseRuntime(process.versions, process.platform);
  const named = process.env[ADDON_VARIABLE];
  const path = named !== undefined && named !== '' ? named : builtPath();
  if (path === null || !existsSync(path)) {
    const where = path === null ? '' : ` (looked for ${path})`;
    throw new TransportError(
      'addon-missing',
      `the native addon is not built: ${HOW_TO_BUILD}${where}`,
    );
  }
  let binding: Binding;
  try {
    binding = createRequire(import.meta.url)(path) as Binding;
  } catch (cause) {
    throw new TransportError('addon-missing', `the native addon ${path} does not load`, { cause });
  }
  checkLayout(binding);
  return binding;
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
export function checkLayout(binding: Pick<Binding, 'layout'>): void {
  const native = typeof binding.layout === 'function' ? binding.layout() : {};
  const names = new Set([...Object.keys(native), ...Object.keys(LAYOUT)]);
  for (const name of names) {
    if (native[name] === LAYOUT[name]) continue;
    throw new TransportError(
      'addon-mismatch',
      `the native addon was built from other sources (${name} is ${native[name]}, expected ` +
        `${LAYOUT[name]}): ${HOW_TO_BUILD}`,
    );
  }
}

/** Beside the package's package.json, from source (src/addon) as well as compiled (dist/src/addon). */
function builtPath(): string | null {
  const file = `ggscale-transport.${process.platform}-${process.arch}.node`;
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    if (existsSync(join(folder, 'package.json'))) return join(folder, 'native', 'addon', file);
    const parent = dirname(folder);
    if (parent === folder) return null;
    folder = parent;
  }
}
