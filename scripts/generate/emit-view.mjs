// Emits the reused accessor of one object. Its own members begin with `$`, which no field name can.
import { getScalar, tsType } from './emit-scalar.mjs';
import { doc } from './emit-value.mjs';

const dvOf = (text) => text.replaceAll('dv.', 'this.$dv.').replaceAll('dv,', 'this.$dv,');

function scalarGetter(field, at) {
  return dvOf(getScalar(field.type, at));
}

function structMembers(struct) {
  const fields = [];
  const getters = [];
  for (const { name, type, offset, documentation } of struct.fields) {
    const at = offset === 0 ? 'this.$at' : `this.$at + ${offset}`;
    getters.push('', ...doc(documentation, '  '));
    if (type.kind === 'struct') {
      fields.push(`  readonly $${name} = new ${type.object.name}View();`);
      getters.push(
        `  get ${name}(): ${type.object.name}View {`,
        `    return this.$${name}.$set(this.$dv, ${at});`,
        '  }',
      );
      continue;
    }
    getters.push(
      `  get ${name}(): ${tsType(type)} {`,
      `    return ${scalarGetter({ type }, at)};`,
      '  }',
    );
  }
  return { fields, getters };
}

function emitStructView(struct) {
  const { fields, getters } = structMembers(struct);
  return [
    `export class ${struct.name}View {`,
    '  $dv: DataView = EMPTY_VIEW;',
    '  $at = 0;',
    ...fields,
    '',
    '  $set(dv: DataView, at: number): this {',
    '    this.$dv = dv;',
    '    this.$at = at;',
    '    return this;',
    '  }',
    ...getters,
    '}',
  ];
}

const viewOf = (type) => `${type.object.name}View`;

/** `(this.$x ??= new XView())`: made at first use, since tables may be recursive. */
const subView = (name, type) => `(this.$${name} ??= new ${viewOf(type)}())`;

function vectorMembers(field) {
  const { name, type, slot, documentation } = field;
  const { element } = type;
  const fields = [`  $${name}At = 0;`, `  $${name}Count = 0;`];
  const at = `elementAt(this.$${name}At, this.$${name}Count, index, ${element.size})`;
  let result = 'string';
  let body = [`    return stringAt(this.$dv, ${at});`];
  if (element.kind === 'scalar') {
    result = tsType(element);
    body = [`    const at = ${at};`, `    return ${scalarGetter({ type: element }, 'at')};`];
  } else if (element.kind === 'struct') {
    result = viewOf(element);
    fields.push(`  readonly $${name} = new ${result}();`);
    body = [`    return this.$${name}.$set(this.$dv, ${at});`];
  } else if (element.kind === 'table') {
    result = viewOf(element);
    fields.push(`  $${name}: ${result} | null = null;`);
    body = [
      `    const at = ${at};`,
      `    return ${subView(name, element)}.$set(this.$dv, at + this.$dv.getUint32(at, true));`,
    ];
  }
  const set = [
    `    const ${name}$ = slotOf(dv, vtable, ${slot});`,
    `    this.$${name}At = ${name}$ === 0 ? 0 : pos + ${name}$ + dv.getUint32(pos + ${name}$, true) + 4;`,
    `    this.$${name}Count = ${name}$ === 0 ? 0 : dv.getUint32(this.$${name}At - 4, true);`,
  ];
  const getters = [
    '',
    `  get ${name}Length(): number {`,
    `    return this.$${name}Count;`,
    '  }',
    '',
    ...doc(documentation, '  '),
    `  ${name}(index: number): ${result} {`,
    ...body,
    '  }',
  ];
  return { fields, set, getters };
}

function tableMember(field) {
  const { name, type, slot, nullable, documentation } = field;
  if (type.kind === 'vector') return vectorMembers(field);
  const fields = [];
  let result;
  let body;
  if (type.kind === 'scalar') {
    result = tsType(type);
    body = scalarGetter(field, 'this.$pos + offset');
  } else if (type.kind === 'string') {
    result = 'string';
    body = 'stringAt(this.$dv, this.$pos + offset)';
  } else {
    result = viewOf(type);
    const at = 'this.$pos + offset';
    fields.push(`  $${name}: ${result} | null = null;`);
    const target = type.kind === 'struct' ? at : `${at} + this.$dv.getUint32(${at}, true)`;
    body = `${subView(name, type)}.$set(this.$dv, ${target})`;
  }
  const absent = nullable ? 'null' : field.default;
  const getters = [
    '',
    ...doc(documentation, '  '),
    `  get ${name}(): ${result}${nullable ? ' | null' : ''} {`,
    `    const offset = slotOf(this.$dv, this.$vtable, ${slot});`,
    absent === undefined ? `    return ${body};` : `    return offset === 0 ? ${absent} : ${body};`,
    '  }',
  ];
  return { fields, set: [], getters };
}

function emitTableView(table) {
  const members = table.fields.map(tableMember);
  const set = members.flatMap((member) => member.set);
  return [
    `export class ${table.name}View {`,
    '  $dv: DataView = EMPTY_VIEW;',
    '  $pos = 0;',
    '  $vtable = 0;',
    ...members.flatMap((member) => member.fields),
    '',
    '  $set(dv: DataView, pos: number): this {',
    '    const vtable = pos - dv.getInt32(pos, true);',
    '    this.$dv = dv;',
    '    this.$pos = pos;',
    '    this.$vtable = vtable;',
    ...set,
    '    return this;',
    '  }',
    ...members.flatMap((member) => member.getters),
    '}',
  ];
}

export const emitView = (object) =>
  object.kind === 'struct' ? emitStructView(object) : emitTableView(object);
