// A second opinion on our codecs: values, bytes and reads made from the schema model with the
// flatbuffers Builder and flatc's accessors, sharing no code with what the generator emits.
import { Builder } from 'flatbuffers';

/** Of the package, seen from the source or from what was compiled into dist. */
const ROOT = import.meta.url.includes('/dist/') ? '../../../' : '../../';
const GENERATOR = new URL(`${ROOT}scripts/generate.mjs`, import.meta.url).href;

export interface Scalar {
  kind: 'scalar';
  base: string;
  size: number;
  float: boolean;
  bool: boolean;
  min?: number;
  max?: number;
  enumeration?: { flags: boolean; mask: number; values: { value: number }[] };
}
export interface ObjectModel {
  kind: 'struct' | 'table';
  name: string;
  fields: Field[];
  size: number;
  align: number;
  slots: number;
  messageId?: number;
}
export type Type =
  | Scalar
  | { kind: 'string'; max?: number }
  | { kind: 'vector'; max?: number; element: Type }
  | { kind: 'struct' | 'table'; object: ObjectModel };
export interface Field {
  name: string;
  id: number;
  offset: number;
  type: Type;
  nullable: boolean;
  required: boolean;
  default?: number | boolean | null;
}
export type Value = Record<string, unknown>;

/** Seeded; 32 bits per call (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** The tables of a generate target by name: 0 the game's, 1 the kitchen sink. */
export async function loadTables(target: number): Promise<Map<string, ObjectModel>> {
  const { readModel } = await import(GENERATOR);
  const { tables } = (await readModel(target)) as { tables: ObjectModel[] };
  return new Map(tables.map((table) => [table.name, table]));
}

const WORDS = ['', 'a', 'Doomerang', 'zażółć', '日本語', '🪃🪃', 'ab\u0000cd', '\uffff'];
const FLOATS = [0, -0, 1, -1, 0.1, -2.25, 1 / 3, 5600, 1e-40, -1e-45, 3.4028234e38, 16777217];

export function randomValue(table: ObjectModel, random: () => number, depth = 0): Value {
  const value: Value = {};
  for (const field of table.fields) {
    const isLeaf = depth > 4 && field.type.kind === 'table';
    if (field.nullable && (isLeaf || random() % 3 === 0)) value[field.name] = null;
    else value[field.name] = randomOfType(field.type, random, depth);
  }
  return value;
}

function randomOfType(type: Type, random: () => number, depth: number): unknown {
  switch (type.kind) {
    case 'scalar':
      return randomScalar(type, random);
    case 'string': {
      const word = WORDS[random() % WORDS.length];
      return word.length * 4 < (type.max ?? 1000) && random() % 5 === 0 ? word.repeat(3) : word;
    }
    case 'vector': {
      const isDeep = depth > 3 && type.element.kind === 'table';
      const count = isDeep ? 0 : Math.min(random() % 6, type.max ?? 6);
      return Array.from({ length: count }, () => randomOfType(type.element, random, depth));
    }
    default:
      return randomValue(type.object, random, depth + 1);
  }
}

function randomScalar(type: Scalar, random: () => number): unknown {
  if (type.bool) return random() % 2 === 0;
  if (type.enumeration) {
    const { flags, values, mask } = type.enumeration;
    return flags ? (random() & mask) >>> 0 : values[random() % values.length].value;
  }
  if (type.float) {
    const value = random() % 2 === 0 ? FLOATS[random() % FLOATS.length] : random() / 7919 - 2e5;
    const inRange = value >= (type.min ?? -Infinity) && value <= (type.max ?? Infinity);
    if (inRange) return value;
    const min = type.min ?? 0;
    return min + ((type.max ?? 1) - min) * (random() / 0x100000000);
  }
  const { min = 0, max = 0 } = type;
  const pick = random() % 4;
  if (pick < 2) return pick === 0 ? min : max;
  return min + (random() % (max - min + 1));
}

type Anything = Record<string, (...args: unknown[]) => unknown>;

/** Bytes of a normalised value by the flatbuffers Builder: back to front, defaults left out. */
export function buildBytes(table: ObjectModel, value: Value): Uint8Array {
  const builder = new Builder(16);
  builder.finish(buildTable(builder, table, value));
  return builder.asUint8Array().slice();
}

const WRITE: Record<string, string> = {
  ...{ bool: 'Int8', i8: 'Int8', u8: 'Int8', i16: 'Int16', u16: 'Int16' },
  ...{ i32: 'Int32', u32: 'Int32', f32: 'Float32', f64: 'Float64' },
};

