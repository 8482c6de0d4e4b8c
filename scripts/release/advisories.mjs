// Known vulnerabilities of dependencies, where their data can be reached: npm's from the registry, Rust's
// from the RustSec database by cargo-deny or cargo-audit, whichever is installed.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const tools = [
  ['cargo-deny', (manifest) => ['deny', '--manifest-path', manifest, 'check', 'advisories']],
  ['cargo-audit', (_manifest, lock) => ['audit', '--file', lock]],
];
/** What both say when there is no way to the database. */
const unreachable =
  /failed to (fetch|clone|open)|couldn't fetch|unable to (connect|access)|git operation/i;

/** { faults, missing }: a line per advisory; `missing` says why nothing could be asked, or is null. */
export function npmAdvisories(npm, root) {
  const { stdout } = npm(['audit', '--json'], root);
  return readNpmAudit(stdout);
}

export function readNpmAudit(stdout) {
  let answer;
  try {
    answer = JSON.parse(stdout);
  } catch {
    return { faults: [], missing: 'npm audit said no JSON' };
  }
  if (answer.vulnerabilities === undefined) {
    const why = answer.message ?? answer.error?.summary ?? 'no answer';
    return { faults: [], missing: `npm audit: ${why}` };
  }
  const faults = Object.values(answer.vulnerabilities).map(({ name, severity, range }) => {
    return `${name} ${range}: ${severity}`;
  });
  return { faults, missing: null };
}

export function cargoAdvisories(root) {
  const manifest = join(root, 'native/Cargo.toml');
  const lock = join(root, 'native/Cargo.lock');
  for (const [program, args] of tools) {
    if (spawnSync(program, ['--version'], { stdio: 'ignore' }).error !== undefined) continue;
    const { status, stdout, stderr } = spawnSync('cargo', args(manifest, lock), {
      encoding: 'utf8',
    });
    return readCargo(program, status, `${stdout}${stderr}`.trim());
  }
  return { faults: [], missing: 'neither cargo-deny nor cargo-audit is installed' };
}

/** An advisory's own text may speak of connections that fail, so what names one was reached. */
export function readCargo(program, status, said) {
  if (status === 0) return { faults: [], missing: null };
  if (unreachable.test(said) && !/\b(RUSTSEC|CVE|GHSA)-/.test(said)) {
    return { faults: [], missing: `${program}: its database` };
  }
  return { faults: said.split('\n'), missing: null };
}
