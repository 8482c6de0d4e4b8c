// Emits the value interface, normalize and accepts of one object.
import { normalizeScalar, notAccepted, tsType } from './emit-scalar.mjs';

export function doc(lines, indent = '') {
  const text = lines
    .map((line) => line.trim().replaceAll('*/', '* /'))
    .filter((line) => line !== '');
  if (text.length === 0) return [];
  if (text.length === 1) return [`${indent}/** ${text[0]} */`];
  return [`${indent}/**`, ...text.map((line) => `${indent} * ${line}`), `${indent} */`];
}

export function valueType(type) {
  if (type.kind === 'scalar') return tsType(type);
  if (type.kind === 'string') return 'string';
  if (type.kind === 'vector') return `${valueType(type.element)}[]`;
  return `${type.object.name}Value`;
}

export function emitInterface(object) {
  return [
    ...doc(object.documentation),
    `export interface ${object.name}Value {`,
    ...object.fields.flatMap((field) => [
      ...doc(field.documentation, '  '),
      `  ${field.name}: ${valueType(field.type)}${field.nullable ? ' | null' : ''};`,
    ]),
    '}',
  ];
}

const limit = (type) => type.max ?? 'BODY_BYTES_MAX';

function normalizeField(field) {
  const { type, name } = field;
  const value = `fields.${name}`;
  if (type.kind === 'vector') return `$${name}Of(${value}, path, depth, strict)`;
  let text;
  if (type.kind === 'scalar') text = normalizeScalar(type, value, name);
  else if (type.kind === 'string') text = `stringOf(${value}, ${limit(type)}, path, '${name}')`;
  else text = normalizeObject(type, value, `\`\${path}.${name}\``);
  if (field.nullable) return `${value} === undefined || ${value} === null ? null : ${text}`;
  if (field.default !== undefined) return `${value} === undefined ? ${field.default} : ${text}`;
  return text;
}

const normalizeObject = (type, value, path) =>
  `normalize${type.object.name}(${value}, ${path}, depth${type.kind === 'table' ? ' + 1' : ''}, strict)`;

function normalizeElement(field) {
  const { element } = field.type;
  if (element.kind === 'scalar') return normalizeScalar(element, 'list[i]', field.name, 'i');
  if (element.kind === 'string') {
    return `stringOf(list[i], ${limit(element)}, path, '${field.name}', i)`;
  }
  return normalizeObject(element, 'list[i]', `\`\${path}.${field.name}[\${i}]\``);
}

function emitVector(field) {
  const { name, type } = field;
  const nested = type.element.kind === 'struct' || type.element.kind === 'table';
  const rest = nested ? 'depth: number, strict: boolean' : '_depth: number, _strict: boolean';
  return [
    '',
    `function $${name}Of(value: unknown, path: string, ${rest}): ${valueType(type)} {`,
    `  const list = vectorOf(value, ${limit(type)}, path, '${name}');`,
    `  const out: ${valueType(type)} = [];`,
    '  for (let i = 0; i < list.length; i++) {',
    `    out.push(${normalizeElement(field)});`,
    '  }',
    '  return out;',
    '}',
  ];
}

export function emitNormalize(object) {
  const names = object.fields.map((field) => `'${field.name}'`).join(', ');
  return [
    `const known: ReadonlySet<string> = new Set<string>([${names}]);`,
    '',
    `export function normalize${object.name}(`,
    '  value: unknown,',
    '  path: string,',
    '  depth: number,',
    '  strict: boolean,',
    `): ${object.name}Value {`,
    `  ${object.fields.length > 0 ? 'const fields = ' : ''}fieldsOf(value, path, depth, known, strict);`,
    '  return {',
    ...object.fields.map((field) => `    ${field.name}: ${normalizeField(field)},`),
    '  };',
    '}',
    ...object.fields.filter((field) => field.type.kind === 'vector').flatMap(emitVector),
  ];
}

/** Text that is true when a value of this type is not accepted. */
function rejects(type, value) {
  if (type.kind === 'scalar') return notAccepted(type, value);
  if (type.kind === 'string') return `!acceptsString(${value}, ${limit(type)})`;
  const depth = type.kind === 'table' ? ', depth + 1' : '';
  return `!accepts${type.object.name}(${value}${depth})`;
}

function acceptField(field) {
  const { name, type } = field;
  const local = `$${name}`;
  const get = `  const ${local} = fields.${name};`;
  if (type.kind === 'vector') {
    const bound = type.max === undefined ? '' : ` || ${local}.length > ${type.max}`;
    return [
      get,
      `  if (!Array.isArray(${local})${bound}) return false;`,
      `  for (let i = 0; i < ${local}.length; i++) {`,
      `    const element: unknown = ${local}[i];`,
      `    if (${rejects(type.element, 'element')}) return false;`,
      '  }',
    ];
  }
  const bad = rejects(type, local);
  if (field.nullable) return [get, `  if (${local} !== null && (${bad})) return false;`];
  return [get, `  if (${bad}) return false;`];
}

export function emitAccepts(object) {
  const table = object.kind === 'table';
  return [
    `export function accepts${object.name}(value: unknown${table ? ', depth: number' : ''}): boolean {`,
    "  if (typeof value !== 'object' || value === null) return false;",
    ...(table ? ['  if (depth > DEPTH_MAX) return false;'] : []),
    ...(object.fields.length > 0 ? ['  const fields = value as Fields;'] : []),
    ...object.fields.flatMap(acceptField),
    '  return true;',
    '}',
  ];
}
