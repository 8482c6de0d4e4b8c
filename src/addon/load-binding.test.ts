import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { VERSION } from '../util/version.js';
import { LAYOUT } from './layout.js';
import { ADDON_VARIABLE, checkLayout, loadBinding, refuseRuntime } from './load-binding.js';
import { toTransportError } from './native-errors.js';

t.test('Bun and other platforms are refused by name before anything is loaded', async (t) => {
  const { versions } = process;
  t.throws(() => refuseRuntime({ ...versions, bun: '1.2.0' } as NodeJS.ProcessVersions, 'linux'), {
    code: 'unsupported-runtime',
    message: /Bun/,
  });
  t.throws(() => refuseRuntime(versions, 'darwin'), {
    code: 'unsupported-platform',
    message: /darwin/,
  });
  refuseRuntime(versions, 'linux');
});

t.test('a named file that is not there is addon-missing and says what to run', async (t) => {
  const kept = process.env[ADDON_VARIABLE];
  process.env[ADDON_VARIABLE] = '/nowhere/at-all.node';
  t.teardown(() => {
    if (kept === undefined) delete process.env[ADDON_VARIABLE];
    else process.env[ADDON_VARIABLE] = kept;
  });
  const missing = { code: 'addon-missing', message: /: unset GGSCALE_TRANSPORT_ADDON/ };
  t.throws(() => loadBinding(), missing);
  t.throws(() => loadBinding(), missing, 'a failure is not remembered');
});

t.test('a file that is no addon is addon-missing with its cause', async (t) => {
  const kept = process.env[ADDON_VARIABLE];
  const folder = t.testdir({ 'broken.node': 'not a shared object' });
  process.env[ADDON_VARIABLE] = `${folder}/broken.node`;
  t.teardown(() => {
    if (kept === undefined) delete process.env[ADDON_VARIABLE];
    else process.env[ADDON_VARIABLE] = kept;
  });
  t.throws(() => loadBinding(), { code: 'addon-missing', cause: Error });
});

t.test('the layouts of both sides are the same, and any difference is refused', async (t) => {
  const binding = loadBinding();
  t.same(binding.layout(), LAYOUT);
  t.equal(loadBinding(), binding, 'loaded once');
  const mismatch = { code: 'addon-mismatch' };
  t.throws(() => checkLayout({ layout: () => ({ ...LAYOUT, I_NOW_US: 81 }) }), mismatch);
  t.throws(() => checkLayout({ layout: () => ({ ...LAYOUT, EXTRA: 1 }) }), mismatch);
  t.throws(() => checkLayout({ layout: () => ({}) }), mismatch);
  t.throws(() => checkLayout({} as never), mismatch);
});

t.test('names of drop reasons and counters are distinct kebab-case words', async (t) => {
  const names = loadBinding().counterNames();
  const reasons = loadBinding().dropReasons();
  t.equal(new Set(names).size, names.length);
  for (const name of names) t.match(name, /^[a-z0-9]+(-[a-z0-9]+)*$/);
  for (const reason of reasons) t.ok(names.includes(reason), reason);
});

t.test('foreign codes become bad-option, ours stay', async (t) => {
  const native = (code: string) => Object.assign(new Error('why'), { code });
  t.match(toTransportError(native('InvalidArg')), { code: 'bad-option', message: 'why' });
  t.match(toTransportError(native('bad-key')), { code: 'bad-key', name: 'TransportError' });
  t.match(toTransportError('text'), { code: 'bad-option', message: 'text' });
});

t.test('the version in the code is that of package.json', async (t) => {
  const manifest = fileURLToPath(new URL('../../package.json', import.meta.url));
  t.equal(JSON.parse(readFileSync(manifest, 'utf8')).version, VERSION);
});
