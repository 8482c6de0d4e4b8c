// Licences of every dependency, npm's and Cargo's, against a list of those that fit Apache-2.0.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import satisfies from 'spdx-satisfies';

/** Of what is part of what users run: in the package, linked into the addon, installed beside it. */
const shipped = [
  '0BSD',
  'Apache-2.0',
  'Apache-2.0 WITH LLVM-exception',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Unicode-3.0',
  'Unlicense',
  'Zlib',
];
/** Of what only builds, tests and measures: also those that ask for a notice or for changes of theirs. */
const development = [
  ...shipped,
  'BlueOak-1.0.0',
  'CC-BY-3.0',
  'CC-BY-4.0',
  'MPL-2.0',
  'NCSA',
  'Python-2.0',
];

/** Packages whose package.json says nothing, and what their files say; for the very version that was read. */
const read = { 'jsonc-simple-parser@3.0.0': 'MIT' };

/** Whether an SPDX expression lets us choose licences of the list only. */
export function isAllowed(expression, allowed) {
  if (typeof expression !== 'string' || expression === '') return false;
  // Before SPDX expressions Cargo wrote a slash for OR.
  const spdx = expression.replaceAll(/\s*\/\s*/g, ' OR ');
  try {
    return satisfies(spdx, allowed);
  } catch {
    return false; // not an SPDX expression: somebody has to read it
  }
}

/** { name, licence, isShipped } of each package in the lock file. */
export function npmPackages(root) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([path, { link }]) => path !== '' && !link)
    .map(([path, { version, license, dev, devOptional, peer }]) => {
      const name = `${path.slice(path.lastIndexOf('node_modules/') + 13)}@${version}`;
      const licence = license ?? licenceOfInstalled(root, path) ?? read[name];
      return { name, licence, isShipped: !(dev || devOptional || peer) };
    });
}

/** Where the lock file does not say it. */
function licenceOfInstalled(root, path) {
  try {
    const { license } = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'));
    return typeof license === 'string' ? license : license?.type;
  } catch {
    return undefined;
  }
}

/** { name, licence, isShipped } of each crate; shipped is what the addon is built of. */
export function cargoPackages(root) {
  const manifest = join(root, 'native/Cargo.toml');
  const args = ['metadata', '--format-version', '1', '--locked', '--manifest-path', manifest];
  const text = execFileSync('cargo', args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  const { packages, resolve } = JSON.parse(text);
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
  const linked = new Set();
  const visit = (id) => {
    if (linked.has(id)) return;
    linked.add(id);
    for (const { pkg, dep_kinds: kinds } of nodes.get(id).deps) {
      if (kinds.some(({ kind }) => kind === null)) visit(pkg);
    }
  };
  visit(packages.find(({ name }) => name === 'ggscale-transport-addon').id);
  return packages
    .filter(({ source }) => source !== null)
    .map(({ id, name, version, license }) => ({
      name: `${name} ${version}`,
      licence: license ?? undefined,
      isShipped: linked.has(id),
    }));
}

/** What must be read by somebody, a line each. */
export function licenceFaults(packages) {
  return packages
    .filter(({ licence, isShipped }) => !isAllowed(licence, isShipped ? shipped : development))
    .map(({ name, licence, isShipped }) => {
      return `${name}: ${licence ?? 'no licence'}${isShipped ? '' : ', for development only'}`;
    });
}
