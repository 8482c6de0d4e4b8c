/** Where the addon comes from, with folders as npm leaves them behind. */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { TransportError } from '../util/errors.js';
import { VERSION } from '../util/version.js';
import { loadFrom, loadPrebuilt, type Place } from './load-binding.js';
import {
  findPlatformPackages,
  type Libc,
  PACKAGED_FILE,
  platformPackageNames,
  thisMachine,
} from './platform-package.js';

const { platform, arch } = process;
const LOCAL = `ggscale-transport.${platform}-${arch}.node`;
const BUILT = fileURLToPath(new URL(`../../native/addon/${LOCAL}`, import.meta.url));
const DAMAGED = 'not a shared object';
const GNU = `transport-${platform}-${arch}-gnu`;
const MUSL = `transport-${platform}-${arch}-musl`;

type Folder = Exclude<Parameters<Test['testdir']>[0], undefined>;

/** A platform package; `addon` is the contents of its .node file, null the real addon. */
function packed(t: Test, addon: string | null, version: string = VERSION): Folder {
  const file = addon ?? t.fixture('symlink', BUILT);
  return { 'package.json': JSON.stringify({ version }), [PACKAGED_FILE]: file };
}

interface Contents {
  readonly packages?: Record<string, Folder>;
  readonly local?: string | null;
  readonly libc?: Libc;
  readonly named?: string;
}

function placeWith(t: Test, { packages, local, libc = 'gnu', named = '' }: Contents) {
  const root = t.testdir({
    'package.json': '{}',
    node_modules: { '@ggscale': packages ?? {} },
    native: {
      addon: local === undefined ? {} : { [LOCAL]: local ?? t.fixture('symlink', BUILT) },
    },
  });
  let asked = 0;
  const machine = {
    platform,
    arch,
    libc() {
      asked++;
      return libc;
    },
  };
  const place: Place = { root, named, machine };
  return { place, asked: () => asked };
}

function refusalOf(place: Place): TransportError {
  try {
    loadFrom(place);
  } catch (error) {
    if (error instanceof TransportError) return error;
    throw error;
  }
  throw new Error('it loads');
}

t.test('the platform package is loaded, and nobody asks for the libc', async (t) => {
  const packages = { [GNU]: packed(t, null) };
  const { place, asked } = placeWith(t, { packages, local: DAMAGED });
  t.type(loadFrom(place).layout, 'function');
  t.type(loadPrebuilt(place)?.layout, 'function');
  t.equal(asked(), 0);
});

t.test('a named file goes before the package, and nothing is tried after it', async (t) => {
  const packages = { [GNU]: packed(t, DAMAGED) };
  t.type(loadFrom(placeWith(t, { packages, named: BUILT }).place).layout, 'function');
  const good = { [GNU]: packed(t, null) };
  const named = '/nowhere/at-all.node';
  const error = refusalOf(placeWith(t, { packages: good, local: null, named }).place);
  t.equal(error.code, 'addon-missing');
  t.match(error.message, `GGSCALE_TRANSPORT_ADDON=${named}: the file is not there`);
  t.notMatch(error.message, GNU);
});

t.test('a named file is found from the working folder, and nothing but .node is run', async (t) => {
  const from = relative(process.cwd(), BUILT);
  t.notMatch(from, /^[./]/, 'a name that would be looked for in node_modules');
  t.type(loadFrom(placeWith(t, { named: from }).place).layout, 'function');
  const program = join(t.testdir({ 'addon.js': 'globalThis.hasRun = true;' }), 'addon.js');
  const error = refusalOf({ root: '/nowhere', named: program, machine: thisMachine });
  t.match(error.message, `GGSCALE_TRANSPORT_ADDON=${program} is no .node file: unset GGSCALE_TRAN`);
  t.notOk('hasRun' in globalThis);
});

t.test('without a package the local build is loaded', async (t) => {
  const { place, asked } = placeWith(t, { local: null });
  t.type(loadFrom(place).layout, 'function');
  t.equal(loadPrebuilt(place), null, 'which is not ready-made');
  t.equal(asked(), 0);
});

t.test('a damaged package is passed over for the local build', async (t) => {
  const { place } = placeWith(t, { packages: { [GNU]: packed(t, DAMAGED) }, local: null });
  t.type(loadFrom(place).layout, 'function');
  t.throws(() => loadPrebuilt(place), { code: 'addon-missing' }, 'but is not ready-made');
});

