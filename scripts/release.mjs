// A release, up to the point where something is published, which it never does:
//
//   npm run release:check                      is this tree fit to be released? changes nothing
//   npm run release:check -- --strict          what could not be asked counts as failed
//   npm run release:prepare -- 0.2.0           writes the version everywhere, and dates the changelog
//
// Ends with `N passed, N failed, N not reached`; the exit code is 1 when anything failed.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot as root } from './build-addon.mjs';
import { npmCommand } from './lib/npm-command.mjs';
import { cargoAdvisories, npmAdvisories } from './release/advisories.mjs';
import { cargoPackages, licenceFaults, npmPackages } from './release/licences.mjs';
import { changelogFaults, versionFaults, writeVersion } from './release/versions.mjs';

const usage = 'usage: release.mjs check [--strict] [--offline] [--no-pack] | prepare X.Y.Z';

function npm(args, cwd) {
  const [command, ...first] = npmCommand();
  return spawnSync(command, [...first, ...args], { cwd, encoding: 'utf8' });
}

function licences(packages) {
  const count = packages.filter(({ isShipped }) => isShipped).length;
  return { faults: licenceFaults(packages), note: `${packages.length} packages, ${count} shipped` };
}

/** Packs what would be published; says what each package weighs. */
function pack() {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'scripts/pack.mjs')], {
    encoding: 'utf8',
  });
  const lines = stdout.trim().split('\n');
  return { faults: status === 0 ? [] : stderr.trim().split('\n'), note: lines.join('; ') };
}

function treeFaults() {
  const { status, stdout } = spawnSync('git', ['status', '--porcelain'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) return ['git does not know this folder'];
  return stdout === '' ? [] : stdout.trimEnd().split('\n');
}

function* checks({ offline, packs, anyTree }) {
  if (!anyTree) yield ['everything is committed', () => ({ faults: treeFaults() })];
  yield ['one version everywhere', () => ({ faults: versionFaults(root) })];
  yield ['changelog', () => ({ faults: changelogFaults(root) })];
  yield ['licences of npm packages', () => licences(npmPackages(root))];
  yield ['licences of crates', () => licences(cargoPackages(root))];
  if (!offline) {
    yield ['advisories of npm packages', () => npmAdvisories(npm, root)];
    yield ['advisories of crates', () => cargoAdvisories(root)];
  }
  if (packs) yield ['packages', pack];
}

function check({ strict, offline, 'no-pack': packsNot, 'any-tree': anyTree }) {
  let [passed, failed, missed] = [0, 0, 0];
  for (const [name, run] of checks({ offline, packs: !packsNot, anyTree })) {
    const { faults, missing = null, note = '' } = run();
    const outcome = faults.length > 0 ? 'FAILED' : missing === null ? 'ok' : 'not reached';
    if (outcome === 'FAILED') failed += 1;
    else if (outcome === 'ok') passed += 1;
    else missed += 1;
    console.log(`${outcome.padEnd(11)}  ${name}${note === '' ? '' : `: ${note}`}`);
    for (const line of missing === null ? faults : [missing]) console.log(`             ${line}`);
  }
  console.log(`${passed} passed, ${failed} failed, ${missed} not reached`);
  return failed === 0 && !(strict && missed > 0);
}

function prepare(version) {
  // npm knows what a version is, and refuses the one that is there.
  const { status, stderr } = npm(
    ['version', version, '--no-git-tag-version', '--ignore-scripts', '--loglevel=error'],
    root,
  );
  if (status !== 0) throw new Error(stderr.trim());
  writeVersion(root, version, new Date().toISOString().slice(0, 10));
  const faults = versionFaults(root);
  if (faults.length > 0) throw new Error(faults.join('\n'));
  console.log(
    `${version} everywhere. Read CHANGELOG.md, commit, tag v${version}, and push the tag.`,
  );
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      strict: { type: 'boolean' },
      offline: { type: 'boolean' },
      'no-pack': { type: 'boolean' },
      'any-tree': { type: 'boolean' },
    },
  });
  const [command, version, ...more] = positionals;
  if (command === 'check' && version === undefined) return check(values);
  if (command === 'prepare' && version !== undefined && more.length === 0) {
    prepare(version);
    return true;
  }
  throw new Error(usage);
}

try {
  process.exitCode = main() ? 0 : 1;
} catch (error) {
  console.error(`release: ${error.message}`);
  process.exitCode = 2;
}
