// Emits write, check and read of one object: FlatBuffers bytes front to back, their verification,
// and plain objects from them.
import { badOnWire, getScalar, setScalar } from './emit-scalar.mjs';
import { valueType } from './emit-value.mjs';

const plus = (at, offset) => (offset === 0 ? at : `${at} + ${offset}`);
const limit = (type) => type.max ?? 'BODY_BYTES_MAX';

/** Statements that zero the bytes of [from, size) no field covers. */
function emitPadding(object, from) {
  const covered = new Set();
  for (const { offset, type } of object.fields) {
    for (let i = 0; i < type.size; i++) covered.add(offset + i);
  }
  const lines = [];
  for (let at = from; at < object.size; at++) {
    if (covered.has(at)) continue;
    const pair = at % 2 === 0 && at + 1 < object.size && !covered.has(at + 1);
    lines.push(
      pair ? `  dv.setUint16(at + ${at}, 0, true);` : `  dv.setUint8(${plus('at', at)}, 0);`,
    );
    if (pair) at++;
  }
  return lines;
}

const zeroField = (field) =>
  `zero(dv, at + ${field.offset}, at + ${field.offset + field.type.size});`;

function writeInline(field) {
  const { name, type, offset } = field;
  const at = plus('at', offset);
  if (type.kind === 'scalar') return setScalar(type, at, `value.${name}`);
  return `write${type.object.name}(dv, ${at}, value.${name});`;
}

function emitWriteStruct(struct) {
  return [
    `export function write${struct.name}(dv: DataView, at: number, value: ${struct.name}Value): void {`,
    ...struct.fields.map((field) => `  ${writeInline(field)}`),
    ...emitPadding(struct, 0),
    '}',
  ];
}

/** The constant vtable, as few stores as possible. */
function emitVtable(table) {
  const words = [table.vtableSize, table.size];
  for (let id = 0; id < table.slots; id++) {
    words.push(table.fields.find((field) => field.id === id)?.offset ?? 0);
  }
  const lines = [];
  for (let i = 0; i < words.length; i += 2) {
    const at = `at - ${table.vtableSize - 2 * i}`;
    lines.push(
      i + 1 < words.length
        ? `  dv.setUint32(${at}, ${words[i] + words[i + 1] * 0x10000}, true);`
        : `  dv.setUint16(${at}, ${words[i]}, true);`,
    );
  }
  return lines;
}

function writeNullable(table, field, lines) {
  return [
    `  if (value.${field.name} === null) {`,
    `    dv.setUint16(at - ${table.vtableSize - field.slot}, 0, true);`,
    `    ${zeroField(field)}`,
    '  } else {',
    ...lines.map((line) => `  ${line}`),
    '  }',
  ];
}

/** Writes a child block (string or table) whose offset stands at `at`. */
function writeChild(type, at, value) {
  if (type.kind === 'string') {
    return [
      `  next = writeString(dv, base, ${at}, next, end, ${value});`,
      '  if (next < 0) return -1;',
    ];
  }
  const { object } = type;
  return [
    `  const child = alignUp(base, next + ${object.vtableSize}, ${object.align});`,
    `  dv.setUint32(${at}, child - (${at}), true);`,
    `  next = write${object.name}(dv, base, next, child, end, ${value});`,
    '  if (next < 0) return -1;',
  ];
}

function writeVector(field) {
  const { name, type, offset } = field;
  const { element } = type;
  const [list, start, count] = [`${name}List`, `${name}Start`, `${name}Count`];
  const at = element.size === 1 ? `${start} + i` : `${start} + i * ${element.size}`;
  let body;
  if (element.kind === 'scalar') body = [`  ${setScalar(element, at, `${list}[i]`)}`];
  else if (element.kind === 'struct') {
    body = [`  write${element.object.name}(dv, ${at}, ${list}[i]);`];
  } else body = writeChild(element, at, `${list}[i]`);
  return [
    `  const ${list} = value.${name};`,
    `  const ${count} = ${list}.length;`,
    `  const ${start} = alignUp(base, next + 4, ${Math.max(4, element.align)});`,
    `  if (${start} + ${count} * ${element.size} > end) return -1;`,
    `  zero(dv, next, ${start} - 4);`,
    `  dv.setUint32(at + ${offset}, ${start} - 4 - (at + ${offset}), true);`,
    `  dv.setUint32(${start} - 4, ${count}, true);`,
    `  next = ${start} + ${count} * ${element.size};`,
    `  for (let i = 0; i < ${count}; i++) {`,
    ...body.map((line) => `  ${line}`),
    '  }',
  ];
}

