/** HTML in template strings: whatever is put into one is escaped, unless it is HTML itself. */

/** Made by `html` and `trusted` only. */
export class Html {
  constructor(readonly text: string) {}
  toString(): string {
    return this.text;
  }
}

type Part = Html | string | number | null | undefined | false | readonly Part[];

/** Null, undefined and false are nothing; lists stand one after the other. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  const pieces = strings.map(
    (text, index) => text + (index < parts.length ? show(parts[index]) : ''),
  );
  return new Html(pieces.join(''));
}

/** Text of this program's own, or of what has escaped it: style sheets, drawn charts. */
export function trusted(text: string): Html {
  return new Html(text);
}

/** Safe between tags and between quotes. */
export function escaped(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function show(part: Part): string {
  if (part instanceof Html) return part.text;
  if (part === null || part === undefined || part === false) return '';
  if (typeof part === 'string' || typeof part === 'number') return escaped(`${part}`);
  return part.map(show).join('');
}
