/** The scenario table, measured. */
import { readFileSync, writeFileSync } from 'node:fs';
import Table from 'cli-table3';
import {
  type PendingScenario,
  pendingScenarios,
  play,
  type Scenario,
  scenarios,
} from '../../src/sim/scenarios/index.js';
import { UsageError } from '../command-line.js';
import type { OtherSeedsOptions, ScenarioOptions } from './options.js';

/** From here in the compiled tree to the page that shows the table. */
export const TESTING_PAGE = new URL('../../../docs/TESTING.md', import.meta.url);
const TABLE_BEGIN = '<!-- npm run sim -- --scenarios --update -->';
const TABLE_END = '<!-- end of the table -->';

type Row = [id: string, what: string, criterion: string, measured: string, result: string];

const HEAD: Row = ['', 'scenario', 'passes when', 'measured', ''];

/** True when all that can be promised held. */
export function showScenarios(options: ScenarioOptions, write: (text: string) => void): boolean {
  const { ids, markdown, update } = options;
  const isForPage = markdown || update;
  const between = isForPage ? '; ' : '\n';
  const rows: Row[] = [];
  let isGood = true;
  for (const scenario of wantedOf(scenarios, ids)) {
    const { passed, measured } = play(scenario);
    isGood &&= passed;
    const { id, title, conditions, criterion } = scenario;
    const seen = together(measured, between);
    rows.push([id, `${title}: ${conditions}`, criterion, seen, passed ? 'pass' : 'FAIL']);
  }
  for (const { id, title, reason, run } of wantedOf(pendingScenarios, ids)) {
    const seen = run === undefined ? '' : together(play({ run }).measured, between);
    rows.push([id, title, `pending: ${reason}`, seen, 'pending']);
  }
  if (update) writeFileSync(TESTING_PAGE, withTable(readFileSync(TESTING_PAGE, 'utf8'), rows));
  else write(markdown ? asMarkdown(rows) : asTable(rows));
  return isGood;
}

/** Whether the criteria hold on other seeds too; true when all do. */
export function tryOtherSeeds(options: OtherSeedsOptions, write: (text: string) => void): boolean {
  const { ids, count } = options;
  let isGood = true;
  for (const { id, run } of wantedOf<Tried>([...scenarios, ...pendingScenarios], ids)) {
    if (run === undefined) continue;
    let held = 0;
    const failures: string[] = [];
    for (let index = 1; index <= count; index++) {
      const seedShift = 1000 * index;
      const { passed, measured } = play({ run }, { seedShift });
      if (passed) held += 1;
      else failures.push(`  seeds + ${seedShift}: ${together(measured, '; ')}\n`);
    }
    const isPromised = scenarios.some((scenario) => scenario.id === id);
    if (held < count && isPromised) isGood = false;
    write(`${id}${isPromised ? '' : ' (pending)'}: held ${held} of ${count}\n`);
    for (const line of failures) write(line);
  }
  return isGood;
}

type Tried = Pick<Scenario, 'id'> & Pick<PendingScenario, 'run'>;

/** @throws UsageError for an id that nobody has */
function wantedOf<T extends { id: string }>(all: readonly T[], ids: readonly string[]): T[] {
  const known = new Set([...scenarios, ...pendingScenarios].map(({ id }) => id));
  const unknown = ids.find((id) => !known.has(id));
  if (unknown !== undefined) throw new UsageError(`no scenario is called ${unknown}`);
  return all.filter(({ id }) => ids.length === 0 || ids.includes(id));
}

/** The ids of the table in the page, in order. */
export function idsInPage(page: string): string[] {
  const [, rest = ''] = page.split(TABLE_BEGIN);
  const [table] = rest.split(TABLE_END);
  return [...table.matchAll(/^\| (T[^ ]+) \|/gm)].map(([, id]) => id);
}

function withTable(page: string, rows: readonly Row[]): string {
  const begin = page.indexOf(TABLE_BEGIN);
  const end = page.indexOf(TABLE_END);
  if (begin < 0 || end < begin) throw new RangeError('docs/TESTING.md has no place for the table');
  const before = page.slice(0, begin + TABLE_BEGIN.length);
  return `${before}\n${asMarkdown(rows)}${page.slice(end)}`;
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
