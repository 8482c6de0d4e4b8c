// What the SDK costs a page: bundles the public entries for browsers with esbuild and prints bytes.
//
//   npm run bundle-size
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Programs of which the size is told: what they import is what they pay for. */
const programs = {
  'everything of @ggscale/transport': "export * from '@ggscale/transport';",
  'Client, JSON messages only': "export { Client } from '@ggscale/transport';",
  'Client, SnapshotBuffer and three typed messages':
    "export { Client, createRegistry, SnapshotBuffer } from '@ggscale/transport';" +
    "export { GameEvent, Input, Snapshot } from '@ggscale/transport/messages';",
};

/** As a bundler of a page does it. @returns { text, inputs: paths of every file in it } */
export async function bundleForBrowsers(source, options = {}) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: root, sourcefile: 'page.js' },
    bundle: true,
    platform: 'browser',
    format: 'esm',
    write: false,
    metafile: true,
    logLevel: 'silent',
    absWorkingDir: root,
    ...options,
  });
  return { text: outputFiles[0].text, inputs: Object.keys(metafile.inputs) };
}

async function main() {
  for (const [name, source] of Object.entries(programs)) {
    const { text } = await bundleForBrowsers(source, { minify: true });
    const zipped = gzipSync(text, { level: 9 }).length;
    console.log(`${name}: ${Buffer.byteLength(text)} B minified, ${zipped} B with gzip`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
