// Rules about what stands inside source files.
import ts from 'typescript';
import { lineOf, walk } from './tree.mjs';

const linesMax = 500;
const codeFile = /\.(ts|mts|mjs|cjs|js|rs|go|py|c|cc|h|sh|fbs)$|^\.ci\/run$/;

/** Folders whose results depend on their arguments alone. */
const deterministic = [
  'src/util',
  'src/time',
  'src/protocol',
  'src/messages',
  'src/sync',
  'src/sim',
];
const bannedCalls = new Set([
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'clearTimeout',
  'clearInterval',
  'require',
]);
const bannedObjects = new Set(['Date', 'performance', 'process', 'globalThis', 'Buffer', 'crypto']);

export function bannedGlobals(tree) {
  const findings = [];
  for (const path of tree.code(...deterministic)) {
    if (tree.isTest(path)) continue;
    const source = tree.syntax(path);
    walk(source, (node) => {
      const name = bannedName(node);
      if (name !== null) findings.push(`${path}:${lineOf(source, node)}: ${name} is banned here`);
    });
  }
  return findings;
}

function bannedName(node) {
  if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
    const callee = node.expression;
    if (!ts.isIdentifier(callee)) return null;
    return bannedCalls.has(callee.text) || bannedObjects.has(callee.text) ? callee.text : null;
  }
  if (!ts.isPropertyAccessExpression(node) || !ts.isIdentifier(node.expression)) return null;
  const object = node.expression.text;
  const name = `${object}.${node.name.text}`;
  return bannedObjects.has(object) || name === 'Math.random' ? name : null;
}

/** Where native modules are loaded: ours, and the example of a game's own. */
const loaders = /^(src\/addon|examples\/native-neighbour)\//;

/** Only src/addon loads the native library. */
export function nativeLoading(tree) {
  const findings = [];
  for (const path of tree.code('src', 'bench', 'examples', 'sdk-compat')) {
    if (loaders.test(path) || tree.isTest(path)) continue;
    const source = tree.syntax(path);
    walk(source, (node) => {
      const literal = ts.isStringLiteralLike(node) && node.text.endsWith('.node');
      const dlopen = ts.isPropertyAccessExpression(node) && node.name.text === 'dlopen';
      if (literal || dlopen) {
        findings.push(`${path}:${lineOf(source, node)}: only src/addon loads the addon`);
      }
    });
  }
  return findings;
}

export function fileLength(tree) {
  const findings = [];
  for (const path of tree.files) {
    if (!codeFile.test(path) || tree.isGenerated(path)) continue;
    const lines = tree.text(path).split('\n').length - 1;
    if (lines > linesMax) findings.push(`${path}: ${lines} lines; ${linesMax} is the limit`);
  }
  return findings;
}

/** A note to do something later belongs in an issue; a test that does not run belongs nowhere. */
export function leftovers(tree) {
  const findings = [];
  const note = /(?:\/\/+|#|\/\*+|^\s*\*|<!--|--)[!\s]*(TODO|FIXME|XXX)\b/;
  const rust = /#\[ignore\b|\b(?:todo|unimplemented|dbg)!\s*\(/;
  for (const path of tree.files) {
    if (!codeFile.test(path) && !path.endsWith('.md')) continue;
    const lines = tree.text(path).split('\n');
    for (const [index, line] of lines.entries()) {
      const found =
        note.exec(line)?.[1] ?? (path.endsWith('.rs') ? rust.exec(line)?.[0] : undefined);
      if (found !== undefined) findings.push(`${path}:${index + 1}: ${found} left behind`);
    }
    if (tree.isTest(path)) findings.push(...switchedOff(tree, path));
  }
  return findings;
}

function switchedOff(tree, path) {
  const findings = [];
  const source = tree.syntax(path);
  const words = new Set(['skip', 'only', 'todo']);
  walk(source, (node) => {
    const callee = ts.isCallExpression(node) ? node.expression : undefined;
    const called =
      callee !== undefined &&
      ts.isPropertyAccessExpression(callee) &&
      words.has(callee.name.text) &&
      !isConditional(node);
    // A machine may lack what a test needs: a condition (an if, skip: <expression>) is fine.
    const option =
      ts.isPropertyAssignment(node) &&
      ts.isIdentifier(node.name) &&
      words.has(node.name.text) &&
      (node.initializer.kind === ts.SyntaxKind.TrueKeyword || ts.isStringLiteral(node.initializer));
    if (called || option) {
      const what = called ? callee.name.text : node.name.text;
      findings.push(`${path}:${lineOf(source, node)}: a test with ${what}`);
    }
  });
  return findings;
}

function isConditional(node) {
  for (let outer = node.parent; outer !== undefined; outer = outer.parent) {
    if (ts.isIfStatement(outer) || ts.isConditionalExpression(outer)) return true;
  }
  return false;
}

/** Nothing that is true of one machine only. */
export function machineTraces(tree) {
  const findings = [];
  const place = /(?<![\w./-])\/(?:root|home|work|Users|tmp)\/\w|\b[A-Z]:\\\\?Users\\/;
  const hosts = [
    'registry.npmjs',
    'registry.yarnpkg',
    'proxy.golang',
    'static.crates',
    'pythonhosted',
  ];
  const rules = [
    place,
    new RegExp(hosts.map((host) => `${host.replace('.', '\\.')}\\.`).join('|')),
  ];
  for (const path of tree.files) {
    if (path.endsWith('package-lock.json')) findings.push(...npmLock(tree, path));
    else if (path.endsWith('Cargo.lock')) findings.push(...cargoLock(tree, path));
    for (const [index, line] of tree.text(path).split('\n').entries()) {
      const found = rules.map((rule) => rule.exec(line)).find((match) => match !== null);
      if (found) findings.push(`${path}:${index + 1}: "${found[0]}" is of one machine`);
    }
  }
  return findings;
}

function npmLock(tree, path) {
  return Object.entries(tree.json(path).packages)
    .filter(([, entry]) => entry.resolved !== undefined)
    .map(([name]) => `${path}: ${name} is resolved to a host`);
}

function cargoLock(tree, path) {
  const home = 'registry+https://github.com/rust-lang/crates.io-index';
  return [...tree.text(path).matchAll(/^source = "(.*)"$/gm)]
    .filter(([, source]) => source !== home)
    .map(([, source]) => `${path}: a crate comes from ${source}`);
}
