/** As much of JSON Schema (draft 2020-12) as results.schema.json says, so that no package is needed for it. */

export interface Schema {
  $ref?: string;
  type?: string | string[];
  required?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  minimum?: number;
  maximum?: number;
  $defs?: Record<string, Schema>;
}

/** What is wrong with `value`, a line each; empty when nothing is. */
export function problemsOf(
  value: unknown,
  schema: Schema,
  root: Schema = schema,
  at = '',
): string[] {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.replace('#/$defs/', '');
    const target = root.$defs?.[name];
    return target === undefined
      ? [`${at}: no ${schema.$ref}`]
      : problemsOf(value, target, root, at);
  }
  const types = [schema.type ?? []].flat();
  if (types.length > 0 && !types.some((type) => isOf(type, value))) {
    return [`${at || '/'}: ${typeName(value)} where ${types.join(' or ')} belongs`];
  }
  if (typeof value === 'number') return numberProblems(value, schema, at);
  if (Array.isArray(value)) return arrayProblems(value, schema, root, at);
  if (typeof value !== 'object' || value === null) return [];
  return objectProblems(value as Record<string, unknown>, schema, root, at);
}

function numberProblems(value: number, { minimum, maximum }: Schema, at: string): string[] {
  if (minimum !== undefined && value < minimum) return [`${at}: ${value} is below ${minimum}`];
  return maximum !== undefined && value > maximum ? [`${at}: ${value} is above ${maximum}`] : [];
}

function arrayProblems(values: unknown[], schema: Schema, root: Schema, at: string): string[] {
  const { items, minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
  if (values.length < minItems || values.length > maxItems) {
    return [`${at}: ${values.length} elements`];
  }
  if (items === undefined) return [];
  return values.flatMap((value, index) => problemsOf(value, items, root, `${at}/${index}`));
}

function objectProblems(
  value: Record<string, unknown>,
  { required = [], properties = {}, additionalProperties = true }: Schema,
  root: Schema,
  at: string,
): string[] {
  const missing = required.filter((name) => value[name] === undefined);
  const problems = missing.map((name) => `${at}/${name}: missing`);
  for (const [name, part] of Object.entries(value)) {
    if (part === undefined) continue;
    const schema = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (schema === false) problems.push(`${at}/${name}: unknown`);
    else if (schema !== true) problems.push(...problemsOf(part, schema, root, `${at}/${name}`));
  }
  return problems;
}

function isOf(type: string, value: unknown): boolean {
  if (type === 'integer') return Number.isInteger(value);
  return type === typeName(value);
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'number') return Number.isFinite(value) ? 'number' : 'no number';
  return Array.isArray(value) ? 'array' : typeof value;
}