t.test(
  'with nothing that loads, one error names the machine, all tries, the way out',
  async (t) => {
    const { place } = placeWith(t, {});
    const nothing = refusalOf(place);
    t.equal(nothing.code, 'addon-missing');
    t.equal(nothing.cause, undefined);
    for (const part of [
      `${platform}-${arch} (gnu)`,
      `@ggscale/${GNU} is not installed`,
      `@ggscale/${MUSL} is not installed`,
      `${place.root}/native/addon/${LOCAL} is not there`,
      'npm install --include=optional',
      'npm rebuild @ggscale/transport',
    ]) {
      t.ok(nothing.message.includes(part), `${part}: ${nothing.message}`);
    }
    const packages = { [GNU]: packed(t, DAMAGED) };
    const damaged = refusalOf(placeWith(t, { packages, local: DAMAGED }).place);
    t.match(damaged, { code: 'addon-missing', cause: Error });
    t.match(damaged.message, new RegExp(`@ggscale/${GNU} does not load: .+; .+ does not load: `));
    const empty = { [GNU]: { 'package.json': JSON.stringify({ version: VERSION }) } };
    const hollow = refusalOf(placeWith(t, { packages: empty }).place);
    t.match(hollow.message, `@ggscale/${GNU}: the file is not there`);
  },
);

t.test('a package of another version is addon-mismatch with both versions', async (t) => {
  const packages = { [GNU]: packed(t, null, '0.0.9') };
  const { place } = placeWith(t, { packages, local: null });
  const error = refusalOf(place);
  t.equal(error.code, 'addon-mismatch');
  t.match(error.message, `@ggscale/${GNU} is version 0.0.9 (${place.root}/node_modules/`);
  t.match(error.message, `, @ggscale/transport is ${VERSION}: `);
  t.throws(() => loadPrebuilt(place), { code: 'addon-mismatch' });
});

t.test('a package whose package.json is cut short is addon-mismatch', async (t) => {
  const packages = { [GNU]: { 'package.json': '{"version":"0.', [PACKAGED_FILE]: DAMAGED } };
  const error = refusalOf(placeWith(t, { packages, local: null }).place);
  t.equal(error.code, 'addon-mismatch');
  t.match(error.message, `@ggscale/${GNU} is version unknown`);
});

const linux = platform !== 'linux' && 'one libc per system beside Linux';

t.test('of gnu and musl side by side the libc decides', { skip: linux }, async (t) => {
  const packages = { [GNU]: packed(t, null), [MUSL]: packed(t, DAMAGED) };
  const gnu = placeWith(t, { packages, libc: 'gnu' });
  t.type(loadFrom(gnu.place).layout, 'function');
  t.equal(gnu.asked(), 1);
  const error = refusalOf(placeWith(t, { packages, libc: 'musl' }).place);
  t.match(error.message, new RegExp(`${platform}-${arch} \\(musl\\).*${MUSL} does not load`));
  t.notMatch(error.message, GNU);
});

t.test('the package for the wrong libc alone is tried, and named', { skip: linux }, async (t) => {
  const { place } = placeWith(t, { packages: { [MUSL]: packed(t, DAMAGED) } });
  const error = refusalOf(place);
  t.equal(error.code, 'addon-missing');
  t.match(error.message, `${platform}-${arch} (gnu); tried: @ggscale/${MUSL} does not load`);
});

t.test('names: one package per libc on Linux, one per system elsewhere', async (t) => {
  const machine = (platform: string, arch: string) => ({ platform, arch, libc: () => null });
  t.same(platformPackageNames(machine('linux', 'arm64')), [
    '@ggscale/transport-linux-arm64-gnu',
    '@ggscale/transport-linux-arm64-musl',
  ]);
  t.same(platformPackageNames(machine('darwin', 'arm64')), ['@ggscale/transport-darwin-arm64']);
  t.same(findPlatformPackages(thisMachine, t.testdir()), []);
});

t.test('this machine knows its libc', { skip: linux }, async (t) => {
  const isGnu = readFileSync('/proc/self/maps', 'utf8').includes('/libc.so.6');
  t.equal(thisMachine.libc(), isGnu ? 'gnu' : 'musl');
});
