/** What doctor found, and how it is shown. */
export type Status = 'ok' | 'warning' | 'failure';

export interface Check {
  name: string;
  status: Status;
  /** What is there. */
  detail: string;
  /** What to do about it, a line each; empty when it is well. */
  advice: string[];
}

export interface Report {
  version: string;
  node: string;
  platform: string;
  kernel: string;
  cpus: number;
  /** `ok`: nothing; `warning`: it works, and could work better; `failure`: something does not. */
  status: Status;
  checks: Check[];
}

const WORDS: Record<Status, string> = { ok: 'ok', warning: 'look', failure: 'FAIL' };
const WORD_WIDTH = 6;

export function worstOf(checks: readonly Check[]): Status {
  if (checks.some(({ status }) => status === 'failure')) return 'failure';
  return checks.some(({ status }) => status === 'warning') ? 'warning' : 'ok';
}

export function reportText(report: Report): string {
  const { version, node, platform, kernel, cpus, checks } = report;
  const width = Math.max(...checks.map(({ name }) => name.length)) + 2;
  const indent = ' '.repeat(2 + WORD_WIDTH);
  const lines = [
    `@ggscale/transport ${version}, Node ${node}, ${platform}, kernel ${kernel}, ${cpus} CPUs`,
    '',
  ];
  for (const { name, status, detail, advice } of checks) {
    lines.push(`  ${WORDS[status].padEnd(WORD_WIDTH)}${name.padEnd(width)}${detail}`);
    for (const line of advice) lines.push(`${indent}${' '.repeat(width)}→ ${line}`);
  }
  lines.push('', conclusion(checks), '');
  return lines.join('\n');
}

function conclusion(checks: readonly Check[]): string {
  const of = (wanted: Status) => checks.filter(({ status }) => status === wanted);
  const failures = of('failure').map(({ name }) => name);
  if (failures.length > 0) return `Does not work: ${failures.join(', ')}.`;
  const warnings = of('warning').length;
  if (warnings === 0) return 'Everything is well.';
  return `It works; ${warnings === 1 ? 'one thing' : `${warnings} things`} could be better.`;
}
