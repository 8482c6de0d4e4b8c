// Every rule is seen failing on a planted sample, and silent on the same sample put right.
import t from 'tap';
import { bannedGlobals, fileLength, leftovers, machineTraces, nativeLoading } from './code.mjs';
import {
  documentedCommands,
  documentedTests,
  documentLinks,
  packageFiles,
  readmeCommands,
} from './documents.mjs';
import { importDirections } from './imports.mjs';
import { treeOf } from './tree.mjs';

const manifest = JSON.stringify({
  dependencies: { ws: '8', flatbuffers: '25' },
  devDependencies: { tap: '21', typescript: '6' },
  scripts: { start: 'node dist/bench/match/main.js', test: 'node scripts/test.mjs' },
});

function findings(rule, files) {
  return rule(treeOf({ 'package.json': manifest, ...files }));
}

/** One file with one import each: [path, code, expected finding or null]. */
const imports = [
  ['src/util/a.ts', "import './b.js';", null],
  ['src/util/a.ts', "import '../protocol/b.js';", 'src/util may not import src/protocol'],
  ['src/protocol/a.ts', "import '../util/b.js';", null],
  ['src/protocol/a.ts', "export { b } from '../messages/b.js';", 'may not import src/messages'],
  ['src/protocol/a.ts', "import type { B } from '../addon/b.js';", 'may not import src/addon'],
  ['src/protocol/a.ts', "import fs from 'node:fs';", 'reaches no machine'],
  ['src/protocol/a.ts', "import fs from 'fs';", 'reaches no machine'],
  ['src/messages/a.ts', "import { ByteBuffer } from 'flatbuffers';", null],
  ['src/messages/a.ts', "import _ from 'lodash';", 'not in dependencies'],
  ['src/messages/a.ts', "import ts from 'typescript';", 'not in dependencies'],
  ['src/session/a.ts', "import '../messages/b.js';", null],
  ['src/session/a.ts', "import '../runtime/b.js';", 'may not import src/runtime'],
  ['src/runtime/a.ts', "import '../addon/b.js';", null],
  ['src/runtime/a.ts', "import '../server/b.js';", 'may not import src/server'],
  ['src/server/a.ts', "import '../session/b.js';", null],
  ['src/server/a.ts', "import '../protocol/b.js';", 'may not import src/protocol'],
  ['src/server/a.ts', "import '../sdk/b.js';", 'may not import src/sdk'],
  ['src/sdk/a.ts', "import '../session/b.js';", null],
  ['src/sdk/a.ts', "await import('../runtime/b.js');", null],
  ['src/sdk/a.ts', "import type { B } from '../runtime/b.js';", null],
  ['src/sdk/index.ts', "import { b } from '../runtime/b.js';", 'only through import()'],
  ['src/sdk/unreached.ts', "import { b } from '../runtime/b.js';", null],
  ['src/sdk/a.ts', "await import('../addon/b.js');", 'may not import src/addon'],
  ['src/index.ts', "export * from './server/index.js';", null],
  ['src/index.ts', "export * from './protocol/b.js';", 'may not import src/protocol'],
  ['src/server/a.ts', "import '../sim/b.js';", 'may not import src/sim'],
  ['src/sim/a.ts', "import '../addon/b.js';", 'only its sim face'],
  ['src/sim/a.ts', "import '../addon/sim-endpoint.js';", null],
  ['src/sim/a.ts', "import dgram from 'node:dgram';", 'no real sockets'],
  ['src/other/a.ts', "import '../util/b.js';", 'not in the import table'],
  ['src/server/a.ts', "import '../../bench/b.js';", 'src imports bench'],
  ['src/server/a.ts', "import '../../test/b.js';", 'src imports test'],
  ['src/server/a.test.ts', "import '../../test/b.js';", null],
  ['src/server/a.test.ts', "import '../../bench/b.js';", 'src imports bench'],
  ['src/server/a.ts', "import '../../scripts/b.mjs';", 'not published'],
  ['src/server/node-front.ts', "import { WebSocketServer } from 'ws';", null],
  ['src/sdk/ws-socket.ts', "import WebSocket from 'ws';", null],
  ['src/server/a.ts', "import { WebSocketServer } from 'ws';", 'has its own file'],
  ['src/server/a.ts', "import { createClient } from 'redis';", 'has its own file'],
  ['bench/match/a.ts', "import '../../src/server/index.js';", null],
  ['bench/match/a.ts', "import '../../src/runtime/b.js';", 'public entries'],
  ['bench/match/a.ts', "import '../../src/messages/generated/index.js';", null],
  ['bench/match/a.ts', "import '../../src/util/prng.js';", null],
  ['bench/micro/a.ts', "import '../../src/runtime/b.js';", null],
  ['sdk-compat/a.ts', "import '../src/sdk/client.js';", 'public entries'],
];

