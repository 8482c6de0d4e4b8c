import { join } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { foldConstants } from './fold-constants.mjs';

const options = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ES2022,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  types: [],
  verbatimModuleSyntax: true,
  noLib: true,
};

/** Compiles sources by name and answers the output by name. */
function emit(t, sources, extra = {}) {
  const directory = t.testdir(sources);
  const files = Object.keys(sources).map((name) => join(directory, name));
  const program = ts.createProgram(files, { ...options, ...extra });
  const written = {};
  const write = (path, text) => {
    written[path.slice(directory.length + 1)] = text;
  };
  program.emit(undefined, write, undefined, false, { before: [foldConstants(program)] });
  return written;
}

const words = `
export const WORD = 3;
export const NEXT = WORD + 1;
export const MASK = (1 << 4) - 1;
export const LEAST = -2;
export const HALF = 1 / 2;
export const NAME = 'a name';
export const LIST = [1];
export const LATER = LIST.length;
export const NONE = 1 / 0;
export let changing = 5;
export function local() { const WORD_INSIDE = 7; return WORD_INSIDE; }
`;

t.test('numbers stand where their names stood', async (t) => {
  const { 'main.js': code } = emit(t, {
    'words.ts': words,
    'main.ts': `
import * as W from './words.js';
import { LEAST, NEXT as AFTER } from './words.js';
const OWN = W.MASK ^ 1;
export const sum = (a) => a + W.WORD - LEAST * AFTER / W.HALF | OWN;
`,
  });
  t.match(
    code,
    'a + 3 /* W.WORD */ - (-2) /* LEAST */ * 4 /* AFTER */ / 0.5 /* W.HALF */ | 14 /* OWN */',
  );
  t.match(
    code,
    "import * as W from './words.js';",
    'imports stay: modules still run in their order',
  );
  t.match(code, 'const OWN = 15 /* W.MASK */ ^ 1;', 'declarations stay too');
});

t.test('whatever is not a constant number stays a name', async (t) => {
  const { 'main.js': code } = emit(t, {
    'words.ts': words,
    'main.ts': `
import * as W from './words.js';
export { WORD } from './words.js';
export type Word = typeof W.WORD;
function parameter(WORD) { return WORD; }
const shape = { WORD: 1, changing: W.changing };
export const all = [W.NAME, W.LIST, W.LATER, W.NONE, W.changing, shape.WORD, parameter(1), W.local()];
for (let index = 0; index < 2; index += 1) { all.push(index); }
`,
  });
  t.match(code, "export { WORD } from './words.js';");
  t.match(code, 'function parameter(WORD) { return WORD; }');
  t.match(code, '{ WORD: 1, changing: W.changing }');
  t.match(
    code,
    '[W.NAME, W.LIST, W.LATER, W.NONE, W.changing, shape.WORD, parameter(1), W.local()]',
  );
  t.match(code, 'all.push(index)');
});

t.test('a shorthand property keeps its name and takes the value at run time', async (t) => {
  const { 'main.js': code } = emit(t, {
    'words.ts': words,
    'main.ts': "import { WORD } from './words.js';\nexport const shape = { WORD };\n",
  });
  t.match(code, '{ WORD }');
});

t.test('a constant that names itself is left alone', async (t) => {
  const { 'main.js': code } = emit(t, {
    'main.ts': 'export const A = B + 1;\nexport const B = A + 1;\nf(A, B);\n',
  });
  t.match(code, 'f(A, B)');
});

t.test('folding folded code changes nothing', async (t) => {
  const source = 'const WORD = 3;\nexport const next = (a) => a + WORD;\n';
  const once = emit(t, { 'main.ts': source })['main.js'];
  t.equal(emit(t, { 'main.ts': once })['main.js'], once);
});

t.test('lines stay where they were, and source maps say so', async (t) => {
  const source = `const WORD = 3;\n\nexport const next = (a) => {\n  // why\n  return a + WORD;\n};\n`;
  const written = emit(t, { 'main.ts': source }, { sourceMap: true });
  const { mappings, sources } = JSON.parse(written['main.js.map']);
  t.same(sources, ['main.ts']);
  const plain = ts.transpileModule(source, { compilerOptions: { ...options, sourceMap: true } });
  const lines = (text) => text.split(';').map((line) => line.length > 0);
  t.same(lines(mappings), lines(JSON.parse(plain.sourceMapText).mappings));
});
