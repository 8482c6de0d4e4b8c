// A small checkout in a temporary folder with the real set-up scripts and stand-ins for npm, cargo and
// the compiler that note each call in calls.log, so that a test sees which steps ran.
import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packageRoot } from '../build-addon.mjs';

const copied = [
  'setup.mjs',
  'build-addon.mjs',
  'lib/npm-command.mjs',
  'lib/setup-steps.mjs',
  'lib/setup-lock.mjs',
].map((name) => `scripts/${name}`);

const npm = `
const { appendFileSync, mkdirSync, writeFileSync } = require('node:fs');
appendFileSync('calls.log', 'npm ' + process.argv[2] + '\\n');
console.log('npm talks on stdout');
mkdirSync('node_modules/typescript', { recursive: true });
writeFileSync('node_modules/typescript/package.json', '{}');
`;

const compile = `
import { appendFileSync, mkdirSync, writeFileSync, readFileSync, readdirSync } from 'node:fs';
appendFileSync('calls.log', 'compile\\n');
console.log('the compiler talks on stdout');
mkdirSync('dist/src', { recursive: true });
for (const name of readdirSync('src')) {
  const text = readFileSync('src/' + name, 'utf8');
  if (text.includes('wrong')) process.exit(2);
  writeFileSync('dist/src/' + name.replace('.ts', '.js'), text);
}
`;

// Shell, because a test starts them dozens of times and Node takes its time.
const cargo = `#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
    --target-dir) target=$2 ;;
    --manifest-path) native=\${2%/*} ;;
  esac
  shift
done
echo cargo >> "$native/../calls.log"
[ -z "$FAKE_CARGO_FAILS" ] || exit 101
/bin/mkdir -p "$target"
echo addon > "$target/addon.so"
echo forwarder > "$target/forwarder"
made='{"reason":"compiler-artifact","manifest_path":"'$native
echo "$made/addon/Cargo.toml\\",\\"target\\":{\\"kind\\":[\\"cdylib\\"]},\\"filenames\\":[\\"$target/addon.so\\"]}"
echo "$made/forwarder/Cargo.toml\\",\\"target\\":{\\"kind\\":[\\"bin\\"]},\\"executable\\":\\"$target/forwarder\\"}"
`;

const rustc = (version) => `#!/bin/sh
echo 'rustc ${version} (0 2026-01-01)'
`;

export class Checkout {
  constructor(t) {
    this.root = mkdtempSync(join(tmpdir(), 'ggscale-setup-'));
    t.teardown(() => rmSync(this.root, { recursive: true, force: true }));
    for (const path of copied) {
      mkdirSync(dirname(join(this.root, path)), { recursive: true });
      cpSync(join(packageRoot, path), join(this.root, path));
    }
    this.write('package.json', '{}');
    this.lock('1.0.0');
    this.write('native/Cargo.toml', 'rust-version = "1.88"\n');
    this.write('native/core/src/lib.rs', '// one\n');
    this.write('src/index.ts', 'export {};\n');
    this.write('tools/npm-cli.js', npm);
    this.write('scripts/compile.mjs', compile);
    this.rust('1.95.0');
  }

  write(path, text) {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  remove(path) {
    rmSync(join(this.root, path), { recursive: true });
  }

  lock(version) {
    const own = { devDependencies: { typescript: version } };
    const packages = { '': own, 'node_modules/typescript': { version, integrity: 'x' } };
    this.write('package-lock.json', JSON.stringify({ packages }));
  }

  rust(version) {
    for (const [name, text] of [
      ['cargo', cargo],
      ['rustc', rustc(version)],
    ]) {
      this.write(`home/.cargo/bin/${name}`, text);
      chmodSync(join(this.root, 'home/.cargo/bin', name), 0o755);
    }
  }

  /** The calls since the last question. */
  calls() {
    try {
      const text = readFileSync(join(this.root, 'calls.log'), 'utf8');
      this.remove('calls.log');
      return text.trim().split('\n');
    } catch {
      return [];
    }
  }

  /** Runs the set-up: { code, stdout, stderr }. */
  setup({ env = {}, node = [] } = {}) {
    const child = spawn(process.execPath, [...node, join(this.root, 'scripts/setup.mjs')], {
      cwd: tmpdir(),
      env: {
        PATH: join(this.root, 'nothing'),
        HOME: join(this.root, 'home'),
        CC: 'cc',
        npm_execpath: join(this.root, 'tools/npm-cli.js'),
        ...env,
      },
    });
    const result = { code: null, stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', (text) => {
        result[name] += text;
      });
    }
    return new Promise((done) => {
      child.on('close', (code) => done({ ...result, code }));
    });
  }
}
