/** A run as text. */
import Table from 'cli-table3';
import type { ChurnResult } from './churn.js';
import type { LoadFigures, ServerMemory } from './messages.js';

const MIB = 2 ** 20;

export function reportOf(result: ChurnResult): string {
  const parts = [summary(result), memory(result), counts(result)];
  for (const [index, load] of result.loads.entries())
    parts.push(loadText(result.wires[index], load));
  const { findings } = result;
  parts.push(
    findings.length === 0 ? 'nothing is left' : findings.map((it) => `LEFT ${it}`).join('\n'),
  );
  return `${parts.join('\n\n')}\n`;
}

function summary(result: ChurnResult): string {
  const { offeredPerS, achievedPerS, elapsedS, connects, cpuUsPerConnect, loopDelayMs } = result;
  const { p50, p99, max } = loopDelayMs;
  return [
    `${result.wires.join(' and ')}: ${offeredPerS} connects/s offered, ${achievedPerS.toFixed(0)} links/s opened`,
    `  over ${elapsedS.toFixed(1)} s (${connects} links); ${cpuUsPerConnect.toFixed(0)} µs of the server's CPU each`,
    `  event loop late by p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, max ${max.toFixed(1)} ms (worst twelfth)`,
  ].join('\n');
}

function memory({ fresh, middle, final, growth }: ChurnResult): string {
  const table = new Table({
    head: [
      'MiB',
      'fresh',
      'last under load',
      'after',
      'first third',
      'last third',
      'B/connect',
      'noise',
    ],
    style: { head: [], border: [] },
  });
  for (const key of Object.keys(fresh.memory) as (keyof ServerMemory)[]) {
    const at = [fresh, middle, final].map((sample) => (sample.memory[key] / MIB).toFixed(2));
    const grown = growth?.[key];
    table.push([
      key,
      ...at,
      ...(grown === undefined
        ? ['', '', '', '']
        : [
            (grown.first / MIB).toFixed(2),
            (grown.last / MIB).toFixed(2),
            grown.perConnect.toFixed(1),
            grown.noise.toFixed(1),
          ]),
    ]);
  }
  return table.toString();
}

function counts({ fresh, middle, final }: ChurnResult): string {
  const table = new Table({
    head: ['count', 'fresh', 'last under load', 'after'],
    style: { head: [], border: [] },
  });
  const rows = [fresh, middle, final].map(({ state }): Record<string, number> => {
    const { handles, objects, ...plain } = state;
    const rename = (prefix: string, counts: Record<string, number>) =>
      Object.fromEntries(Object.entries(counts).map(([name, count]) => [prefix + name, count]));
    return { ...plain, ...rename('handle ', handles), ...rename('class ', objects) };
  });
  const names = new Set(rows.flatMap((row) => Object.keys(row)));
  for (const name of names) table.push([name, ...rows.map((row) => row[name] ?? '–')]);
  return table.toString();
}

function loadText(wire: string, load: LoadFigures): string {
  const { attempts, opened, halfway, shed, done, failures, openMs } = load;
  return [
    `load ${wire}: ${attempts} attempts, ${opened} opened, ${halfway} left halfway, ${shed} shed`,
    `  ${JSON.stringify(done)}, failures ${JSON.stringify(failures)}`,
    `  ticket to $hello p50 ${openMs.p50.toFixed(1)}, p99 ${openMs.p99.toFixed(1)}, max ${openMs.max.toFixed(1)} ms`,
  ].join('\n');
}
