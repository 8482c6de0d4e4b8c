// What the tidy rules look at: the repository's own files, or a planted sample of some in a test.
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** Written by scripts/generate.mjs: nobody formats or shortens these by hand. */
const generated = /(^|\/)generated\//;
const binary = /\.(png|jpg|ico|woff2?|bin|gz|tgz|wasm|node)$/;

export class Tree {
  #texts;
  #parsed = new Map();

  /** `texts`: path → text, or null where the text is still on disk below `root`. */
  constructor(texts, root = null) {
    this.#texts = texts;
    this.root = root;
    this.files = [...texts.keys()].sort();
  }

  has(path) {
    return this.#texts.has(path);
  }

  /** True for a file or for a folder that holds one. */
  hasFileOrFolder(path) {
    return this.has(path) || this.files.some((file) => file.startsWith(`${path}/`));
  }

  text(path) {
    let text = this.#texts.get(path);
    if (text === null) {
      text = readFileSync(join(this.root, path), 'utf8');
      this.#texts.set(path, text);
    }
    return text;
  }

  /** Paths of hand-written TypeScript and JavaScript below one of the folders. */
  code(...folders) {
    return this.files.filter(
      (path) =>
        /\.(ts|mts|mjs|js)$/.test(path) &&
        !path.endsWith('.d.ts') &&
        folders.some((folder) => path.startsWith(`${folder}/`)),
    );
  }

  isTest(path) {
    return /\.test\.(ts|mts|mjs|js)$/.test(path);
  }

  isGenerated(path) {
    return generated.test(path);
  }

  /** The syntax tree, with parents. */
  syntax(path) {
    let source = this.#parsed.get(path);
    if (source === undefined) {
      source = ts.createSourceFile(path, this.text(path), ts.ScriptTarget.ES2022, true);
      this.#parsed.set(path, source);
    }
    return source;
  }

  json(path) {
    return JSON.parse(this.text(path));
  }
}

/** Of tracked files and new ones that git does not ignore; pictures and the like are there, empty. */
export function treeOnDisk(root) {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const listed = execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  const texts = new Map();
  for (const path of listed.split('\0')) {
    if (path === '' || !existsSync(join(root, path))) continue;
    if (lstatSync(join(root, path)).isFile()) texts.set(path, binary.test(path) ? '' : null);
  }
  return new Tree(texts, root);
}

export function treeOf(texts) {
  return new Tree(new Map(Object.entries(texts)));
}

/** Calls `visit(node)` for every node of the file. */
export function walk(source, visit) {
  const step = (node) => {
    visit(node);
    ts.forEachChild(node, step);
  };
  step(source);
}

export function lineOf(source, node) {
  return source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
}
