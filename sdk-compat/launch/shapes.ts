/** Holds a value against a shape of the contract. */
import type { FieldProblem } from './answers.js';
import type { FieldType, Shape } from './contract.js';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

const HOLDS: Record<FieldType, (value: unknown) => boolean> = {
  string: (value) => typeof value === 'string',
  integer: (value) => Number.isInteger(value),
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  time: (value) => typeof value === 'string' && TIME.test(value),
  array: (value) => Array.isArray(value),
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  any: () => true,
};

/** Empty: it fits. Fields that the shape does not know are findings, too. */
export function misfits(shape: Shape, value: unknown, at = 'body'): FieldProblem[] {
  if (!HOLDS.object(value)) return [{ message: 'expected object', location: at, value }];
  const found: FieldProblem[] = [];
  const rest = new Set(Object.keys(value as object));
  for (const [field, type] of Object.entries(shape)) {
    const name = field.replace(/\?$/, '');
    const given = (value as Record<string, unknown>)[name];
    rest.delete(name);
    if (given === undefined) {
      if (name === field) {
        found.push({ message: `expected required property ${name} to be present`, location: at });
      }
      continue;
    }
    if (HOLDS[type](given)) continue;
    found.push({ message: `expected ${type}`, location: `${at}.${name}`, value: given });
  }
  for (const name of rest)
    found.push({ message: 'unexpected property', location: `${at}.${name}` });
  return found;
}
