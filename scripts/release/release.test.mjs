// What a release check notices, each on a tree in which that alone is wrong.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../build-addon.mjs';
import { readCargo, readNpmAudit } from './advisories.mjs';
import { cargoPackages, isAllowed, licenceFaults, npmPackages } from './licences.mjs';
import {
  changelogFaults,
  changelogOf,
  versionFaults,
  versionsIn,
  writeVersion,
} from './versions.mjs';

const files = [
  'package.json',
  'package-lock.json',
  'CHANGELOG.md',
  'src/util/version.ts',
  'native/Cargo.toml',
  'native/Cargo.lock',
  'native/fuzz/Cargo.toml',
  'native/fuzz/Cargo.lock',
];

function copyOfTree(t) {
  const root = t.testdir({});
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    cpSync(join(packageRoot, file), join(root, file));
  }
  return root;
}

function change(root, file, from, to) {
  const path = join(root, file);
  const text = readFileSync(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
  writeFileSync(path, text.replace(from, to));
}

const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));

t.test('this tree has one version and licences that fit', async (t) => {
  t.same(versionFaults(packageRoot), []);
  t.same(changelogFaults(packageRoot), []);
  t.same(licenceFaults(npmPackages(packageRoot)), []);
  t.same(licenceFaults(cargoPackages(packageRoot)), []);
});

t.test('another version in any one place is named', async (t) => {
  const spoiled = [
    ['src/util/version.ts', `'${version}'`, "'9.9.9'"],
    ['native/Cargo.toml', `version = "${version}"`, 'version = "9.9.9"'],
    ['native/fuzz/Cargo.toml', `version = "${version}"`, 'version = "9.9.9"'],
    ['native/Cargo.lock', `core"\nversion = "${version}"`, 'core"\nversion = "9.9.9"'],
    ['package-lock.json', `"version": "${version}"`, '"version": "9.9.9"'],
  ];
  for (const [file, from, to] of spoiled) {
    const root = copyOfTree(t);
    change(root, file, from, to);
    const faults = versionFaults(root);
    t.equal(faults.length, 1, file);
    t.match(faults[0], `${file} has 9.9.9`);
  }
});

t.test('a new version is written everywhere, and the changelog is dated', async (t) => {
  const root = copyOfTree(t);
  const before = changelogOf(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), '## [Unreleased]');
  writeVersion(root, '7.8.9-beta.1', '2030-02-03');
  const others = versionsIn(root).filter(([where]) => !where.startsWith('package'));
  t.ok(others.length >= 5);
  for (const [where, written] of others) t.equal(written, '7.8.9-beta.1', where);
  const text = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  t.match(text, '## [Unreleased]\n\n## [7.8.9-beta.1] - 2030-02-03\n');
  t.same(changelogOf(text, '## [7.8.9-beta.1]'), before);
});

t.test('a changelog without a word about what is released is a fault', async (t) => {
  const root = copyOfTree(t);
  writeFileSync(join(root, 'CHANGELOG.md'), '# Changelog\n\n## [Unreleased]\n');
  t.same(changelogFaults(root), [`no entry under ${version} or ## [Unreleased]`]);
  writeFileSync(join(root, 'CHANGELOG.md'), '# Changelog\n');
  t.same(changelogFaults(root), ['no heading ## [Unreleased]']);
});

t.test('licences that do not fit, that are no expression, or that are not there', async (t) => {
  const allowed = ['MIT', 'Apache-2.0'];
  for (const fine of ['MIT', 'MIT/Apache-2.0', '(GPL-3.0-only OR MIT)', 'MIT AND Apache-2.0']) {
    t.ok(isAllowed(fine, allowed), fine);
  }
  for (const wrong of ['GPL-3.0-only', 'MIT AND GPL-3.0-only', 'SEE LICENSE IN x', '', undefined]) {
    t.notOk(isAllowed(wrong, allowed), `${wrong}`);
  }
  const both = { name: 'x', licence: 'MPL-2.0' };
  t.same(licenceFaults([{ ...both, isShipped: true }]), ['x: MPL-2.0']);
  t.same(licenceFaults([{ ...both, isShipped: false }]), []);
  t.same(licenceFaults([{ name: 'y', isShipped: false }]), ['y: no licence, for development only']);
});

t.test('advisories are faults; no answer is neither a fault nor a pass', async (t) => {
  const one = { vulnerabilities: { a: { name: 'a', severity: 'high', range: '<2' } } };
  t.same(readNpmAudit(JSON.stringify(one)), { faults: ['a <2: high'], missing: null });
  t.same(readNpmAudit('{"vulnerabilities":{}}'), { faults: [], missing: null });
  t.match(readNpmAudit('{"message":"405"}'), { faults: [], missing: 'npm audit: 405' });
  t.match(readNpmAudit('<html>'), { faults: [], missing: /no JSON/ });
  t.match(readCargo('cargo-deny', 1, 'failed to fetch advisory database'), { faults: [] });
  const advisory = 'RUSTSEC-2030-0001: panics when it is unable to connect';
  t.same(readCargo('cargo-deny', 1, advisory), { faults: [advisory], missing: null });
});

t.test('the command says what it checked, and refuses what it does not know', async (t) => {
  const run = (...args) =>
    spawnSync(process.execPath, [join(packageRoot, 'scripts/release.mjs'), ...args], {
      encoding: 'utf8',
    });
  const checked = run('check', '--offline', '--no-pack', '--any-tree');
  t.match(checked.stdout, /\n4 passed, 0 failed, 0 not reached\n$/);
  t.equal(checked.status, 0);
  for (const args of [[], ['publish'], ['prepare'], ['check', '--fast']]) {
    const { status, stderr } = run(...args);
    t.equal(status, 2, args.join(' '));
    t.match(stderr, /^release: /);
  }
});
