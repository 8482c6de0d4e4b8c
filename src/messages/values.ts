// Checks of plain values for generated normalize functions. Every refusal is a MessageError with
// the path of the field, `Snapshot.players[3].health`.

import { DEPTH_MAX } from './flat.js';
import { toWellFormed, utf8Length } from './text.js';
import { BODY_BYTES_MAX, MessageError } from './types.js';

export type Fields = Record<string, unknown>;

export function refuse(path: string, message: string): never {
  throw new MessageError('bad-value', message, path);
}

/** A table or struct value; in strict mode, one without fields the schema does not know. */
export function fieldsOf(
  value: unknown,
  path: string,
  depth: number,
  known: ReadonlySet<string>,
  strict: boolean,
): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(path, 'must be an object');
  }
  if (depth > DEPTH_MAX) refuse(path, `tables nest deeper than ${DEPTH_MAX}`);
  if (strict) {
    for (const key of Object.keys(value)) {
      if (!known.has(key)) refuse(`${path}.${key}`, 'the schema has no such field');
    }
  }
  return value as Fields;
}

export function integerOf(
  value: unknown,
  min: number,
  max: number,
  path: string,
  name: string,
  index = -1,
): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    refuse(member(path, name, index), `must be an integer ${min}…${max}`);
  }
  return value + 0;
}

/** `single`: round to float32 first, as the wire does. -0 becomes 0: JSON cannot carry it. */
export function floatOf(
  value: unknown,
  single: boolean,
  min: number,
  max: number,
  path: string,
  name: string,
  index = -1,
): number {
  if (typeof value !== 'number') refuse(member(path, name, index), 'must be a number');
  const rounded = single ? Math.fround(value) : value;
  if (!Number.isFinite(rounded)) refuse(member(path, name, index), 'must be a finite number');
  if (rounded < min || rounded > max) refuse(member(path, name, index), `must be ${min}…${max}`);
  return rounded + 0;
}

export function booleanOf(value: unknown, path: string, name: string, index = -1): boolean {
  if (typeof value !== 'boolean') refuse(member(path, name, index), 'must be true or false');
  return value;
}

/** `allowed` comes from the enum: a range, a set of members or a mask of flags. */
export function enumOf(
  value: unknown,
  allowed: (value: number) => boolean,
  path: string,
  name: string,
  index = -1,
): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || !allowed(value)) {
    refuse(member(path, name, index), 'is not a member of its enum');
  }
  return value + 0;
}

/** Unpaired surrogates become U+FFFD. The limit counts UTF-8 bytes. */
export function stringOf(
  value: unknown,
  bytesMax: number,
  path: string,
  name: string,
  index = -1,
): string {
  if (typeof value !== 'string') refuse(member(path, name, index), 'must be a string');
  if (value.length > BODY_BYTES_MAX) {
    throw new MessageError(
      'message-too-large',
      'string is over the limit',
      member(path, name, index),
    );
  }
  const text = toWellFormed(value);
  if (utf8Length(text) > bytesMax) refuse(member(path, name, index), `is over ${bytesMax} bytes`);
  return text;
}

/** An absent vector is an empty one. Typed arrays are taken, too. */
export function vectorOf(
  value: unknown,
  countMax: number,
  path: string,
  name: string,
): ArrayLike<unknown> {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) && !isTypedArray(value)) refuse(`${path}.${name}`, 'must be an array');
  const list = value as ArrayLike<unknown>;
  if (list.length > countMax) refuse(`${path}.${name}`, `has over ${countMax} elements`);
  if (list.length > BODY_BYTES_MAX) {
    throw new MessageError('message-too-large', 'vector is over the limit', `${path}.${name}`);
  }
  return list;
}

function member(path: string, name: string, index: number): string {
  return index < 0 ? `${path}.${name}` : `${path}.${name}[${index}]`;
}

function isTypedArray(value: unknown): boolean {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}
