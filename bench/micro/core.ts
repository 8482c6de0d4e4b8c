/**
 * npm run bench:core [-- --flows N] [--bytes N] [--rounds N] [--json FILE]
 *
 * What one packet costs in the RL1 core, by path (core-paths.ts): CPU time, the median of the
 * rounds, and bytes allocated on the JavaScript heap in the steady state.
 */
import { writeFileSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';
import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';
import { CorePaths, PATHS, type PathName } from './core-paths.js';
import { calibrated, type Meter, readCpu } from './cpu-clock.js';

interface Options {
  flows: number;
  bytes: number;
  rounds: number;
  packets: number;
  json?: string;
}

export interface PathFigures {
  name: PathName;
  nsPerPacket: number;
  bytesAllocatedPerPacket: number;
}

const HEAP_FLOWS_MIN = 4096;

/** Runs every path for about `packets` packets, warm; answers its CorePaths. */
function run(options: Options, meter: Meter): CorePaths {
  const { flows, bytes, packets } = options;
  const paths = new CorePaths(flows, bytes, meter);
  const steps = Math.max(1, Math.ceil(packets / flows));
  // Before it counts: the pools grow to what the paths need.
  runPaths(paths, flows, 4);
  paths.reset();
  runPaths(paths, flows, steps);
  return paths;
}

function runPaths(paths: CorePaths, flows: number, steps: number): void {
  const half = Math.ceil(steps / 2);
  const quarter = Math.ceil(steps / 4);
  paths.echo(half);
  paths.check(2 * half * flows);
  paths.acknowledge(quarter);
  paths.check(10 * quarter * flows);
  paths.lose(quarter);
  paths.check(4 * quarter * flows);
}

/**
 * Bytes allocated so far, without what the readings allocate themselves. A collection between two
 * readings hides what was allocated between them, never more.
 */
function heapMeter(): Meter {
  let last = getHeapStatistics().used_heap_size;
  let own = 0;
  let sum = 0;
  const grown: number[] = new Array(1001).fill(0);
  const meter = () => {
    const now = getHeapStatistics().used_heap_size;
    const bytes = now - last - own;
    last = now;
    if (bytes > 0) sum += bytes;
    return sum;
  };
  for (let index = 0; index < grown.length; index += 1) {
    const before = last;
    meter();
    grown[index] = last - before;
  }
  own = median(grown);
  sum = 0;
  return meter;
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[values.length >> 1] ?? 0;
}

function measure(options: Options): PathFigures[] {
  const clock = calibrated(readCpu);
  run(options, clock); // the engine makes up its mind
  const times: Record<PathName, number[]> = { receive: [], send: [], ack: [], resend: [] };
  for (let round = 0; round < options.rounds; round += 1) {
    const { totals, packets } = run(options, clock);
    for (const name of PATHS) times[name].push(totals[name] / packets[name]);
  }
  // Many flows a step, so that what the readings themselves allocate is little for each packet.
  const wide = { ...options, flows: Math.max(options.flows, HEAP_FLOWS_MIN) };
  run(wide, heapMeter()); // compilation allocates too
  const { totals, packets } = run(wide, heapMeter());
  return PATHS.map((name) => ({
    name,
    nsPerPacket: Math.round(median(times[name])),
    // The meter is good for a tenth of a byte.
    bytesAllocatedPerPacket: Math.max(0, Math.round((totals[name] / packets[name]) * 10) / 10),
  }));
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('a positive integer');
  return value;
}

function main(): void {
  const command = new Command('bench:core')
    .description('what one packet costs in the RL1 core, by path')
    .option('--flows <n>', 'flows, each with one packet a step', positive, 256)
    .option('--bytes <n>', 'bytes of a message', positive, 100)
    .option('--rounds <n>', 'rounds; the median counts', positive, 7)
    .option('--packets <n>', 'packets of each path and round, about', positive, 400_000)
    .option('--json <file>', 'write the figures to a file too');
  const options = command.parse().opts<Options>();
  const paths = measure(options);
  const table = new Table({
    head: ['path', 'ns per packet', 'bytes allocated per packet'],
    style: { head: [], border: [] },
  });
  for (const { name, nsPerPacket, bytesAllocatedPerPacket } of paths) {
    table.push([name, nsPerPacket, bytesAllocatedPerPacket]);
  }
  console.log(table.toString());
  const { flows, bytes, rounds } = options;
  console.log(`${flows} flows, ${bytes} B reliable ordered, median of ${rounds}`);
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify({ paths }, null, 2)}\n`);
  }
}

main();
