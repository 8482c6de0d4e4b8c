/**
 * npm run bench:micro [-- --only codec --only ring] [--quick] [--json FILE]
 *
 * Single operations in a tight loop: time with its margin of error, bytes allocated. What is warm here is
 * cold in a server: `bench:core` and `bench:ladder` say what things cost there.
 */
import { writeFileSync } from 'node:fs';
import Table from 'cli-table3';
import { Command } from 'commander';
import { describeMachine } from '../../suite/machine.js';
import { channelOperations } from './channel.js';
import { codecOperations } from './codecs.js';
import { type MeasureSize, measure, type OperationFigures } from './measure.js';
import type { Operation } from './operation.js';
import { ringOperations } from './ring.js';
import { wireOperations } from './wire.js';

export const FULL: MeasureSize = { seconds: 1, minSamples: 30, iterations: 100_000 };
export const QUICK: MeasureSize = { seconds: 0.15, minSamples: 5, iterations: 50_000 };

interface Options {
  only: string[];
  quick?: boolean;
  json?: string;
}

export function allOperations(): Operation[] {
  return [...codecOperations(), ...wireOperations(), ...channelOperations(), ...ringOperations()];
}

/** By group, or by what their names begin with; none: all. */
export function choose(operations: readonly Operation[], only: readonly string[]): Operation[] {
  return operations.filter(({ group, name }) => {
    return only.length === 0 || only.some((word) => group === word || name.startsWith(word));
  });
}

export function tableOf(figures: readonly OperationFigures[]): string {
  const table = new Table({
    head: ['group', 'operation', 'ns', '± %', 'bytes', 'allocated B', 'sink'],
    style: { head: [], border: [] },
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'right'],
  });
  for (const { group, name, ns, rmePercent, bytes, allocatedBytes, sink } of figures) {
    const time = ns.toFixed(ns < 100 ? 1 : 0);
    table.push([group, name, time, rmePercent.toFixed(1), bytes ?? '', allocatedBytes, sink.value]);
  }
  return table.toString();
}

export function main(args: readonly string[]): void {
  const command = new Command('bench:micro')
    .description('Single operations: time, and bytes allocated')
    .option('--only <word>', 'of this group, or whose names begin so; may be repeated', collect, [])
    .option('--quick', 'shorter')
    .option('--json <file>', 'write the figures to a file too');
  const options = command.parse([...args], { from: 'user' }).opts<Options>();
  const chosen = choose(allOperations(), options.only);
  if (chosen.length === 0) command.error(`nothing is called ${options.only.join(' or ')}`);
  const figures = chosen.map((operation) => {
    process.stderr.write(`micro: ${operation.group}: ${operation.name}\n`);
    return measure(operation, options.quick ? QUICK : FULL);
  });
  console.log(tableOf(figures));
  if (options.json === undefined) return;
  const machine = describeMachine(null);
  const results = {
    machine,
    node: process.version,
    date: new Date().toISOString(),
    operations: figures,
  };
  writeFileSync(options.json, `${JSON.stringify(results, null, 1)}\n`);
}

function collect(word: string, words: string[]): string[] {
  return [...words, word];
}
