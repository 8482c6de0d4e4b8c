// The version stands in more than one file; a release has it the same everywhere.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** [file, what stands around the version there]; Cargo.lock says the crates' own. */
const places = [
  ['src/util/version.ts', /(?<=VERSION = ')[^']+/],
  ['native/Cargo.toml', /(?<=^\[workspace\.package\]$[^[]*^version = ")[^"]+/m],
  ['native/fuzz/Cargo.toml', /(?<=^\[package\]$[^[]*^version = ")[^"]+/m],
];
const locks = ['native/Cargo.lock', 'native/fuzz/Cargo.lock'];
const ownCrate = /(?<=^name = "ggscale-[\w-]+"\nversion = ")[^"]+/gm;
const unreleased = '## [Unreleased]';

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** [where, version] of every place under `root`; a version that is not found is `null`. */
export function versionsIn(root) {
  const { version } = readJson(join(root, 'package.json'));
  const lock = readJson(join(root, 'package-lock.json'));
  const found = [
    ['package.json', version],
    ['package-lock.json', lock.version],
    ['package-lock.json, its package', lock.packages[''].version],
  ];
  for (const [file, pattern] of places) {
    found.push([file, pattern.exec(readFileSync(join(root, file), 'utf8'))?.[0] ?? null]);
  }
  for (const file of locks) {
    const versions = readFileSync(join(root, file), 'utf8').match(ownCrate) ?? [null];
    for (const one of new Set(versions)) found.push([file, one]);
  }
  return found;
}

/** What differs from package.json, a line each. */
export function versionFaults(root) {
  const [[, wanted], ...others] = versionsIn(root);
  return others
    .filter(([, version]) => version !== wanted)
    .map(([where, version]) => `${where} has ${version ?? 'none'}, package.json ${wanted}`);
}

/** The lines between a heading of CHANGELOG.md and the next; null without the heading. */
export function changelogOf(text, heading) {
  const lines = text.split('\n');
  const from = lines.findIndex((line) => line === heading || line.startsWith(`${heading} - `));
  if (from < 0) return null;
  const rest = lines.slice(from + 1);
  const to = rest.findIndex((line) => line.startsWith('## '));
  return rest.slice(0, to < 0 ? rest.length : to);
}

/** A version that is released has a dated heading with entries; what comes next has entries under Unreleased. */
export function changelogFaults(root) {
  const text = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  const { version } = readJson(join(root, 'package.json'));
  const own = changelogOf(text, `## [${version}]`);
  const next = changelogOf(text, unreleased);
  if (next === null) return [`no heading ${unreleased}`];
  const hasEntries = (lines) => lines?.some((line) => line.startsWith('- ')) === true;
  return hasEntries(own) || hasEntries(next) ? [] : [`no entry under ${version} or ${unreleased}`];
}

/** Writes `version` everywhere but into package.json and its lock, which npm writes. `date`: YYYY-MM-DD. */
export function writeVersion(root, version, date) {
  const change = (file, edit) => {
    const path = join(root, file);
    writeFileSync(path, edit(readFileSync(path, 'utf8')));
  };
  for (const [file, pattern] of places) change(file, (text) => text.replace(pattern, version));
  for (const file of locks) change(file, (text) => text.replaceAll(ownCrate, version));
  change('CHANGELOG.md', (text) =>
    text.replace(unreleased, `${unreleased}\n\n## [${version}] - ${date}`),
  );
}