t.test('import directions', async (t) => {
  for (const [path, code, expected] of imports) {
    const targets = {
      'src/server/index.ts': '',
      'src/addon/sim-endpoint.ts': '',
      [path]: `// a line\n${code}\n`,
    };
    const found = findings(importDirections, targets);
    if (expected === null) t.same(found, [], `${path}: ${code}`);
    else {
      t.equal(found.length, 1, `${path}: ${code}`);
      t.ok(found[0]?.startsWith(`${path}:2: `) && found[0].includes(expected), found[0]);
    }
  }
});

t.test('what the SDK loads at once is followed through its files', async (t) => {
  const files = {
    'src/sdk/index.ts': "export { dial } from './dial.js';\n",
    'src/sdk/dial.ts': "const link = await import('./udp-link.js');\n",
    'src/sdk/udp-link.ts': "import { Runtime } from '../runtime/runtime.js';\n",
  };
  t.same(findings(importDirections, files), []);
  const early = { ...files, 'src/sdk/dial.ts': "import { link } from './udp-link.js';\n" };
  t.match(findings(importDirections, early), [/^src\/sdk\/udp-link\.ts:1: .*only through import/]);
  const erased = { ...files, 'src/sdk/dial.ts': "import type { Link } from './udp-link.js';\n" };
  t.same(findings(importDirections, erased), []);
});

t.test('banned calls', async (t) => {
  const banned = [
    'export const a = Date.now();',
    'export const a = new Date();',
    'export const a = Math.random();',
    'const random = Math.random;',
    'setTimeout(() => {}, 1);',
    'setImmediate(() => {});',
    'queueMicrotask(() => {});',
    'export const a = performance.now();',
    'export const a = process.hrtime;',
    'export const a = Buffer.alloc(1);',
    'export const a = crypto.getRandomValues(b);',
  ];
  for (const folder of ['util', 'protocol', 'messages', 'sync']) {
    for (const code of banned) {
      t.equal(findings(bannedGlobals, { [`src/${folder}/a.ts`]: code }).length, 1, code);
    }
  }
  const allowed = '// Date.now() in a comment\nexport const a = "Math.random()" + Math.max(1, 2);';
  t.same(findings(bannedGlobals, { 'src/util/a.ts': allowed }), []);
  t.same(findings(bannedGlobals, { 'src/server/a.ts': 'setTimeout(() => {}, Date.now());' }), []);
  t.same(findings(bannedGlobals, { 'src/util/a.test.ts': 'Math.random();' }), []);
});

t.test('addon loading', async (t) => {
  for (const code of ["load('./x.node');", 'process.dlopen(module, file);']) {
    t.equal(findings(nativeLoading, { 'src/server/a.ts': code }).length, 1, code);
    t.same(findings(nativeLoading, { 'src/addon/a.ts': code }), []);
  }
});

t.test('file length', async (t) => {
  const long = 'x\n'.repeat(501);
  for (const path of ['src/a.ts', 'native/core/src/a.rs', 'scripts/a.mjs', '.ci/run']) {
    t.match(findings(fileLength, { [path]: long }), [`${path}: 501 lines`]);
    t.same(findings(fileLength, { [path]: 'x\n'.repeat(500) }), []);
  }
  t.same(findings(fileLength, { 'src/messages/generated/a.ts': long, 'docs/a.md': long }), []);
});

t.test('leftovers', async (t) => {
  const word = ['TO', 'DO'].join('');
  const planted = {
    'src/a.ts': `const a = 1; // ${word}: later\n`,
    'native/a.rs': `/* ${word} */\n`,
    'docs/a.md': `<!-- ${word} -->\n`,
    '.ci/run': `# ${word.replace('TODO', 'FIXME')}\n`,
    'native/b.rs': '#[ignore]\nfn a() {}\n',
    'native/c.rs': `fn a() { ${word.toLowerCase()}!() }\n`,
    'src/a.test.ts': "t.skip('a', () => {});\n",
    'src/b.test.ts': "t.test('a', { skip: true }, () => {});\n",
    'src/c.test.ts': "t.only('a', () => {});\n",
    'src/d.test.ts': "t.test('a', { todo: 'later' }, () => {});\n",
  };
  for (const [path, text] of Object.entries(planted)) {
    t.equal(findings(leftovers, { [path]: text }).length, 1, `${path}: ${text}`);
  }
  const fine = [
    'if (reason) t.skip(reason);\n',
    "t.test('a', { skip: hasGo ? false : 'no Go' }, () => {});\n",
    `const word = '${word}';\n`,
  ];
  for (const text of fine) t.same(findings(leftovers, { 'src/a.test.ts': text }), [], text);
});