function writeField(table, field) {
  const { type, offset, name } = field;
  if (type.kind === 'vector') return writeVector(field);
  if (type.kind === 'scalar' || type.kind === 'struct') {
    const line = `  ${writeInline(field)}`;
    return field.nullable ? writeNullable(table, field, [line]) : [line];
  }
  const lines = writeChild(type, `at + ${offset}`, `value.${name}`);
  if (field.nullable) return writeNullable(table, field, lines);
  return ['  {', ...lines.map((line) => `  ${line}`), '  }'];
}

function emitWriteTable(table) {
  const inline = (field) => field.type.kind === 'scalar' || field.type.kind === 'struct';
  const fields = [...table.fields.filter(inline), ...table.fields.filter((f) => !inline(f))];
  const last = fields.length > 0 && !inline(fields[fields.length - 1]);
  const unused = table.fields.length === 0 ? '_value' : 'value';
  return [
    '/** The table stands at `at`, its vtable just before; bytes from `pos` to that are padding. */',
    `export function write${table.name}(`,
    '  dv: DataView,',
    `  ${last ? 'base' : '_base'}: number,`,
    '  pos: number,',
    '  at: number,',
    '  end: number,',
    `  ${unused}: ${table.name}Value,`,
    '): number {',
    `  if (at + ${table.size} > end) return -1;`,
    `  zero(dv, pos, at - ${table.vtableSize});`,
    ...emitVtable(table),
    `  dv.setInt32(at, ${table.vtableSize}, true);`,
    ...emitPadding(table, 4),
    ...(last ? [`  let next = at + ${table.size};`] : []),
    ...fields.flatMap((field) => writeField(table, field)),
    last ? '  return next;' : `  return at + ${table.size};`,
    '}',
  ];
}

/** True when wire values of the struct can be out of range at all. */
export function isChecked(struct) {
  return struct.fields.some(({ type }) =>
    type.kind === 'struct' ? isChecked(type.object) : badOnWire(type, 'x') !== '',
  );
}

/** Statements that return false when the scalar or struct at `at` is out of range. */
function checkInline(type, at, field, indent) {
  const name = `$${field}`;
  if (type.kind === 'struct') {
    return isChecked(type.object)
      ? [`${indent}if (!check${type.object.name}(dv, ${at})) return false;`]
      : [];
  }
  const bad = badOnWire(type, name);
  if (bad === '') return [];
  const get = `dv.get${type.access}(${at}${type.size === 1 ? '' : ', true'})`;
  return [`${indent}const ${name} = ${get};`, `${indent}if (${bad}) return false;`];
}

function emitCheckStruct(struct) {
  if (!isChecked(struct)) return [];
  return [
    `export function check${struct.name}(dv: DataView, at: number): boolean {`,
    ...struct.fields.flatMap((field) =>
      checkInline(field.type, plus('at', field.offset), field.name, '  '),
    ),
    '  return true;',
    '}',
  ];
}

function checkTableChild(type, at, indent) {
  return [
    `${indent}const child = childAt(dv, ${at}, end);`,
    `${indent}if (child < 0 || !check${type.object.name}(dv, base, child, end, depth + 1)) return false;`,
  ];
}

function checkVector(field, indent) {
  const { element } = field.type;
  const args = `${element.size}, ${element.align}, ${limit(field.type)}`;
  const at = element.size === 1 ? 'start + i' : `start + i * ${element.size}`;
  let body;
  if (element.kind === 'string') {
    body = [`${indent}  if (!isString(dv, base, ${at}, end, ${limit(element)})) return false;`];
  } else if (element.kind === 'table') body = checkTableChild(element, at, `${indent}  `);
  else body = checkInline(element, at, 'element', `${indent}  `);
  const vector = `vectorAt(dv, base, at, end, ${args})`;
  if (body.length === 0) return [`${indent}if (${vector} < 0) return false;`];
  return [
    `${indent}const start = ${vector};`,
    `${indent}if (start < 0) return false;`,
    `${indent}const count = dv.getUint32(start - 4, true);`,
    `${indent}for (let i = 0; i < count; i++) {`,
    ...body,
    `${indent}}`,
  ];
}

