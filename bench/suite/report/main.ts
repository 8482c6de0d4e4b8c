/** `npm run bench:report`: see `--help`. Exit codes: 0 done, 1 failed, 2 bad arguments. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { readResults } from '../results-file.js';
import { ROOT } from '../root.js';
import { page, pageFile } from './page.js';
import { withSummary } from './summary.js';

const README = join(ROOT, 'README.md');

interface Given {
  out?: string;
  readme?: true;
}

new Command('npm run bench:report --')
  .description('Makes a report of results that npm run bench has written.')
  .argument('[file]', 'results', join('bench', 'results', 'latest.json'))
  .option('--out <file>', 'the page (default: beside the results, with .html)')
  .option('--readme', "writes the README's table instead")
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .action(async (file: string, { out, readme }: Given) => {
    const results = readResults(resolve(file));
    if (readme) writeFileSync(README, withSummary(readFileSync(README, 'utf8'), results));
    else writeFileSync(resolve(out ?? pageFile(file)), await page(results));
  })
  .parseAsync()
  .catch((error: Error) => {
    process.stderr.write(`bench:report: ${error.message}\n`);
    process.exitCode = 1;
  });
