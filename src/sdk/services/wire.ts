/** The API writes snake_case, programs write camelCase: names are turned here, values are not. */
import { RequestError } from '../errors.js';

/** Their content is the game's own: what is below these names stays as it is. */
const OPAQUE: ReadonlySet<string> = new Set(
  ['attributes', 'metadata', 'props', 'qos', 'value', 'values', 'payload'].concat(
    ['string_properties', 'numeric_properties'],
    ['stringProperties', 'numericProperties'],
  ),
);

/**
 * `{player_id}` → `{playerId}`, all the way down; `…_at` and `…_deadline` become Dates.
 *
 * @throws RequestError decode
 */
export function fromWire(value: unknown): unknown {
  try {
    return renamed(value);
  } catch (cause) {
    throw new RequestError('decode', 'the answer is nested too deep', { cause });
  }
}

function renamed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(renamed);
  if (typeof value !== 'object' || value === null) return value;
  const out: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value)) {
    const camel = name.replace(/_([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase());
    if (OPAQUE.has(name)) out[camel] = inner;
    else out[camel] = /_(at|deadline)$/.test(name) ? dateOf(inner) : renamed(inner);
  }
  return out;
}

/** `{playerId}` → `{player_id}`, all the way down; undefined is left out, as JSON does. */
export function toWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toWire);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const out: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value)) {
    const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    out[snake] = OPAQUE.has(name) ? inner : toWire(inner);
  }
  return out;
}

/** An answer that has to be an object. @throws RequestError decode */
export function objectOf<T extends object>(answer: unknown, what: string): T {
  if (typeof answer === 'object' && answer !== null && !Array.isArray(answer)) {
    return fromWire(answer) as T;
  }
  throw new RequestError('decode', `the answer is no ${what}`);
}

/** The list in an answer; none is an empty one, as servers in Go write it. */
export function listOf<T>(answer: unknown, name: string): T[] {
  const list = (answer as Record<string, unknown> | null | undefined)?.[name];
  return Array.isArray(list) ? (fromWire(list) as T[]) : [];
}

function dateOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? value : date;
}
