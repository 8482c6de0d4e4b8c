// The first step of npm's install script: is the addon here ready-made? Exit code 0 when the platform
// package is installed and loads, so that nothing is built; 1 otherwise, in silence when it is just not
// there. A process of its own: a library for another system may do worse than refuse to load.
import { existsSync } from 'node:fs';

const loader = new URL('../dist/src/addon/load-binding.js', import.meta.url);

async function isPrebuilt() {
  if (!existsSync(loader)) return false; // a checkout that was never compiled
  const { loadPrebuilt } = await import(loader.href);
  return loadPrebuilt() !== null;
}

try {
  process.exitCode = (await isPrebuilt()) ? 0 : 1;
} catch (error) {
  console.error(`prebuilt: ${error.message}`);
  process.exitCode = 1;
}
