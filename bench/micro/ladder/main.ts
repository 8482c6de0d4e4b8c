/**
 * npm run bench:ladder [-- --quick] [--rounds N] [--per-packet 1,8] [--json FILE] [--binary FILE]
 *
 * One workload, echo of 100 B messages by 100 flows in a closed loop, climbed layer by layer: CPU per
 * message at each rung, and what the rung adds. bench/README.md says how the rungs are measured.
 */
import { writeFileSync } from 'node:fs';
import Table from 'cli-table3';
import { Command } from 'commander';
import { endWithParent } from '../../suite/ending.js';
import { describeMachine } from '../../suite/machine.js';
import { buildNative, placeHere } from '../../suite/suite.js';
import { climbLadder, type LadderSize } from './climbing.js';
import type { Ladder } from './rungs.js';

const FULL: LadderSize = {
  rounds: 5,
  warmMs: 200,
  measureMs: 1_000,
  settleMs: 10_000,
  turns: 1_000,
  warmTurns: 4_000,
};
const QUICK: LadderSize = {
  rounds: 3,
  warmMs: 100,
  measureMs: 300,
  settleMs: 10_000,
  turns: 300,
  warmTurns: 1_500,
};

interface Options {
  quick?: boolean;
  rounds?: string;
  perPacket: string;
  json?: string;
  binary?: string;
}

function tableOf({ messagesPerPacket, messageBytes, flows, steps }: Ladder): string {
  const table = new Table({
    head: ['rung', 'ns per message', 'adds', 'rounds', 'what it adds'],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'right', 'right', 'left'],
  });
  for (const { rung, what, cpuNs, stepNs, rounds } of steps) {
    const ends = `${Math.min(...rounds).toFixed(0)}–${Math.max(...rounds).toFixed(0)}`;
    table.push([rung, cpuNs.toFixed(0), stepNs.toFixed(0), ends, what]);
  }
  const head = `${messagesPerPacket} × ${messageBytes} B per packet, ${flows} flows, closed loop`;
  return `${head}\n${table.toString()}`;
}

async function main(): Promise<void> {
  const command = new Command('bench:ladder')
    .description('CPU per echoed message, layer by layer')
    .option('--quick', 'fewer and shorter rounds')
    .option('--rounds <n>', 'interleaved rounds; medians count')
    .option('--per-packet <list>', 'messages of a packet', '1,8')
    .option('--json <file>', 'write the figures to a file too')
    .option('--binary <file>', 'a native bench that is built already');
  const options = command.parse().opts<Options>();
  const size = { ...(options.quick ? QUICK : FULL) };
  if (options.rounds !== undefined) size.rounds = Number(options.rounds);
  const place = placeHere(options.binary ?? (await buildNative()));
  const ladders: Ladder[] = [];
  for (const messagesPerPacket of options.perPacket.split(',').map(Number)) {
    const progress = (doing: string) => process.stderr.write(`ladder: ${doing}\n`);
    ladders.push(await climbLadder(messagesPerPacket, size, place, progress));
  }
  for (const ladder of ladders) console.log(tableOf(ladder));
  if (options.json === undefined) return;
  const results = { machine: describeMachine(place.pins), date: new Date().toISOString(), ladders };
  writeFileSync(options.json, `${JSON.stringify(results, null, 1)}\n`);
}

endWithParent();
main().then(
  () => process.exit(),
  (error: Error) => {
    process.stderr.write(`ladder: ${error.message}\n`);
    process.exit(1);
  },
);
