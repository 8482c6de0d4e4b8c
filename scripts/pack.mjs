// Packs what is published, downloads and publishes nothing:
//
//   npm run pack:all -- --out FOLDER     (default: build/packages)
//
// The main package, and the platform package of this machine with the addon that is built here. The
// packed package.json names as optionalDependencies, in this very version, every platform package whose
// tarball lies in the folder: those of other machines are put there before. The repository's own
// package.json names none, because `npm ci` would look for them before they are published.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { addonFile, packageRoot as root } from './build-addon.mjs';
import { npmCommand } from './lib/npm-command.mjs';

const platformModule = new URL('../dist/src/addon/platform-package.js', import.meta.url);

function npmPack(folder, args) {
  const [command, ...first] = npmCommand();
  const all = [...first, 'pack', '--json', '--ignore-scripts', '--loglevel=error', ...args];
  const stdio = ['ignore', 'pipe', 'inherit'];
  return JSON.parse(execFileSync(command, all, { cwd: folder, encoding: 'utf8', stdio }))[0];
}

/** Where the workflow runs: npm's provenance refuses packages that do not say it. */
function hosting({ GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name }) {
  return server && name ? { repository: { type: 'git', url: `git+${server}/${name}.git` } } : {};
}

function writeJson(path, value) {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** Debug information is most of the file, and no installation needs it. */
function copyStripped(source, destination) {
  const args = ['--strip-debug', '-o', destination, source];
  if (spawnSync('strip', args, { stdio: ['ignore', 'ignore', 2] }).status === 0) return;
  console.error('pack: strip does not run here; the addon is packed with its debug information');
  copyFileSync(source, destination);
}

function stagePlatform(folder, manifest, { machine, packagedFile }) {
  const libc = machine.libc();
  const target = [machine.platform, machine.arch, ...(libc === null ? [] : [libc])].join('-');
  const name = `${manifest.name}-${target}`;
  mkdirSync(folder);
  copyStripped(join(root, addonFile), join(folder, packagedFile));
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  writeFileSync(
    join(folder, 'README.md'),
    `# ${name}\n\nThe native addon of ${manifest.name} for ${target}, ready-made. Nobody installs it by ` +
      `name: it comes with\n${manifest.name} of the same version wherever it fits.\n\n` +
      `${manifest.license}\n`,
  );
  writeJson(join(folder, 'package.json'), {
    name,
    version: manifest.version,
    description: `Native addon of ${manifest.name} for ${target}.`,
    license: manifest.license,
    repository: manifest.repository,
    engines: manifest.engines,
    os: [machine.platform],
    cpu: [machine.arch],
    ...(libc === null ? {} : { libc: [libc === 'gnu' ? 'glibc' : libc] }),
    main: packagedFile,
    files: [packagedFile],
  });
}

function stageMain(folder, manifest, optionalDependencies) {
  for (const { path } of npmPack(root, ['--dry-run']).files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    copyFileSync(join(root, path), join(folder, path));
  }
  writeJson(join(folder, 'package.json'), { ...manifest, optionalDependencies });
}

/** Names of the platform packages of this version in the folder, by the tarballs' names. */
function platformPackagesIn(out, { name, version }) {
  const prefix = `${name.replace('@', '').replace('/', '-')}-`;
  return readdirSync(out)
    .filter((file) => file.startsWith(prefix) && file.endsWith(`-${version}.tgz`))
    .map((file) => `${name}-${file.slice(prefix.length, -`-${version}.tgz`.length)}`)
    .sort();
}

async function main() {
  const { values } = parseArgs({ options: { out: { type: 'string' } } });
  const out = resolve(values.out ?? join(root, 'build/packages'));
  const { thisMachine, PACKAGED_FILE } = await import(platformModule.href);
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const manifest = { ...own, ...hosting(process.env) };
  const staging = mkdtempSync(join(tmpdir(), 'ggscale-pack-'));
  mkdirSync(out, { recursive: true });
  const pack = (folder) => {
    const { filename, size, unpackedSize } = npmPack(folder, ['--pack-destination', out]);
    console.log(`${filename}  ${size} bytes packed, ${unpackedSize} unpacked`);
  };
  try {
    const platform = join(staging, 'platform');
    stagePlatform(platform, manifest, { machine: thisMachine, packagedFile: PACKAGED_FILE });
    pack(platform);
    const names = platformPackagesIn(out, manifest);
    stageMain(
      join(staging, 'main'),
      manifest,
      Object.fromEntries(names.map((name) => [name, manifest.version])),
    );
    pack(join(staging, 'main'));
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  console.error(`pack: ${error.message}`);
  process.exitCode = 1;
}
