import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { addonFile } from '../build-addon.mjs';
import { Checkout } from './setup-fixture.mjs';

t.setTimeout(240_000); // some forty processes, one after another

t.test('a fresh checkout is set up in order, with all talk on stderr', async (t) => {
  const checkout = new Checkout(t);
  const { code, stdout } = await checkout.setup();
  t.equal(code, 0);
  t.equal(stdout, '');
  t.same(checkout.calls(), ['npm ci', 'cargo', 'compile']);
  t.equal(readFileSync(join(checkout.root, addonFile), 'utf8'), 'addon\n');
  t.notOk(existsSync(join(checkout.root, '.setup/lock')));
});

t.test('a set-up that finds all fresh does and says nothing', async (t) => {
  const checkout = new Checkout(t);
  await checkout.setup();
  checkout.calls();
  t.same(await checkout.setup(), { code: 0, stdout: '', stderr: '' });
  t.same(checkout.calls(), []);
});

t.test('only what is stale is done again', async (t) => {
  const checkout = new Checkout(t);
  await checkout.setup();
  checkout.calls();
  const steps = [
    [
      'a TypeScript source',
      () => checkout.write('src/index.ts', 'export const a = 1;\n'),
      ['compile'],
    ],
    ['a new test', () => checkout.write('src/index.test.ts', ''), []],
    ['a Rust source', () => checkout.write('native/core/src/lib.rs', '// two\n'), ['cargo']],
    ['a Rust test', () => checkout.write('native/core/tests/a.rs', '// two\n'), []],
    ['the addon itself', () => checkout.write(addonFile, 'scribbled over'), ['cargo']],
    ['the compiler', () => checkout.write('scripts/lib/fold-constants.mjs', '// two'), ['compile']],
    ['a compiled file', () => checkout.remove('dist/src/index.js'), ['compile']],
    ['the lock file', () => checkout.lock('2.0.0'), ['npm ci', 'compile']],
    ['a package', () => checkout.remove('node_modules/typescript'), ['npm ci']],
    ['everything installed', () => checkout.remove('node_modules'), ['npm ci']],
  ];
  for (const [what, change, calls] of steps) {
    change();
    t.equal((await checkout.setup()).code, 0, what);
    t.same(checkout.calls(), calls, what);
  }
});

t.test('dependencies installed by hand are accepted', async (t) => {
  const checkout = new Checkout(t);
  await checkout.setup();
  checkout.remove('node_modules/.ggscale-setup');
  const installed = JSON.parse(readFileSync(join(checkout.root, 'package-lock.json'), 'utf8'));
  checkout.write('node_modules/.package-lock.json', JSON.stringify(installed));
  checkout.calls();
  t.equal((await checkout.setup()).code, 0);
  t.same(checkout.calls(), []);
});

t.test('output whose source is gone goes too', async (t) => {
  const checkout = new Checkout(t);
  checkout.write('src/other.ts', 'export {};\n');
  await checkout.setup();
  t.ok(existsSync(join(checkout.root, 'dist/src/other.js')));
  checkout.remove('src/other.ts');
  await checkout.setup();
  t.notOk(existsSync(join(checkout.root, 'dist/src/other.js')));
  t.ok(existsSync(join(checkout.root, 'dist/src/index.js')));
});

t.test('two at once do the work once', async (t) => {
  const checkout = new Checkout(t);
  const results = await Promise.all([checkout.setup(), checkout.setup(), checkout.setup()]);
  t.same(
    results.map(({ code }) => code),
    [0, 0, 0],
  );
  t.same(checkout.calls(), ['npm ci', 'cargo', 'compile']);
});

t.test('without Rust one line says what is missing, before anything is installed', async (t) => {
  const checkout = new Checkout(t);
  checkout.remove('home/.cargo');
  const { code, stdout, stderr } = await checkout.setup();
  t.equal(code, 1);
  t.equal(stdout, '');
  t.match(stderr, /^setup: no Rust toolchain \(cargo\) found: install one from https:\S+[^\n]*\n$/);
  t.same(checkout.calls(), []);
});

t.test('Rust that is too old and a missing C compiler are one line each', async (t) => {
  const checkout = new Checkout(t);
  checkout.rust('1.70.0');
  const old = await checkout.setup();
  t.equal(old.code, 1);
  t.match(old.stderr, /^setup: Rust 1\.88 or newer is needed, this is 1\.70: [^\n]*\n$/);
  checkout.rust('1.95.0');
  if (process.platform !== 'linux') return;
  const bare = await checkout.setup({ env: { CC: '' } });
  t.equal(bare.code, 1);
  t.match(bare.stderr, /^setup: no C compiler \(cc\) found: [^\n]*\n$/);
});

t.test('a Node that is too old is one line', async (t) => {
  const checkout = new Checkout(t);
  const pretend = "Object.defineProperty(process, 'version', { value: 'v18.20.0' })";
  const node = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`];
  const { code, stdout, stderr } = await checkout.setup({ node });
  t.equal(code, 1);
  t.equal(stdout, '');
  t.match(stderr, /^setup: Node\.js 20 or newer is needed, this is v18\.20\.0: [^\n]*\n$/);
});

t.test('a step that fails fails the set-up and is tried again the next time', async (t) => {
  const checkout = new Checkout(t);
  t.equal((await checkout.setup({ env: { FAKE_CARGO_FAILS: '1' } })).code, 1);
  t.same(checkout.calls(), ['npm ci', 'cargo']);
  checkout.write('src/index.ts', 'wrong');
  const { code, stderr } = await checkout.setup();
  t.equal(code, 1);
  t.match(stderr, 'the TypeScript does not compile');
  t.same(checkout.calls(), ['cargo', 'compile']);
  checkout.write('src/index.ts', 'right');
  t.equal((await checkout.setup()).code, 0);
  t.same(checkout.calls(), ['compile']);
  t.notOk(existsSync(join(checkout.root, '.setup/lock')));
});
