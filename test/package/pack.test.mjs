// What a user installs: the packed files are the needed ones and no other, and the entries load.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot as root } from '../../scripts/build-addon.mjs';
import { npmCommand } from '../../scripts/lib/npm-command.mjs';

const needed = [
  /^package\.json$/,
  /^(README|CHANGELOG|SECURITY)\.md$/,
  /^LICENSE$/,
  /^binding\.gyp$/,
  /^scripts\/(build-addon|generate|prebuilt)\.mjs$/,
  /^scripts\/generate\/[\w-]+\.mjs$/,
  /^schemas\/[\w-]+\.fbs$/,
  /^dist\/src\/(?!.*\.test\.).*\.(js|d\.ts)$/,
  /^native\/Cargo\.(toml|lock)$/,
  /^native\/include\/ggscale_transport\.h$/,
  /^native\/(core|addon|forwarder|bench|rl1)\/(Cargo\.toml|build\.rs|src\/.*\.rs)$/,
];

const required = [
  'LICENSE',
  'README.md',
  'CHANGELOG.md',
  'binding.gyp',
  'scripts/build-addon.mjs',
  'scripts/prebuilt.mjs',
  'scripts/generate.mjs',
  'native/Cargo.toml',
  'native/Cargo.lock',
  'native/core/src/lib.rs',
  'native/addon/src/lib.rs',
  'native/addon/build.rs',
  'native/include/ggscale_transport.h',
  'dist/src/index.js',
  'dist/src/index.d.ts',
  'dist/src/server/index.js',
  'dist/src/server/index.d.ts',
  'dist/src/sdk/index.js',
  'dist/src/sdk/index.d.ts',
  'dist/src/cli/main.js',
];

const packedBytesMax = 1 << 20;

function npm(args) {
  const [command, ...first] = npmCommand();
  // prepack would compile; npm test has done that, and this test changes nothing.
  const all = [...first, 'pack', '--json', '--ignore-scripts', ...args];
  const stdio = ['ignore', 'pipe', 'ignore'];
  const [packed] = JSON.parse(execFileSync(command, all, { cwd: root, encoding: 'utf8', stdio }));
  return packed;
}

t.test('the package holds what is needed and nothing else', async (t) => {
  const { files, size } = npm(['--dry-run']);
  const paths = files.map(({ path }) => path);
  t.same(
    paths.filter((path) => !needed.some((pattern) => pattern.test(path))),
    [],
    'nothing that is not needed',
  );
  t.same(
    required.filter((path) => !paths.includes(path)),
    [],
    'nothing that is needed is missing',
  );
  t.ok(size <= packedBytesMax, `${size} bytes packed`);
});

t.test('the packed entries load with only the dependencies beside them', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ggscale-pack-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const { filename } = npm(['--pack-destination', folder]);
  const home = join(folder, 'node_modules/@ggscale/transport');
  mkdirSync(home, { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, filename), '--strip-components=1', '-C', home]);
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  }
  for (const entry of ['', '/server', '/sdk']) {
    const program = `const all = await import('@ggscale/transport${entry}');
      console.log(Object.keys(all).length);`;
    const args = ['--input-type=module', '-e', program];
    const names = execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
    t.ok(Number(names) > 0, `@ggscale/transport${entry} exports something`);
  }
  const find = "console.log(require.resolve('@ggscale/transport/ggscale_transport.h'))";
  const header = execFileSync(process.execPath, ['-e', find], { cwd: folder, encoding: 'utf8' });
  t.match(readFileSync(header.trim(), 'utf8'), /^#define GGSCALE_ABI_VERSION \d+u$/m);
  const { bin, version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  for (const program of Object.values(bin)) {
    const run = (...args) =>
      execFileSync(process.execPath, [join(home, program), ...args], { encoding: 'utf8' });
    t.match(readFileSync(join(home, program), 'utf8'), /^#!\/usr\/bin\/env node\n/);
    t.equal(run('--version'), `${version}\n`);
    t.match(run('keygen'), /^[0-9a-f]{64}\n$/);
  }
});
