/** `npm run bench:native`: what the native data plane costs above the kernel. See bench/README.md. */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { endWithParent } from '../suite/ending.js';
import { killAll } from '../suite/line-process.js';
import { buildNative } from './build.js';
import { type Measured, type Report, reportOf } from './figures.js';
import { type FloodReport, measureFlood } from './flood.js';
import type { Sample } from './marks.js';
import { GROUPS, matrix, type Run } from './matrix.js';
import { Pair, type Pins } from './pair.js';
import { floodTableOf, tableOf } from './table.js';

interface Size {
  rounds: number;
  warmMs: number;
  measureMs: number;
  flows: readonly number[];
  flood: { warmMs: number; measureMs: number } | null;
}

const FULL = {
  rounds: 5,
  warmMs: 700,
  measureMs: 1_200,
  flows: [1_000, 10_000, 100_000],
  flood: { warmMs: 500, measureMs: 3_000 },
};
const QUICK: Size = {
  rounds: 3,
  warmMs: 200,
  measureMs: 400,
  flows: [1_000],
  flood: null,
};
/** Bad requests per second. */
const FLOOD_RATE = 100_000;
/** Datagrams per second and direction; more than one a second and flow, so keep-alives stay away. */
const RATE = 120_000;

interface Options {
  json?: string;
  quick?: true;
  only?: string;
  rate: number;
  rounds?: number;
  binary?: string;
}

const options = new Command()
  .name('npm run bench:native --')
  .option('--json <file>', 'write the figures there')
  .option('--quick', 'fewer rounds, fewer flows: under a minute')
  .addOption(new Option('--only <group>', 'one part').choices([...GROUPS, 'flood']))
  .option('--rate <datagrams>', 'per second, where numbers of flows are compared', whole, RATE)
  .option('--rounds <count>', 'interleaved rounds', whole)
  .option('--binary <file>', 'a native bench that is built already')
  .parse()
  .opts<Options>();

function whole(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('a whole number from 1');
}

function progress(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}

/** One processor for the server, another for the load; none where there is only one. */
function processors(): Pins {
  const count = availableParallelism();
  return count >= 2 ? { server: count - 1, load: 0 } : { server: null, load: null };
}

function buildBinary(): Promise<string> {
  progress('building (cargo, release; the first time takes a minute or two)');
  return buildNative();
}

async function measureAll(binary: string, runs: readonly Run[], size: Size): Promise<Measured[]> {
  const pairs: { pair: Pair; samples: Sample[] }[] = [];
  for (let round = 1; round <= size.rounds; round += 1) {
    for (const [index, run] of runs.entries()) {
      if (round === 1) {
        progress(`${run.name}: connecting`);
        pairs.push({ pair: await Pair.start(binary, run, processors()), samples: [] });
      }
      progress(`round ${round} of ${size.rounds}: ${run.name}`);
      const { pair, samples } = pairs[index];
      samples.push(await pair.measure(size.warmMs, size.measureMs));
    }
  }
  await Promise.all(pairs.map(({ pair }) => pair.stop()));
  return pairs.map(({ pair: { run, memory }, samples }) => ({ run, samples, memory }));
}

function sizeOf({ quick, only, rounds }: Options): Size {
  const size: Size = { ...(quick ? QUICK : FULL) };
  if (only === 'flood') size.flood ??= FULL.flood;
  if (rounds !== undefined) size.rounds = rounds;
  return size;
}

function show(report: Report, flood: FloodReport | null, size: Size): void {
  const [{ model }] = cpus();
  console.log(`${model}, ${availableParallelism()} processors, Linux ${release()}, loopback`);
  if (report.floors.length > 0) {
    console.log(
      `${size.rounds} interleaved rounds of ${size.measureMs} ms, medians; 100 B payload`,
    );
    console.log(tableOf(report));
  }
  if (flood === null) return;
  console.log(`${flood.flows} flows at ${flood.pacedHz} Hz, driver auto, while strangers send`);
  console.log(floodTableOf(flood));
}

async function main(): Promise<void> {
  if (process.platform !== 'linux') throw new Error('the native bench needs Linux');
  const size = sizeOf(options);
  const binary = options.binary ?? (await buildBinary());
  const isWanted = (part: string) => options.only === undefined || options.only === part;
  const runs = matrix({ rate: options.rate, flows: size.flows });
  const wanted = runs.filter(({ group }) => isWanted(group));
  const report = reportOf(await measureAll(binary, wanted, size));
  const flood =
    size.flood !== null && isWanted('flood')
      ? await measureFlood(binary, processors(), { rate: FLOOD_RATE, ...size.flood }, progress)
      : null;
  show(report, flood, size);
  if (options.json === undefined) return;
  const figures = flood === null ? report : { ...report, flood };
  writeFileSync(options.json, `${JSON.stringify(figures, null, 2)}\n`);
}

endWithParent();
main()
  .catch((error: Error) => {
    process.stderr.write(`bench: ${error.message}\n`);
    process.exitCode = 1;
  })
  .finally(killAll);
