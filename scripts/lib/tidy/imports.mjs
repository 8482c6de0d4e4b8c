// Who may import whom (docs/ARCHITECTURE.md shows the same table).
import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import ts from 'typescript';
import { lineOf, walk } from './tree.mjs';

const mayImport = {
  util: [],
  time: ['util'],
  protocol: ['util', 'time'],
  messages: ['util'],
  sync: ['util'],
  addon: ['util'],
  session: ['util', 'messages', 'time'],
  runtime: ['addon', 'protocol', 'util'],
  ops: ['util'],
  server: ['runtime', 'session', 'messages', 'sync', 'time', 'ops', 'util'],
  sdk: ['session', 'messages', 'sync', 'time', 'util'],
  cli: ['server', 'sdk', 'util'],
  cluster: ['server', 'messages', 'ops', 'util'],
  sim: [
    'util',
    'time',
    'protocol',
    'messages',
    'sync',
    'session',
    'runtime',
    'addon',
    'server',
    'sdk',
    'ops',
  ],
  '': ['server', 'sdk', 'session', 'messages', 'util'], // src/index.ts
};

/**
 * Through import() only, so that a program that never asks for UDP loads nothing of it: by an import()
 * of its own, or in a file that nothing reaches from these entries without one.
 */
const mayLoadLate = { sdk: ['runtime'], cli: ['runtime'] };
const earlyEntries = ['src/index.ts', 'src/sdk/index.ts'];

/** No node:*, no package that reaches the machine: time and chance are arguments here. */
const pure = new Set(['util', 'time', 'protocol', 'messages', 'sync']);

/** package → the files that may name it. */
const packageHomes = [
  [/^ws$/, /^src\/(server\/node-|sdk\/(ws-socket|realtime\/node-socket))/],
  [/^pino$/, /^src\/ops\/logs/],
  [/^commander$/, /^src\/cli\//],
  [/^prom-client$/, /^src\/ops\/metric/],
  [/^(redis|ioredis|@redis\/.*)$/, /^src\/cluster\/bus/],
];

/**
 * These programs show what a user can write, so of the transport they use what a user can import;
 * the generated messages and the arithmetic of util are no part of it.
 */
const publicOnly = /^(bench\/(match|gate)|examples|sdk-compat)\//;
const publicEntry = /^src\/((server\/|sdk\/)?index\.ts$|messages\/generated\/|util\/)/;

const builtins = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));

export function importDirections(tree) {
  const findings = [];
  const early = loadedEarly(tree);
  for (const path of tree.code('src', 'bench', 'examples', 'sdk-compat')) {
    for (const found of importsOf(tree, path)) {
      const problem = judge(tree, path, found, early.has(path));
      if (problem !== null) findings.push(`${path}:${found.line}: ${problem}`);
    }
  }
  return findings;
}

/** What an import of one of the entries loads at once. */
function loadedEarly(tree) {
  const seen = new Set();
  const visit = (path) => {
    if (seen.has(path) || !tree.has(path)) return;
    seen.add(path);
    for (const { specifier, late, typeOnly } of importsOf(tree, path)) {
      if (specifier.startsWith('.') && !late && !typeOnly)
        visit(resolveSource(tree, path, specifier));
    }
  };
  earlyEntries.forEach(visit);
  return seen;
}

/** Every import of a file: { specifier, late: by import(), typeOnly, line }. */
export function importsOf(tree, path) {
  const source = tree.syntax(path);
  const found = [];
  const add = (node, literal, late, typeOnly) => {
    if (literal === undefined || !ts.isStringLiteralLike(literal)) return;
    found.push({ specifier: literal.text, late, typeOnly, line: lineOf(source, node) });
  };
  walk(source, (node) => {
    if (ts.isImportDeclaration(node)) {
      add(node, node.moduleSpecifier, false, isTypeOnlyImport(node));
    } else if (ts.isExportDeclaration(node)) {
      add(node, node.moduleSpecifier, false, node.isTypeOnly);
    } else if (ts.isImportTypeNode(node)) {
      add(node, node.argument.literal, false, true);
    } else if (ts.isCallExpression(node)) {
      const late = node.expression.kind === ts.SyntaxKind.ImportKeyword;
      const required = ts.isIdentifier(node.expression) && node.expression.text === 'require';
      if (late || required) add(node, node.arguments[0], late, false);
    }
  });
  return found;
}

function isTypeOnlyImport(node) {
  const clause = node.importClause;
  return clause?.phaseModifier === ts.SyntaxKind.TypeKeyword || clause?.isTypeOnly === true;
}

function judge(tree, path, { specifier, late, typeOnly }, early) {
  const test = tree.isTest(path);
  if (!specifier.startsWith('.')) return judgePackage(tree, path, specifier, test);
  const target = resolveSource(tree, path, specifier);
  const [top] = target.split('/');
  if (path.startsWith('src/')) {
    if (['bench', 'examples', 'sdk-compat'].includes(top)) return `src imports ${top}`;
    if (top === 'test' && !test) return 'src imports test';
    if (top === 'src') return judgeFolders(path, target, late || typeOnly || !early, test);
    if (!test && top !== 'schemas') return `src imports ${target}, which is not published`;
    return null;
  }
  if (publicOnly.test(path) && !test && top === 'src' && !publicEntry.test(target)) {
    return `imports ${target}; only the public entries are for it`;
  }
  return null;
}

function judgeFolders(path, target, lateEnough, test) {
  const from = folderOf(path);
  const to = folderOf(target);
  if (mayImport[from] === undefined) return `src/${from} is not in the import table`;
  if (from === to || test) return null;
  if (mayImport[from].includes(to)) {
    if (from === 'sim' && to === 'addon' && !/\/sim[^/]*$/.test(target)) {
      return 'src/sim may import of src/addon only its sim face';
    }
    return null;
  }
  if (mayLoadLate[from]?.includes(to)) {
    if (lateEnough) return null;
    return `src/${from} may import src/${to} only through import()`;
  }
  return `src/${from} may not import ${to === '' ? target : `src/${to}`}`;
}

function judgePackage(tree, path, specifier, test) {
  if (!path.startsWith('src/') || test) return null;
  const builtin = builtins.has(specifier);
  if (pure.has(folderOf(path)) && builtin) return `imports ${specifier}, but reaches no machine`;
  if (folderOf(path) === 'sim' && /^(node:)?(dgram|net|http|https|tls)$/.test(specifier)) {
    return `imports ${specifier}, but the simulator has no real sockets`;
  }
  if (builtin) return null;
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  for (const [pattern, home] of packageHomes) {
    if (pattern.test(name) && !home.test(path)) return `imports ${name}, which has its own file`;
  }
  const { dependencies = {}, peerDependencies = {} } = tree.json('package.json');
  if (name in dependencies || name in peerDependencies) return null;
  return `imports ${name}, which is not in dependencies`;
}

/** src/<folder>/… → folder; a file straight below src → ''. */
function folderOf(path) {
  const parts = path.split('/');
  return parts.length > 2 ? parts[1] : '';
}

function resolveSource(tree, path, specifier) {
  const plain = posix.join(posix.dirname(path), specifier);
  const asTs = plain.replace(/\.js$/, '.ts').replace(/\.mjs$/, '.mts');
  return tree.has(asTs) ? asTs : plain;
}
