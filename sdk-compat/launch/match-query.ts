/**
 * The language in which a ticket says which others it takes. `OR` binds less than `AND`, `AND` less than
 * `NOT`; there are brackets, and `*` takes everybody. `key:text` holds for a string property (a word or
 * "in quotes"), `key=1`, `!=`, `>`, `>=`, `<`, `<=` for a numeric one; neither holds where there is none.
 */

export interface Properties {
  strings: Readonly<Record<string, string>>;
  numbers: Readonly<Record<string, number>>;
}

/** Whether a ticket with these properties is taken. */
export type Query = (properties: Properties) => boolean;

const BYTES_MAX = 512;
const KEY = /^[a-z0-9_]{1,64}$/;
/** As the server's language reads numbers. */
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$|^[+-]?(?:inf(?:inity)?|nan)$/i;
/** Words of the language are no texts, but for those in quotes. */
const TEXT = /^(?!(?:and|or|not)$)["\w.-]/i;
const TOKEN = /[()*:]|"[^"]*"|[=<>]=?|!=|[A-Za-z0-9_.-]+/y;

const COMPARE: Record<string, (a: number, b: number) => boolean> = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
};

/** @throws Error what is wrong with it */
export function parseQuery(text: string): Query {
  if (Buffer.byteLength(text) > BYTES_MAX) throw new Error(`query: more than ${BYTES_MAX} bytes`);
  const tokens = tokensOf(text);
  if (tokens.length === 0) return () => true;
  const parser = new Parser(tokens);
  const query = parser.any();
  parser.expectEnd();
  return query;
}

/** What reads as a number could not stand in a query as a key. */
export function isPropertyKey(text: string): boolean {
  return KEY.test(text) && !NUMBER.test(text);
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    if (/\s/.test(text[at])) {
      TOKEN.lastIndex = at + 1;
      continue;
    }
    const found = TOKEN.exec(text);
    if (found === null) throw new Error(`query: ${JSON.stringify(text[at])} is not expected`);
    tokens.push(found[0]);
  }
  return tokens;
}

class Parser {
  readonly #tokens: string[];
  #at = 0;

  constructor(tokens: string[]) {
    this.#tokens = tokens;
  }

  any(): Query {
    const left = this.#all();
    if (!this.#takes('OR')) return left;
    const right = this.any();
    return (properties) => left(properties) || right(properties);
  }

  expectEnd(): void {
    if (this.#at < this.#tokens.length) throw this.#unexpected();
  }

  #all(): Query {
    const left = this.#one();
    if (!this.#takes('AND')) return left;
    const right = this.#all();
    return (properties) => left(properties) && right(properties);
  }

  #one(): Query {
    if (this.#takes('NOT')) {
      const inner = this.#one();
      return (properties) => !inner(properties);
    }
    if (this.#takes('*')) return () => true;
    if (!this.#takes('(')) return this.#term();
    const inner = this.any();
    if (!this.#takes(')')) throw this.#unexpected();
    return inner;
  }

  #term(): Query {
    const key = this.#next();
    if (!isPropertyKey(key)) throw new Error(`query: ${JSON.stringify(key)} is no property`);
    const operator = this.#next();
    const value = this.#next();
    if (operator === ':') {
      if (!TEXT.test(value)) throw new Error(`query: ${key} wants a text`);
      const text = value.startsWith('"') ? value.slice(1, -1) : value;
      return ({ strings }) => Object.hasOwn(strings, key) && strings[key] === text;
    }
    const compare = COMPARE[operator];
    if (compare === undefined || !NUMBER.test(value)) {
      throw new Error(`query: ${key} wants a colon and a text, or an operator and a number`);
    }
    const number = numberOf(value);
    return ({ numbers }) => Object.hasOwn(numbers, key) && compare(numbers[key], number);
  }

  #next(): string {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new Error('query: it ends too early');
    return token;
  }

  #takes(token: string): boolean {
    if (this.#tokens[this.#at]?.toUpperCase() !== token) return false;
    this.#at++;
    return true;
  }

  #unexpected(): Error {
    const token = this.#tokens[this.#at];
    return new Error(`query: ${token === undefined ? 'it ends' : JSON.stringify(token)}`);
  }
}

function numberOf(text: string): number {
  const infinite = /^([+-]?)inf/i.exec(text);
  if (infinite === null) return Number(text); // "nan" is NaN
  return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