t.test('machine traces', async (t) => {
  const planted = {
    'src/a.ts': `const a = '/${'root'}/x';\n`,
    'docs/a.md': `see /${'home'}/me/x\n`,
    'src/b.ts': `const a = '/${'tmp'}/x';\n`,
    'scripts/a.mjs': `fetch('https://registry.${'npmjs'}.org/x');\n`,
    'package-lock.json': '{"packages":{"a":{"resolved":"http://mirror.example/a.tgz"}}}',
    'native/Cargo.lock': 'source = "sparse+http://mirror.example/"\n',
  };
  for (const [path, text] of Object.entries(planted)) {
    t.equal(findings(machineTraces, { [path]: text }).length, 1, path);
  }
  const fine = {
    'src/a.ts': "import '../../home/x.js'; // https://example.com/home/x and src/tmp/x\n",
    'package-lock.json': '{"packages":{"a":{"version":"1.0.0"}}}',
    'native/Cargo.lock': 'source = "registry+https://github.com/rust-lang/crates.io-index"\n',
  };
  t.same(findings(machineTraces, fine), []);
});

const sources = {
  'bench/match/main.ts': "option('--duration')",
  'scripts/test.mjs': "'--only'",
  '.ci/run': 'npm test\n',
};

function readme(...lines) {
  return `# x\n\n\`\`\`sh\n${lines.join('\n')}\n\`\`\`\n\n\`\`\`ts\nnpm nonsense\n\`\`\`\n`;
}

t.test('documented commands', async (t) => {
  const planted = {
    'npm run nothing': 'no script "nothing"',
    'npm start -- --nothing 1': 'knows no --nothing',
    'npm start -- \\\n  --nothing': 'knows no --nothing',
    'node scripts/nothing.mjs': 'no file',
    './nothing.sh': 'no command or file',
    'nothing --x': 'no command or file',
    'npx nothing': 'npx fetches',
    'cd x && npm nothing': 'no script "nothing"',
  };
  for (const [command, expected] of Object.entries(planted)) {
    const found = findings(documentedCommands, { ...sources, 'README.md': readme(command) });
    t.equal(found.length, 1, command);
    t.ok(found[0]?.startsWith('README.md:4: ') && found[0].includes(expected), found[0]);
  }
  const fine = readme(
    'npm ci',
    'npm start -- --duration 10 # ten seconds',
    'KEY=1 npm test -- --only ts',
    'node scripts/test.mjs',
    'node dist/bench/match/main.js',
    '.ci/run',
    'npx tap x',
  );
  t.same(findings(documentedCommands, { ...sources, 'README.md': fine }), []);
});

t.test('README and CI commands', async (t) => {
  const good = { ...sources, 'README.md': readme('npm start', 'npm test') };
  t.same(findings(readmeCommands, good), []);
  t.equal(findings(readmeCommands, { ...good, 'README.md': readme('npm test') }).length, 1);
  t.equal(findings(readmeCommands, { ...good, '.ci/run': 'npm test -- --only ts\n' }).length, 1);
  t.equal(findings(readmeCommands, sources).length, 1);
});

t.test('document links', async (t) => {
  const text = '[a](b.md) [c](../src/) [d](https://example.com/) [e](#here) [f](b.md#there)';
  const files = { 'docs/a.md': text, 'docs/b.md': '', 'src/x.ts': '' };
  t.same(findings(documentLinks, files), []);
  t.same(findings(documentLinks, { 'docs/a.md': '\n[a](b.md)' }), ['docs/a.md:2: no b.md']);
});

t.test('documented tests', async (t) => {
  const table = (name) =>
    `| trap | file | test |\n|---|---|---|\n| a | [b](../test/b.test.ts) | ${name} |\n\n| x | y |`;
  const files = { 'test/b.test.ts': 't.test(`it holds`, () => {});' };
  t.same(findings(documentedTests, { ...files, 'docs/a.md': table('it holds') }), []);
  t.same(findings(documentedTests, { ...files, 'docs/a.md': table('it breaks') }), [
    'docs/a.md:3: [b](../test/b.test.ts) has no test "it breaks"',
  ]);
  t.equal(findings(documentedTests, { 'docs/a.md': table('it holds') }).length, 1, 'no such file');
  t.equal(findings(documentedTests, { ...files, 'docs/a.md': table('') }).length, 1, 'no name');
});

t.test('package files', async (t) => {
  const wants = {
    files: ['dist/src', 'native/*/src/**/*.rs', '!dist/src/x', 'LICENSE'],
    exports: { '.': { types: './dist/src/index.d.ts', default: './dist/src/index.js' } },
    scripts: { test: 'node scripts/test.mjs', start: 'node dist/bench/match/main.js' },
  };
  const files = {
    ...sources,
    'package.json': JSON.stringify(wants),
    'src/index.ts': '',
    'native/core/src/lib.rs': '',
    LICENSE: '',
  };
  t.same(findings(packageFiles, files), []);
  for (const [path, count] of Object.entries({
    LICENSE: 1,
    'src/index.ts': 3, // the folder of files, types and default
    'native/core/src/lib.rs': 1,
    'scripts/test.mjs': 1,
    'bench/match/main.ts': 1,
  })) {
    const { [path]: _, ...rest } = files;
    t.equal(packageFiles(treeOf(rest)).length, count, path);
  }
});