function buildTable(builder: Builder, table: ObjectModel, value: Value): number {
  const calls = builder as unknown as Anything;
  const offsets = new Map<Field, number>();
  for (const field of table.fields) {
    if (field.type.kind === 'scalar' || field.type.kind === 'struct') continue;
    if (value[field.name] === null) continue;
    offsets.set(field, buildOffset(builder, field.type, value[field.name]));
  }
  builder.startObject(table.slots);
  for (const field of table.fields) {
    const { type } = field;
    const item = value[field.name];
    if (item === null) continue;
    if (type.kind === 'scalar') {
      const absent = field.default === null ? null : Number(field.default);
      calls[`addField${WRITE[type.base]}`](field.id, Number(item), absent);
    } else if (type.kind === 'struct') {
      builder.addFieldStruct(field.id, buildStruct(builder, type.object, item as Value), 0);
    } else builder.addFieldOffset(field.id, offsets.get(field) ?? 0, 0);
  }
  return builder.endObject();
}

function buildStruct(builder: Builder, struct: ObjectModel, value: Value): number {
  builder.prep(struct.align, struct.size);
  writeStruct(builder, struct, value);
  return builder.offset();
}

/** Last field first; pads by the gap to the field behind. */
function writeStruct(builder: Builder, struct: ObjectModel, value: Value): void {
  const calls = builder as unknown as Anything;
  let end = struct.size;
  for (const field of [...struct.fields].reverse()) {
    const { type } = field;
    const size = type.kind === 'scalar' ? type.size : (type as { object: ObjectModel }).object.size;
    builder.pad(end - field.offset - size);
    if (type.kind === 'scalar') calls[`write${WRITE[type.base]}`](Number(value[field.name]));
    else writeStruct(builder, (type as { object: ObjectModel }).object, value[field.name] as Value);
    end = field.offset;
  }
}

function buildOffset(builder: Builder, type: Type, value: unknown): number {
  if (type.kind === 'string') return builder.createString(value as string);
  if (type.kind === 'table') return buildTable(builder, type.object, value as Value);
  const { element } = type as { element: Type };
  const list = value as unknown[];
  const calls = builder as unknown as Anything;
  if (element.kind === 'scalar') {
    builder.startVector(element.size, list.length, element.size);
    for (const item of [...list].reverse()) calls[`add${WRITE[element.base]}`](Number(item));
  } else if (element.kind === 'struct') {
    const { object } = element;
    builder.startVector(object.size, list.length, object.align);
    for (const item of [...list].reverse()) buildStruct(builder, object, item as Value);
  } else {
    const offsets = list.map((item) => buildOffset(builder, element, item));
    builder.startVector(4, list.length, 4);
    for (const offset of offsets.reverse()) builder.addOffset(offset);
  }
  return builder.endVector();
}

/** Everything flatc's accessor says, as a plain value. */
export function readAccessor(table: ObjectModel, accessor: unknown): Value {
  const calls = accessor as Anything;
  const value: Value = {};
  for (const { name, type } of table.fields) {
    // flatc gives reserved words a trailing underscore.
    const call = name in calls ? name : `${name}_`;
    if (type.kind === 'vector') {
      const length = calls[`${name}Length`]() as number;
      value[name] = Array.from({ length }, (_, i) => plain(type.element, calls[call](i)));
    } else value[name] = plain(type, calls[call]());
  }
  return value;
}

/** Everything our own view says, as a plain value. */
export function readView(table: ObjectModel, view: unknown): Value {
  const fields = view as Value & Anything;
  const value: Value = {};
  const item = (type: Type, raw: unknown): unknown =>
    (type.kind === 'struct' || type.kind === 'table') && raw !== null
      ? readView(type.object, raw)
      : raw;
  for (const { name, type } of table.fields) {
    if (type.kind === 'vector') {
      const length = fields[`${name}Length`] as unknown as number;
      value[name] = Array.from({ length }, (_, i) => item(type.element, fields[name](i)));
    } else value[name] = item(type, fields[name]);
  }
  return value;
}

function plain(type: Type, raw: unknown): unknown {
  if (raw === null || raw === undefined) return null;
  if (type.kind === 'struct' || type.kind === 'table') return readAccessor(type.object, raw);
  return type.kind === 'scalar' && type.float ? (raw as number) + 0 : raw;
}
