// From reflection descriptors to the model the emitters work on: resolved types, checked attributes,
// table layouts, bounds and hashes. Everything unsupported is refused here, by name.

export const MODES = [
  'unreliable',
  'unreliable-sequenced',
  'reliable-unordered',
  'reliable-ordered',
];
/** As BODY_BYTES_MAX of src/messages/types.ts; a test compares them. */
export const BODY_BYTES_MAX = 256 * 1024 - 2;
const DEFAULT_MODE = 3;
/** Connections have 32 channels; the last one is the session's (src/session/limits.ts). */
const CHANNEL_MAX = 30;
const F32_MAX = 3.4028234663852886e38;

/** Scalars: bytes, DataView suffix, integer range. */
const SCALARS = {
  bool: { size: 1, access: 'Uint8' },
  i8: { size: 1, access: 'Int8', min: -0x80, max: 0x7f },
  u8: { size: 1, access: 'Uint8', min: 0, max: 0xff },
  i16: { size: 2, access: 'Int16', min: -0x8000, max: 0x7fff },
  u16: { size: 2, access: 'Uint16', min: 0, max: 0xffff },
  i32: { size: 4, access: 'Int32', min: -0x80000000, max: 0x7fffffff },
  u32: { size: 4, access: 'Uint32', min: 0, max: 0xffffffff },
  f32: { size: 4, access: 'Float32' },
  f64: { size: 8, access: 'Float64' },
};

export class SchemaError extends Error {}

const refuse = (where, what) => {
  throw new SchemaError(`${where}: ${what}`);
};

export const camelCase = (name) =>
  name
    .replace(/^_+/, '')
    .replace(/_+([a-zA-Z0-9])/g, (_, letter) => letter.toUpperCase())
    .replace(/^[A-Z]/, (letter) => letter.toLowerCase());

export const kebabCase = (name) =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/_+/g, '-')
    .toLowerCase();

const shortName = (name) => name.slice(name.lastIndexOf('.') + 1);

function numberAttribute(attributes, key, where) {
  const text = attributes[key];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) {
    refuse(where, `attribute ${key} is not a number: "${text}"`);
  }
  return value;
}

function integerAttribute(attributes, key, min, max, where) {
  const value = numberAttribute(attributes, key, where);
  if (value !== undefined && !(Number.isInteger(value) && value >= min && value <= max)) {
    refuse(where, `${key} must be an integer ${min}…${max}`);
  }
  return value;
}

function buildEnum(descriptor) {
  const where = `enum ${descriptor.name}`;
  if (SCALARS[descriptor.base] === undefined) {
    refuse(
      where,
      '64-bit enums are not supported: JavaScript reads them as BigInt, which allocates',
    );
  }
  const values = [...descriptor.values].sort((a, b) => a.value - b.value);
  const flags = descriptor.attributes.bit_flags !== undefined;
  const { min, max } = { min: values[0].value, max: values[values.length - 1].value };
  return {
    kind: 'enum',
    name: shortName(descriptor.name),
    fullName: descriptor.name,
    base: descriptor.base,
    documentation: descriptor.documentation,
    values,
    flags,
    mask: values.reduce((sum, entry) => sum + entry.value, 0),
    min: flags ? 0 : min,
    max: flags ? values.reduce((sum, entry) => sum + entry.value, 0) : max,
    contiguous: !flags && max - min + 1 === values.length,
  };
}

function buildScalar(base, enumeration, where) {
  if (base === 'i64' || base === 'u64') {
    refuse(
      where,
      '64-bit integers are not supported: JavaScript reads them as BigInt, which allocates',
    );
  }
  const scalar = SCALARS[base];
  if (scalar === undefined) refuse(where, `type ${base} is not supported`);
  return {
    kind: 'scalar',
    base,
    size: scalar.size,
    align: scalar.size,
    access: scalar.access,
    float: base === 'f32' || base === 'f64',
    bool: base === 'bool',
    enumeration,
    min: enumeration ? enumeration.min : scalar.min,
    max: enumeration ? enumeration.max : scalar.max,
  };
}

/** Narrows a scalar by the min and max attributes of its field. */
function limitScalar(type, field, where) {
  const min = numberAttribute(field.attributes, 'min', where);
  const max = numberAttribute(field.attributes, 'max', where);
  if (min === undefined && max === undefined) return type;
  if (type.bool || type.enumeration) refuse(where, 'min and max do not apply to bools and enums');
  const limited = { ...type };
  if (type.float) {
    const round = type.base === 'f32' ? Math.fround : (value) => value;
    if (min !== undefined) limited.min = round(min);
    if (max !== undefined) limited.max = round(max);
    if (type.base === 'f32' && (Math.abs(min ?? 0) > F32_MAX || Math.abs(max ?? 0) > F32_MAX)) {
      refuse(where, 'min and max must be float32 values');
    }
  } else {
    for (const [key, value] of Object.entries({ min, max })) {
      if (value === undefined) continue;
      if (!Number.isInteger(value) || value < type.min || value > type.max) {
        refuse(where, `${key} ${value} is outside ${type.base}`);
      }
      limited[key] = value;
    }
  }
  if (limited.min > limited.max) refuse(where, 'min is over max');
  return limited;
}

