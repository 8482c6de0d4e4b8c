// `npm run bench:native`: what the native data plane costs above the kernel. See bench/README.md.
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { buildBench } from './build.mjs';
import { reportOf } from './figures.mjs';
import { measureFlood } from './flood.mjs';
import { GROUPS, matrix } from './matrix.mjs';
import { Pair } from './pair.mjs';
import { floodTableOf, tableOf } from './table.mjs';

const FULL = {
  rounds: 5,
  warmMs: 700,
  measureMs: 1_200,
  flows: [1_000, 10_000, 100_000],
  flood: { warmMs: 500, measureMs: 3_000 },
};
const QUICK = {
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

const options = new Command()
  .name('npm run bench:native --')
  .option('--json <file>', 'write the figures there')
  .option('--quick', 'fewer rounds, fewer flows: under a minute')
  .addOption(new Option('--only <group>', 'one part').choices([...GROUPS, 'flood']))
  .option('--rate <datagrams>', 'per second, where numbers of flows are compared', whole, RATE)
  .option('--rounds <count>', 'interleaved rounds', whole)
  .parse()
  .opts();

function whole(text) {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('a whole number from 1');
}

function progress(line) {
  process.stderr.write(`bench: ${line}\n`);
}

/** One processor for the server, another for the load; none where there is only one. */
function processors() {
  const count = availableParallelism();
  return count >= 2 ? { server: count - 1, load: 0 } : { server: null, load: null };
}

async function measureAll(pairs, size) {
  const entries = pairs.map((pair) => ({ pair, run: pair.run, samples: [], memory: null }));
  for (let round = 1; round <= size.rounds; round += 1) {
    for (const entry of entries) {
      if (round === 1) {
        progress(`${entry.run.name}: connecting`);
        await entry.pair.start();
        entry.memory = entry.pair.memory;
      }
      progress(`round ${round} of ${size.rounds}: ${entry.run.name}`);
      entry.samples.push(await entry.pair.measure(size.warmMs, size.measureMs));
    }
  }
  return entries;
}

async function main() {
  if (process.platform !== 'linux') throw new Error('the native bench needs Linux');
  const size = { ...(options.quick ? QUICK : FULL) };
  if (options.only === 'flood') size.flood ??= FULL.flood;
  if (options.rounds !== undefined) size.rounds = options.rounds;
  progress('building (cargo, release; the first time takes a minute or two)');
  const binary = await buildBench();
  const wanted = matrix({ rate: options.rate, flows: size.flows }).filter(
    ({ group }) => options.only === undefined || group === options.only,
  );
  const pairs = wanted.map((run) => new Pair(binary, run, processors()));
  process.on('exit', () => {
    for (const pair of pairs) pair.kill();
  });
  const report = reportOf(await measureAll(pairs, size));
  for (const pair of pairs) await pair.stop();
  const floods = size.flood !== null && ['flood', undefined].includes(options.only);
  if (floods) {
    const flood = { rate: FLOOD_RATE, ...size.flood };
    report.flood = await measureFlood(binary, processors(), flood, progress);
  }
  const [{ model }] = cpus();
  console.log(`${model}, ${availableParallelism()} processors, Linux ${release()}, loopback`);
  if (report.floors.length > 0) {
    console.log(
      `${size.rounds} interleaved rounds of ${size.measureMs} ms, medians; 100 B payload`,
    );
    console.log(tableOf(report));
  }
  if (report.flood !== undefined) {
    const { flows, pacedHz } = report.flood;
    console.log(`${flows} flows at ${pacedHz} Hz, driver auto, while strangers send`);
    console.log(floodTableOf(report.flood));
  }
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  }
}

process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));
main().catch((error) => {
  process.stderr.write(`bench: ${error.message}\n`);
  process.exit(1);
});
