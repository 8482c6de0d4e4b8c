// Rules about what the documents and package.json promise.
import { posix } from 'node:path';

const programs = new Set(
  'npm node npx cargo git cd curl sudo apt-get go bash sh python3 export rustup tar mkdir docker'.split(
    ' ',
  ),
);
const npmOwn = new Set(['ci', 'install', 'pack', 'publish', 'exec', 'i']);

/** Every command in a shell block of a document can be run as it stands. */
export function documentedCommands(tree) {
  const findings = [];
  for (const path of tree.files.filter((file) => file.endsWith('.md'))) {
    for (const { line, command } of shellCommands(tree.text(path))) {
      const problem = judgeCommand(tree, command);
      if (problem !== null) findings.push(`${path}:${line}: ${problem}`);
    }
  }
  return findings;
}

/** The README names the two commands, and CI runs its test command and nothing like it. */
export function readmeCommands(tree) {
  if (!tree.has('README.md')) return ['README.md: missing'];
  const commands = shellCommands(tree.text('README.md')).map(({ command }) => command);
  const findings = [];
  for (const wanted of ['npm start', 'npm test']) {
    if (!commands.some((command) => command === wanted || command.startsWith(`${wanted} `))) {
      findings.push(`README.md: does not show "${wanted}"`);
    }
  }
  for (const path of ['.ci/run']) {
    if (!tree.has(path)) findings.push(`${path}: missing`);
    else if (!/\bnpm test$/m.test(tree.text(path)))
      findings.push(`${path}: does not run "npm test"`);
  }
  return findings;
}

/** Links between the documents lead somewhere. */
export function documentLinks(tree) {
  const findings = [];
  for (const path of tree.files.filter((file) => file.endsWith('.md'))) {
    for (const [index, line] of tree.text(path).split('\n').entries()) {
      for (const [, target] of line.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const file = posix.join(posix.dirname(path), target).replace(/\/$/, '');
        if (!tree.hasFileOrFolder(file)) findings.push(`${path}:${index + 1}: no ${target}`);
      }
    }
  }
  return findings;
}

/** Tables with the columns `file` and `test` name tests that are in those files. */
export function documentedTests(tree) {
  const findings = [];
  for (const path of tree.files.filter((file) => file.endsWith('.md'))) {
    let columns = null;
    for (const [index, line] of tree.text(path).split('\n').entries()) {
      const cells = line.split('|').map((cell) => cell.trim());
      if (cells.length < 3) columns = null;
      else if (columns === null) columns = [cells.indexOf('file'), cells.indexOf('test')];
      else if (!columns.includes(-1) && !/^\|[-:| ]+\|$/.test(line)) {
        const [link, name] = columns.map((column) => cells[column]);
        const target = /\]\(([^)\s]+)\)/.exec(link)?.[1];
        const file = posix.join(posix.dirname(path), target ?? '');
        const names = target !== undefined && tree.has(file) && name !== '';
        if (!names || !tree.text(file).includes(name))
          findings.push(`${path}:${index + 1}: ${link} has no test "${name}"`);
      }
    }
  }
  return findings;
}

/** What package.json names exists, or is compiled from what exists. */
export function packageFiles(tree) {
  const manifest = tree.json('package.json');
  const findings = [];
  const want = (what, file) => {
    if (!existsOrCompiles(tree, file)) findings.push(`package.json: ${what} names missing ${file}`);
  };
  for (const entry of manifest.files ?? []) {
    if (!entry.startsWith('!'))
      want('files', entry.replace(/\/?[^/]*\*.*$/, '').replace(/\/$/, ''));
  }
  for (const target of strings(manifest.exports ?? {})) want('exports', target.replace('./', ''));
  for (const target of strings(manifest.bin ?? {})) want('bin', target.replace('./', ''));
  for (const [name, script] of Object.entries(manifest.scripts ?? {})) {
    for (const [, file] of script.matchAll(/\bnode (?:--\S+ )*([\w./-]+)/g)) want(name, file);
  }
  return findings;
}