class Model {
  constructor(schema) {
    this.schema = schema;
    this.enums = schema.enums.map((entry) =>
      entry.isUnion ? { kind: 'union', name: entry.name } : buildEnum(entry),
    );
    this.objects = schema.objects.map((entry) => ({
      kind: entry.isStruct ? 'struct' : 'table',
      name: shortName(entry.name),
      fullName: entry.name,
      documentation: entry.documentation,
      fields: [],
      align: entry.minAlign,
      size: entry.byteSize,
      attributes: entry.attributes,
    }));
    for (const [index, entry] of schema.objects.entries()) this.fillObject(index, entry);
    for (const object of this.objects) if (object.kind === 'table') this.finishTable(object);
  }

  fillObject(index, entry) {
    const object = this.objects[index];
    const names = new Set();
    for (const field of entry.fields) {
      const where = `${entry.name}.${field.name}`;
      if (field.deprecated) {
        if (object.kind === 'struct') refuse(where, 'struct fields cannot be deprecated');
        object.slots = Math.max(object.slots ?? 0, field.id + 1);
        continue;
      }
      const built = this.buildField(field, object, where);
      for (const name of built.type.kind === 'vector'
        ? [built.name, `${built.name}Length`]
        : [built.name]) {
        if (names.has(name)) refuse(where, `two fields would be called ${name} in TypeScript`);
        names.add(name);
      }
      object.fields.push(built);
      object.slots = Math.max(object.slots ?? 0, field.id + 1);
    }
  }

  buildField(field, object, where) {
    const name = camelCase(field.name);
    if (name in Object.prototype || name === 'prototype') {
      refuse(where, `the name ${name} belongs to every JavaScript object`);
    }
    const type = this.buildType(field, where);
    const built = {
      name,
      rawName: field.name,
      id: field.id,
      slot: 4 + 2 * field.id,
      type,
      documentation: field.documentation,
      required: field.required,
      nullable: false,
      offset: field.offset,
    };
    if (object.kind === 'struct') return built;
    if (type.kind === 'scalar') {
      built.nullable = field.optional;
      built.default = this.scalarDefault(field, type, where);
    } else if (type.kind !== 'vector') {
      built.nullable = !field.required;
      if (type.kind === 'string' && !field.required && !field.optional) {
        refuse(where, 'string defaults are not supported: they are not in the binary schema');
      }
    }
    return built;
  }

  scalarDefault(field, type, where) {
    if (field.optional) return null;
    const value = type.float ? field.defaultReal : field.defaultInteger;
    if (type.bool) return value !== 0;
    if (!Number.isFinite(value)) refuse(where, 'NaN and Infinity are not values of a message');
    const rounded = type.base === 'f32' ? Math.fround(value) : value;
    if (rounded < type.min || rounded > type.max) {
      refuse(where, `its default ${rounded} is outside ${type.min ?? ''}…${type.max ?? ''}`);
    }
    return rounded + 0;
  }

  buildType(field, where) {
    const { base } = field.type;
    if (base === 'string') {
      const max = integerAttribute(field.attributes, 'max', 0, BODY_BYTES_MAX, where);
      return { kind: 'string', size: 4, align: 4, max };
    }
    if (base === 'vector') {
      const element = this.elementType(field.type, where);
      const max = integerAttribute(field.attributes, 'max', 0, BODY_BYTES_MAX, where);
      return { kind: 'vector', size: 4, align: 4, max, element };
    }
    if (base === 'object') return this.reference(field.type.index);
    if (base === 'union' || base === 'utype') {
      refuse(where, 'unions are not supported: use a message type per case, or optional tables');
    }
    if (base === 'array') refuse(where, 'fixed-length arrays are not supported: use single fields');
    return limitScalar(this.scalar(base, field.type.index, where), field, where);
  }

  elementType({ element, index }, where) {
    if (element === 'string') return { kind: 'string', size: 4, align: 4, max: undefined };
    if (element === 'object') return this.reference(index);
    if (element === 'union' || element === 'utype')
      refuse(where, 'vectors of unions are not supported');
    return this.scalar(element, index, where);
  }

  scalar(base, index, where) {
    return buildScalar(base, index >= 0 ? this.enums[index] : undefined, where);
  }

  reference(index) {
    const object = this.objects[index];
    const inline = object.kind === 'struct';
    return {
      kind: object.kind,
      object,
      size: inline ? object.size : 4,
      align: inline ? object.align : 4,
    };
  }

