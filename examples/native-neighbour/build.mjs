// Builds the neighbour with node-gyp: `node examples/native-neighbour/build.mjs`.
//
// A project of its own would say `node-gyp rebuild` in its install script. That fetches the headers of
// Node where they are not installed; this build needs only those of Node-API, which come as an npm
// package, and works without a network.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const own = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);

/** What node-gyp takes from Node's own build: the configurations by name. */
const COMMON = {
  target_defaults: {
    default_configuration: 'Release',
    configurations: { Release: { cflags: ['-O2', '-g'] }, Debug: { cflags: ['-g'] } },
  },
};

/** Where the module of a folder is once it is built. */
export function builtFile(folder = own) {
  return join(folder, 'build/Release/neighbour.node');
}

/** Builds in `folder`; returns builtFile. @throws Error with what the compiler said */
export function buildNeighbour(folder = own) {
  const headers = mkdtempSync(join(tmpdir(), 'node-api-headers-'));
  try {
    const include = join(headers, 'include/node');
    mkdirSync(include, { recursive: true });
    cpSync(require('node-api-headers').include_dir, include, { recursive: true });
    writeFileSync(join(include, 'common.gypi'), JSON.stringify(COMMON));
    const gyp = require.resolve('node-gyp/bin/node-gyp.js');
    const args = [gyp, 'rebuild', '--nodedir', headers, '--force-process-config'];
    // binding.gyp asks `node` where things are: this one.
    const PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`;
    const env = { ...process.env, NODE_OPTIONS: '', PATH };
    const run = spawnSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' });
    if (run.status !== 0)
      throw new Error(`the neighbour does not build:\n${run.stdout}${run.stderr}`);
  } finally {
    rmSync(headers, { recursive: true, force: true });
  }
  return builtFile(folder);
}

if (process.argv[1] && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  buildNeighbour();
}
