/** The tables of README.md that programs write: each stands between its two comments. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const README = fileURLToPath(new URL('../../sdk-compat/README.md', import.meta.url));

export interface Place {
  begin: string;
  end: string;
}

export const WIRES: Place = {
  begin: '<!-- npm run sdk-compat -- --update -->\n',
  end: '<!-- end of the table -->',
};

export const CONTRACT: Place = {
  begin: '<!-- npm run sdk-compat -- --launch --update -->\n',
  end: '<!-- end of the contract tests -->',
};

export function writeTable({ begin, end }: Place, table: string): void {
  const text = readFileSync(README, 'utf8');
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf(end);
  if (from < begin.length || to < from) throw new Error(`README.md has no place for ${begin}`);
  writeFileSync(README, text.slice(0, from) + table + text.slice(to));
}
