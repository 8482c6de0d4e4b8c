/** The scenario table, measured. */
import Table from 'cli-table3';
import { pendingScenarios, play, scenarios } from '../../src/sim/scenarios/index.js';
import { UsageError } from './options.js';

export function showScenarios(ids: readonly string[], write: (text: string) => void): boolean {
  const all = [...scenarios, ...pendingScenarios];
  const unknown = ids.find((id) => !all.some((scenario) => scenario.id === id));
  if (unknown !== undefined) throw new UsageError(`no scenario is called ${unknown}`);
  const wanted = (id: string): boolean => ids.length === 0 || ids.includes(id);
  const table = new Table({
    head: ['', 'scenario', 'passes when', 'measured', ''],
    colWidths: [10, 44, 36, 44, 9],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  let isGood = true;
  for (const scenario of scenarios) {
    if (!wanted(scenario.id)) continue;
    const { passed, measured } = play(scenario);
    isGood &&= passed;
    const { id, title, conditions, criterion } = scenario;
    const what = `${title}: ${conditions}`;
    table.push([id, what, criterion, lines(measured), passed ? 'pass' : 'FAIL']);
  }
  for (const { id, title, reason, run } of pendingScenarios) {
    if (!wanted(id)) continue;
    const measured = run === undefined ? '' : lines(play({ run }).measured);
    table.push([id, title, `pending: ${reason}`, measured, 'pending']);
  }
  write(`${table.toString()}\n`);
  return isGood;
}

function lines(measured: Record<string, string>): string {
  return Object.entries(measured)
    .map(([name, value]) => `${name} ${value}`)
    .join('\n');
}
