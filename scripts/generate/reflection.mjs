// Reads a binary schema (.bfbs, reflection.fbs of FlatBuffers) with the flatbuffers runtime into
// plain descriptors. Field slots below are the ids of reflection.fbs.
import { ByteBuffer } from 'flatbuffers';

export const BASE_TYPES = [
  ...['none', 'utype', 'bool', 'i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64', 'f32', 'f64'],
  ...['string', 'vector', 'object', 'union', 'array', 'vector64'],
];

class Table {
  constructor(buffer, position) {
    this.buffer = buffer;
    this.position = position;
  }

  /** Absolute position of the field with this id, or 0. */
  at(id) {
    const offset = this.buffer.__offset(this.position, 4 + 2 * id);
    return offset === 0 ? 0 : this.position + offset;
  }

  string(id) {
    const at = this.at(id);
    return at === 0 ? '' : this.buffer.__string(at);
  }

  bool(id) {
    const at = this.at(id);
    return at !== 0 && this.buffer.readInt8(at) !== 0;
  }

  number(id, read, fallback) {
    const at = this.at(id);
    return at === 0 ? fallback : Number(this.buffer[read](at));
  }

  table(id) {
    const at = this.at(id);
    return at === 0 ? null : new Table(this.buffer, this.buffer.__indirect(at));
  }

  tables(id) {
    return this.offsets(id).map((at) => new Table(this.buffer, this.buffer.__indirect(at)));
  }

  strings(id) {
    return this.offsets(id).map((at) => this.buffer.__string(at));
  }

  offsets(id) {
    const at = this.at(id);
    if (at === 0) return [];
    const start = this.buffer.__vector(at);
    return Array.from({ length: this.buffer.__vector_len(at) }, (_, i) => start + 4 * i);
  }
}

const readAttributes = (table, id) =>
  Object.fromEntries(table.tables(id).map((pair) => [pair.string(0), pair.string(1)]));

const readType = (table) => ({
  base: BASE_TYPES[table.number(0, 'readInt8', 0)],
  element: BASE_TYPES[table.number(1, 'readInt8', 0)],
  index: table.number(2, 'readInt32', -1),
});

const readField = (table) => ({
  name: table.string(0),
  type: readType(table.table(1)),
  id: table.number(2, 'readUint16', 0),
  offset: table.number(3, 'readUint16', 0),
  defaultInteger: table.number(4, 'readInt64', 0),
  defaultReal: table.number(5, 'readFloat64', 0),
  deprecated: table.bool(6),
  required: table.bool(7),
  attributes: readAttributes(table, 9),
  documentation: table.strings(10),
  optional: table.bool(11),
});

const readObject = (table) => ({
  name: table.string(0),
  fields: table
    .tables(1)
    .map(readField)
    .sort((a, b) => a.id - b.id),
  isStruct: table.bool(2),
  minAlign: table.number(3, 'readInt32', 1),
  byteSize: table.number(4, 'readInt32', 0),
  attributes: readAttributes(table, 5),
  documentation: table.strings(6),
});

const readEnum = (table) => ({
  name: table.string(0),
  values: table
    .tables(1)
    .map((value) => ({ name: value.string(0), value: value.number(1, 'readInt64', 0) })),
  isUnion: table.bool(2),
  base: readType(table.table(3)).base,
  attributes: readAttributes(table, 4),
  documentation: table.strings(5),
});

/** @returns {{objects: object[], enums: object[]}} indices match `type.index` of the fields */
export function readBinarySchema(bytes) {
  const buffer = new ByteBuffer(bytes);
  const schema = new Table(buffer, buffer.__indirect(buffer.position()));
  return { objects: schema.tables(0).map(readObject), enums: schema.tables(1).map(readEnum) };
}
