/** Tables in Markdown: for the README, and for the summary of a job. */

export interface Column {
  title: string;
  isNumber?: boolean;
}

/** A line each; what a cell says cannot end it, nor be HTML. */
export function markdownTable(
  columns: readonly (Column | string)[],
  rows: readonly (readonly string[])[],
): string[] {
  const heads = columns.map((column) => (typeof column === 'string' ? column : column.title));
  const rule = columns.map((column) =>
    typeof column !== 'string' && column.isNumber === true ? '---:' : '---',
  );
  return [line(heads.map(markdownText)), `|${rule.join('|')}|`].concat(
    rows.map((cells) => line(cells.map(markdownText))),
  );
}

/** Text of one line that means itself. */
export function markdownText(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_[\]|]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;');
}

/** Code of one line, between as many backticks as it takes. */
export function markdownCode(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const space = longest > 0 ? ' ' : '';
  return `${fence}${space}${text.replace(/\s+/g, ' ')}${space}${fence}`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