function checkField(field) {
  const { type } = field;
  const at = `fieldAt(dv, base, pos, vtable, ${field.slot}, ${type.size}, ${type.align})`;
  let body;
  if (type.kind === 'vector') body = checkVector(field, '    ');
  else if (type.kind === 'string') {
    body = [`    if (!isString(dv, base, at, end, ${limit(type)})) return false;`];
  } else if (type.kind === 'table') body = checkTableChild(type, 'at', '    ');
  else body = checkInline(type, 'at', field.name, '    ');
  const bad = field.required ? '<= 0' : '< 0';
  if (body.length === 0) return [`  if (${at} ${bad}) return false;`];
  const lines = [`  at = ${at};`, `  if (at ${bad}) return false;`];
  return [...lines, '  if (at > 0) {', ...body, '  }'];
}

function emitCheckTable(table) {
  const lines = table.fields.flatMap(checkField);
  return [
    `export function check${table.name}(`,
    '  dv: DataView,',
    '  base: number,',
    '  pos: number,',
    '  end: number,',
    '  depth: number,',
    '): boolean {',
    '  const vtable = tableAt(dv, base, pos, end);',
    '  if (vtable < 0 || depth > DEPTH_MAX) return false;',
    ...(lines.some((line) => line.startsWith('  at =')) ? ['  let at = 0;'] : []),
    ...lines,
    '  return true;',
    '}',
  ];
}

/** Text of the plain value at an absolute position. */
export function readAt(type, at) {
  if (type.kind === 'scalar') return getScalar(type, at);
  if (type.kind === 'string') return `stringAt(dv, ${at})`;
  if (type.kind === 'struct') return `read${type.object.name}(dv, ${at})`;
  return `read${type.object.name}(dv, ${at} + dv.getUint32(${at}, true))`;
}

function emitReadVector(field) {
  const { name, type } = field;
  const { element } = type;
  const at = element.size === 1 ? 'start + i' : `start + i * ${element.size}`;
  const enclosed = element.kind === 'table' || element.kind === 'string' ? `(${at})` : at;
  return [
    '',
    `function ${vectorReader(name)}(dv: DataView, at: number): ${valueType(type)} {`,
    `  const out: ${valueType(type)} = [];`,
    '  const start = at + dv.getUint32(at, true) + 4;',
    '  const count = dv.getUint32(start - 4, true);',
    `  for (let i = 0; i < count; i++) out.push(${readAt(element, enclosed)});`,
    '  return out;',
    '}',
  ];
}

const vectorReader = (name) => `$${name}From`;

function emitReadTable(table) {
  const lines = [];
  for (const { name, type, slot, nullable, default: value } of table.fields) {
    const absent = type.kind === 'vector' ? '[]' : nullable ? 'null' : value;
    const present =
      type.kind === 'vector' ? `${vectorReader(name)}(dv, ${name}At)` : readAt(type, `${name}At`);
    lines.push([name, slot, absent, present]);
  }
  return [
    lines.length > 0
      ? `export function read${table.name}(dv: DataView, pos: number): ${table.name}Value {`
      : `export function read${table.name}(_dv: DataView, _pos: number): ${table.name}Value {`,
    ...(lines.length > 0 ? ['  const vtable = pos - dv.getInt32(pos, true);'] : []),
    ...lines.flatMap(([name, slot, absent]) =>
      absent === undefined
        ? [`  const ${name}At = pos + slotOf(dv, vtable, ${slot});`]
        : [`  const ${name}At = present(pos, slotOf(dv, vtable, ${slot}));`],
    ),
    '  return {',
    ...lines.map(([name, , absent, present]) =>
      absent === undefined
        ? `    ${name}: ${present},`
        : `    ${name}: ${name}At === 0 ? ${absent} : ${present},`,
    ),
    '  };',
    '}',
    ...table.fields.filter((field) => field.type.kind === 'vector').flatMap(emitReadVector),
  ];
}

function emitReadStruct(struct) {
  return [
    `export function read${struct.name}(dv: DataView, at: number): ${struct.name}Value {`,
    '  return {',
    ...struct.fields.map(
      (field) => `    ${field.name}: ${readAt(field.type, plus('at', field.offset))},`,
    ),
    '  };',
    '}',
  ];
}

export function emitWire(object) {
  const struct = object.kind === 'struct';
  return [
    ...(struct ? emitWriteStruct(object) : emitWriteTable(object)),
    '',
    ...(struct ? emitCheckStruct(object) : emitCheckTable(object)),
    '',
    ...(struct ? emitReadStruct(object) : emitReadTable(object)),
  ];
}