  /** Fixed layout: soffset, then fields by falling alignment, so that padding is least. */
  finishTable(table) {
    const byAlign = [...table.fields].sort((a, b) => b.type.align - a.type.align || a.id - b.id);
    let end = 4;
    for (const field of byAlign) {
      field.offset = Math.ceil(end / field.type.align) * field.type.align;
      end = field.offset + field.type.size;
    }
    table.align = Math.max(4, ...table.fields.map((field) => field.type.align));
    table.size = Math.ceil(end / 4) * 4;
    table.slots ??= 0;
    table.vtableSize = 4 + 2 * table.slots;
    const where = `table ${table.fullName}`;
    if (table.attributes.message_id !== undefined) this.finishMessage(table, where);
  }

  finishMessage(table, where) {
    const { attributes } = table;
    table.messageId = integerAttribute(attributes, 'message_id', 32, 16383, where);
    table.channel = integerAttribute(attributes, 'channel', 0, CHANNEL_MAX, where) ?? 0;
    table.mode = attributes.mode === undefined ? DEFAULT_MODE : MODES.indexOf(attributes.mode);
    if (table.mode < 0) refuse(where, `mode must be one of ${MODES.join(', ')}`);
  }
}

const align = (value, to) => Math.ceil(value / to) * to;

/** Most bytes one child block of a field takes, padding in front of it included. */
function childBytes(type, seen) {
  if (type.kind === 'string') return type.max === undefined ? Infinity : 3 + 4 + type.max + 1;
  if (type.kind === 'table') return tableBytes(type.object, seen);
  if (type.kind !== 'vector') return 0;
  if (type.max === undefined) return Infinity;
  const each = type.element.size + childBytes(type.element, seen);
  return 3 + 4 + (type.element.align > 4 ? 4 : 0) + (type.max === 0 ? 0 : type.max * each);
}

function tableBytes(table, seen) {
  if (seen.includes(table)) return Infinity;
  const inner = [...seen, table];
  const own = table.align - 1 + table.vtableSize + table.size;
  return table.fields.reduce((sum, field) => sum + childBytes(field.type, inner), own);
}

const layoutText = {
  scalar: (type) => `${type.base}${type.enumeration ? enumText(type.enumeration) : ''}`,
  string: (type) => `string${type.max ?? ''}`,
  vector: (type, seen) => `[${typeText(type.element, seen)}]${type.max ?? ''}`,
  struct: (type, seen) => objectText(type.object, seen),
  table: (type, seen) => objectText(type.object, seen),
};
const enumText = (entry) => `<${entry.flags ? 'flags ' : ''}${entry.values.map((v) => v.value)}>`;
const typeText = (type, seen) => layoutText[type.kind](type, seen);

function objectText(object, seen) {
  if (seen.includes(object)) return `^${seen.length - seen.indexOf(object)}`;
  const fields = object.fields.map((field) => {
    const { type } = field;
    const range = type.kind === 'scalar' ? `(${type.min},${type.max})` : '';
    const value = field.nullable ? '?' : field.required ? '!' : `=${field.default ?? ''}`;
    const at = object.kind === 'struct' ? `@${field.offset}` : `#${field.id}`;
    return `${field.name}${at}:${typeText(type, [...seen, object])}${range}${value}`;
  });
  return `${object.kind}{${fields.join(';')}}`;
}

/** FNV-1a, 32 bits, over UTF-8. */
export function fnv1a(text) {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash >>> 0;
}

/**
 * @returns {{messages: object[], tables: object[], structs: object[], enums: object[]}}
 * @throws SchemaError naming what is unsupported or wrong
 */
export function buildModel(schema) {
  const { objects, enums } = new Model(schema);
  const plainEnums = enums.filter((entry) => entry.kind === 'enum');
  const seen = new Map();
  for (const entry of [...objects, ...plainEnums]) {
    const other = seen.get(entry.name);
    if (other) refuse(entry.fullName, `has the short name of ${other}`);
    seen.set(entry.name, entry.fullName);
  }
  const messages = objects
    .filter((object) => object.messageId !== undefined)
    .sort((a, b) => a.messageId - b.messageId);
  for (const [index, message] of messages.entries()) {
    if (message.messageId === messages[index - 1]?.messageId) {
      refuse(
        message.fullName,
        `message_id ${message.messageId} is also ${messages[index - 1].name}`,
      );
    }
    const bytes = align(4 + tableBytes(message, []), 1);
    message.maxBytes = Math.min(bytes, BODY_BYTES_MAX);
    const head = `${message.name}|${message.messageId}|${message.mode}|${message.channel}|`;
    message.hash = fnv1a(head + objectText(message, []));
  }
  return {
    messages,
    tables: objects.filter((object) => object.kind === 'table'),
    structs: objects.filter((object) => object.kind === 'struct'),
    enums: plainEnums,
  };
}
