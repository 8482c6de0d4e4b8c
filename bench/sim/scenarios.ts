/** The scenario table, measured. */
import Table from 'cli-table3';
import { pendingScenarios, play, scenarios } from '../../src/sim/scenarios/index.js';
import { type ScenarioOptions, UsageError } from './options.js';

type Row = [id: string, what: string, criterion: string, measured: string, result: string];

const HEAD: Row = ['', 'scenario', 'passes when', 'measured', ''];

/** True when all that can be promised held. */
export function showScenarios(options: ScenarioOptions, write: (text: string) => void): boolean {
  const { ids, markdown } = options;
  const all = [...scenarios, ...pendingScenarios];
  const unknown = ids.find((id) => !all.some((scenario) => scenario.id === id));
  if (unknown !== undefined) throw new UsageError(`no scenario is called ${unknown}`);
  const wanted = (id: string): boolean => ids.length === 0 || ids.includes(id);
  const between = markdown ? '; ' : '\n';
  const rows: Row[] = [];
  let isGood = true;
  for (const scenario of scenarios) {
    if (!wanted(scenario.id)) continue;
    const { passed, measured } = play(scenario);
    isGood &&= passed;
    const { id, title, conditions, criterion } = scenario;
    const seen = together(measured, between);
    rows.push([id, `${title}: ${conditions}`, criterion, seen, passed ? 'pass' : 'FAIL']);
  }
  for (const { id, title, reason, run } of pendingScenarios) {
    if (!wanted(id)) continue;
    const seen = run === undefined ? '' : together(play({ run }).measured, between);
    rows.push([id, title, `pending: ${reason}`, seen, 'pending']);
  }
  write(markdown ? asMarkdown(rows) : asTable(rows));
  return isGood;
}

function together(measured: Record<string, string>, between: string): string {
  return Object.entries(measured)
    .map(([name, value]) => `${name} ${value}`)
    .join(between);
}

function asTable(rows: readonly Row[]): string {
  const table = new Table({
    head: HEAD,
    colWidths: [10, 44, 36, 44, 9],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  table.push(...rows);
  return `${table.toString()}\n`;
}

function asMarkdown(rows: readonly Row[]): string {
  const lines = [HEAD, HEAD.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
  return `${lines.join('\n')}\n`;
}