function existsOrCompiles(tree, path) {
  if (path === '' || tree.hasFileOrFolder(path)) return true;
  if (!path.startsWith('dist/')) return false;
  const source = path.slice('dist/'.length).replace(/(\.d\.ts|\.js)$/, '.ts');
  return tree.hasFileOrFolder(source);
}

function strings(value) {
  return typeof value === 'string' ? [value] : Object.values(value).flatMap(strings);
}

/** Commands in ```sh blocks (also bash, console), comments and prompts removed, continued lines joined. */
function shellCommands(text) {
  const commands = [];
  let open = null;
  let pending = null;
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^\s*```(\w*)/.exec(line);
    if (fence !== null) {
      open = open === null ? fence[1] : null;
      continue;
    }
    if (open === null || !/^(sh|bash|shell|console)$/.test(open)) continue;
    const prompted = /^\s*\$ /.test(line);
    if (open === 'console' && !prompted && pending === null) continue;
    const plain = line.replace(/^\s*\$ /, '').replace(/(^|\s)#.*$/, '');
    const joined = (pending?.command ?? '') + plain.trim();
    const start = pending?.line ?? index + 1;
    pending = joined.endsWith('\\') ? { line: start, command: joined.slice(0, -1) } : null;
    if (pending !== null || joined === '') continue;
    for (const command of joined.split(/\s*(?:&&|\|\||;|\|)\s*/)) {
      if (command !== '') commands.push({ line: start, command });
    }
  }
  return commands;
}

function judgeCommand(tree, command) {
  const words = command.split(/\s+/).filter((word) => !/^[A-Z_][A-Z0-9_]*=/.test(word));
  const [program, ...args] = words;
  if (program === undefined) return null;
  if (!programs.has(program)) {
    return tree.has(posix.normalize(program)) ? null : `no command or file "${program}"`;
  }
  if (program === 'npm') return judgeNpm(tree, args);
  if (program === 'npx') return judgeNpx(tree, args);
  const file = args.find((arg) => !arg.startsWith('-'));
  const runsFile = program === 'node' || program === 'bash' || program === 'python3';
  if (runsFile && file !== undefined && !existsOrCompiles(tree, posix.normalize(file))) {
    return `no file "${file}"`;
  }
  return null;
}

function judgeNpm(tree, args) {
  const scripts = tree.json('package.json').scripts ?? {};
  const [verb] = args;
  if (npmOwn.has(verb)) return null;
  const name = verb === 'run' ? args[1] : verb;
  if (!(name in scripts)) return `npm knows no script "${name}"`;
  const after = args.indexOf('--');
  if (after < 0) return null;
  const sources = scriptSources(tree, scripts[name]);
  for (const arg of args.slice(after + 1)) {
    const flag = /^--([a-z][a-z0-9-]*)/.exec(arg)?.[1];
    if (flag !== undefined && !new RegExp(`(--|['"])${flag}\\b`).test(sources)) {
      return `"${name}" knows no --${flag}`;
    }
  }
  return null;
}

function judgeNpx(tree, args) {
  const name = args.find((arg) => !arg.startsWith('-'));
  const { name: own, bin, dependencies = {}, devDependencies = {} } = tree.json('package.json');
  if (name === own && bin !== undefined) return null;
  const bins = { tsc: 'typescript', biome: '@biomejs/biome' };
  const wanted = bins[name] ?? name;
  return wanted in dependencies || wanted in devDependencies ? null : `npx fetches "${name}"`;
}

/** The text of the folder that holds the script's program: where its flags are read. */
function scriptSources(tree, script) {
  const file = /\bnode (?:--\S+ )*([\w./-]+)/.exec(script)?.[1] ?? '';
  const source = file.replace(/^dist\//, '').replace(/\.js$/, '.ts');
  if (!file.startsWith('dist/')) return tree.has(file) ? tree.text(file) : '';
  const folder = posix.dirname(source);
  const beside = tree.files.filter((path) => path.startsWith(`${folder}/`));
  return beside.map((path) => tree.text(path)).join('\n');
}
