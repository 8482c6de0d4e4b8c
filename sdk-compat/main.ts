/**
 * Plays every program with the option off and on, on every network and in pages, and prints the table of
 * README.md;
 * `--launch` runs the contract tests of the launch SDK instead. `--update` writes the table there. Exit
 * code 1 with any difference, 2 when it cannot be tried.
 */
import { Command } from 'commander';
import { UsageError } from '../bench/command-line.js';
import { SKIP } from '../test/browser/chromium.js';
import { differences, type Rule, type Run } from './compare.js';
import { differencesInPages, runInPages } from './in-pages.js';
import { runContractTests, tableOf } from './launch/report.js';
import { IMPAIRMENTS, Network } from './network.js';
import { Pages } from './pages.js';
import { PROGRAMS } from './programs/index.js';
import { CONTRACT, WIRES, writeTable } from './readme.js';
import { DEATHS, runWhileUdpDies } from './udp-death.js';

interface Cell {
  program: string;
  text: string;
  found: string[];
}

type Rules = Readonly<Record<string, Rule>>;

/** Entries that had to be equal, and were. */
function equalEntries(off: Run, rules: Rules): number {
  const lanes = Object.keys(off.lanes).filter((lane) => rules[lane] === undefined);
  return lanes.reduce((sum, lane) => sum + off.lanes[lane].length, 0);
}

function cellOf(program: string, off: Run, on: Run[], rules: Rules): Cell {
  const found = on.flatMap((run) => differences(off, run, rules));
  return cellWith(program, off, found, rules);
}

function cellWith(program: string, off: Run, found: string[], rules: Rules): Cell {
  if (off.failure !== null) found.push(`failure: ${off.failure}`);
  const text = found.length > 0 ? `${found.length} differ` : `${equalEntries(off, rules)} equal`;
  return { program, text, found };
}

async function columnOf(network: Network): Promise<Cell[]> {
  const cells = Object.entries(PROGRAMS).map(async ([program, { rules = {} }]) => {
    const off = await network.run(program, 'json-ws');
    const on = await network.run(program, 'udp');
    return cellOf(program, off, [on], rules);
  });
  return Promise.all(cells);
}

async function columnOfDeaths(network: Network): Promise<Cell[]> {
  const cells = Object.entries(PROGRAMS).map(async ([program, entry]) => {
    if (entry.notWhenUdpDies !== undefined) return { program, text: 'not promised', found: [] };
    const off = await network.run(program, 'json-ws');
    const runs = DEATHS.map((datagrams) => runWhileUdpDies(network, program, datagrams));
    return cellOf(
      program,
      off,
      await Promise.all(runs),
      entry.rulesWhenUdpDies ?? entry.rules ?? {},
    );
  });
  return Promise.all(cells);
}

async function columnOfPages(loopback: Network): Promise<Cell[]> {
  const chromium = Network.with(await Pages.open());
  const cells: Cell[] = [];
  for (const [program, entry] of Object.entries(PROGRAMS)) {
    const four = await runInPages(loopback, chromium, program);
    const found = differencesInPages(four, entry);
    cells.push(cellWith(program, four.page.off, found, entry.rules ?? {}));
  }
  await chromium.end();
  return cells;
}

async function main(isUpdate: boolean): Promise<void> {
  if (SKIP !== false) throw new UsageError(SKIP);
  const columns = new Map<string, Cell[]>();
  const loopback = Network.loopback();
  columns.set('loopback', await columnOf(loopback));
  for (const impairment of IMPAIRMENTS) {
    const network = await Network.impaired(impairment);
    const { lossRatio, delayMs } = impairment;
    columns.set(`${lossRatio * 100} % lost, ${delayMs} ms each way`, await columnOf(network));
    await network.end();
  }
  columns.set('UDP dies', await columnOfDeaths(loopback));
  columns.set('Chromium', await columnOfPages(loopback));
  await loopback.end();

  const rows = Object.keys(PROGRAMS).map((program, row) => [
    `[${program}](programs/${program}.ts)`,
    ...[...columns.values()].map((cells) => cells[row].text),
  ]);
  const head = ['program', ...columns.keys()];
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  const table = `${lines.join('\n')}\n`;
  process.stdout.write(table);
  for (const [network, cells] of columns) {
    for (const { program, found } of cells) {
      for (const line of found) process.stderr.write(`${network}, ${program}: ${line}\n`);
      if (found.length > 0) process.exitCode = 1;
    }
  }
  if (isUpdate && process.exitCode !== 1) writeTable(WIRES, table);
}

async function mainOfLaunch(isUpdate: boolean): Promise<void> {
  const results = await runContractTests();
  const table = tableOf(results);
  process.stdout.write(table);
  for (const { name, failures } of results) {
    for (const line of failures) process.stderr.write(`${name}: ${line}\n`);
    if (failures.length > 0) process.exitCode = 1;
  }
  if (isUpdate && process.exitCode !== 1) writeTable(CONTRACT, table);
}

const { update, launch } = new Command('sdk-compat')
  .description('every program with the UDP option off and on, on every network')
  .option('--launch', 'the contract tests of the launch SDK instead', false)
  .option('--update', 'writes the table into README.md', false)
  .parse()
  .opts<{ update: boolean; launch: boolean }>();
try {
  await (launch ? mainOfLaunch(update) : main(update));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`sdk-compat: ${error.message}\n`);
  process.exit(2); // networks that are open already
}
