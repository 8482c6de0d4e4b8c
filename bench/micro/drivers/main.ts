/**
 * What each driver costs and how long it lets a packet wait: an echo server on one core, open-loop
 * load on another, 100 B payloads, netcode's encryption, no protocol above it.
 *
 *   npm run bench:drivers -- [--rates 1000,60000] [--seconds 2] [--rounds 3] [--flows 100]
 *                            [--drivers immediate,auto] [--quick]
 *
 * `--quick` is the comparison of ADR 0009, without I/O threads, in about 70 s.
 *
 * Drivers take turns within a round, so that what else the machine does meets them alike; the table
 * has medians. `µs CPU` is the server process's, per packet received and sent.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { program } from 'commander';
import type { Driver } from '../../../src/addon/index.js';
import type {
  EchoReading,
  EchoReady,
  EchoSetup,
  LoadOrder,
  LoadReading,
  LoadSetup,
} from './messages.js';

interface Row {
  cpuUs: number;
  turnsPerS: number;
  p50: number;
  p99: number;
  lost: number;
}

const SERVER_CORE = 0;
const LOAD_CORE = 1;
const DRIVERS: Record<string, EchoSetup> = {
  immediate: setupOf('immediate', 0),
  'every 250 µs': setupOf('tick', 250),
  'every 500 µs': setupOf('tick', 500),
  'every 1000 µs': setupOf('tick', 1000),
  auto: setupOf('auto', 0),
  'thread immediate': setupOf('immediate', 0, 1),
  'thread auto': setupOf('auto', 0, 1),
};

/** What `--quick` says in place of the defaults. */
const QUICK: Record<string, string> = {
  rates: '1000,4000,8000,16000,32000,60000',
  seconds: '0.5',
  drivers: 'immediate,every 250 µs,every 500 µs,every 1000 µs,auto',
};

function setupOf(driver: Driver, tickIntervalUs: number, threads = 0): EchoSetup {
  return { driver, tickIntervalUs, threads };
}

function start(file: string, core: number, argument: string): ChildProcess {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const node = [process.execPath, path, argument];
  return spawn('taskset', ['-c', String(core), ...node], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

async function ask<T>(child: ChildProcess, message: object): Promise<T> {
  child.send(message);
  const [answer] = await once(child, 'message');
  return answer as T;
}

async function measure(setup: EchoSetup, flows: number, orders: LoadOrder[]): Promise<Row[]> {
  const server = start('echo.js', SERVER_CORE, JSON.stringify(setup));
  const load = start('load.js', LOAD_CORE, '');
  try {
    const [ready] = (await once(server, 'message')) as [EchoReady];
    const loadSetup: LoadSetup = { ...ready, flows };
    await ask(load, loadSetup);
    await ask<LoadReading>(load, { ratePerS: 20_000, seconds: 0.5 });
    const rows: Row[] = [];
    for (const order of orders) {
      const before = await ask<EchoReading>(server, {});
      const reading = await ask<LoadReading>(load, order);
      const after = await ask<EchoReading>(server, {});
      rows.push({
        cpuUs: (after.cpuUs - before.cpuUs) / (after.datagrams - before.datagrams),
        turnsPerS: (after.turns - before.turns) / order.seconds,
        p50: reading.p50,
        p99: reading.p99,
        lost: (reading.sent - reading.answered) / reading.sent,
      });
    }
    return rows;
  } finally {
    server.disconnect();
    load.disconnect();
  }
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

async function main(): Promise<void> {
  program
    .option('--rates <list>', 'packets per second', '100,1000,4000,8000,16000,32000,60000')
    .option('--seconds <n>', 'of each rate', '2')
    .option('--rounds <n>', 'medians of so many', '3')
    .option('--flows <n>', 'players', '100')
    .option('--drivers <list>', 'names as in the table', Object.keys(DRIVERS).join())
    .option('--quick', 'the comparison of ADR 0009 in about 70 s')
    .parse();
  if (program.opts().quick === true) {
    for (const [name, value] of Object.entries(QUICK)) {
      if (program.getOptionValueSource(name) === 'default') program.setOptionValue(name, value);
    }
  }
  const given =
    program.opts<Record<'rates' | 'seconds' | 'rounds' | 'flows' | 'drivers', string>>();
  const drivers = given.drivers.split(',').filter((name) => name in DRIVERS);
  const rates = given.rates.split(',').map(Number);
  const orders = rates.map((ratePerS) => ({ ratePerS, seconds: Number(given.seconds) }));
  const rounds: Record<string, Row[][]> = {};
  for (let round = 0; round < Number(given.rounds); round++) {
    for (const name of drivers) {
      rounds[name] ??= [];
      rounds[name].push(await measure(DRIVERS[name], Number(given.flows), orders));
    }
  }
  const table = new Table({
    head: ['packets/s', 'driver', 'µs CPU', 'turns/s', 'RTT p50 µs', 'p99 µs', 'lost'],
  });
  for (const [index, ratePerS] of rates.entries()) {
    for (const [name, runs] of Object.entries(rounds)) {
      const of = (key: keyof Row) => median(runs.map((rows) => rows[index][key]));
      table.push([
        ratePerS,
        name,
        of('cpuUs').toFixed(2),
        Math.round(of('turnsPerS')),
        of('p50'),
        of('p99'),
        `${(of('lost') * 100).toFixed(2)} %`,
      ]);
    }
  }
  console.log(table.toString());
}

await main();
