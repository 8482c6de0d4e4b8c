// Compiles for ts-node, which runs the tests, as it would itself; but what has not changed since the last
// time comes from .setup/transpiled. Some two hundred test files import the same sources, each in a
// process of its own: without this each compiles them again, two seconds for those of the server.
const { createHash, randomUUID } = require('node:crypto');
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const { join, relative, resolve } = require('node:path');
const ts = require('typescript');

const root = resolve(__dirname, '../..');
const folder = join(root, '.setup/transpiled');

/** Read by ts-node: a factory of transpilers. */
exports.create = ({ service }) => {
  const compilerOptions = {
    ...service.config.options,
    module: ts.ModuleKind.ESNext, // every package.json here says so
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  const common = `${ts.version} ${JSON.stringify(compilerOptions)}`;
  mkdirSync(folder, { recursive: true });
  return {
    transpile(text, { fileName }) {
      const key = createHash('sha1').update(`${common}\0${fileName}\0${text}`).digest('hex');
      const path = join(folder, `${relative(root, fileName).replace(/[\\/]/g, '+')}.json`);
      const known = read(path);
      if (known?.key === key) return known;
      const compiled = ts.transpileModule(text, {
        fileName,
        compilerOptions,
        reportDiagnostics: true,
      });
      if (compiled.diagnostics.length === 0) write(path, { key, ...compiled });
      return compiled;
    },
  };
};

function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null; // not yet
  }
}

/** Another test, or another thread of this one, may read or write it at the same time. */
function write(path, content) {
  const own = `${path}.${randomUUID()}`;
  try {
    writeFileSync(own, JSON.stringify(content));
    renameSync(own, path);
  } catch {
    // It is compiled again the next time.
  }
}
