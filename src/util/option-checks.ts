/** Checks of options that programs give: every refusal names the field, the value and the range. */
import { badOption, TransportError } from './errors.js';

/** @throws TransportError bad-option */
export function integer(name: string, value: unknown, min: number, max: number): number {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    throw badOption(name, value, `an integer ${min}…${max}`);
  }
  return value as number;
}

/** @throws TransportError bad-option */
export function number(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !(value >= min && value <= max)) {
    throw badOption(name, value, `a number ${min}…${max}`);
  }
  return value;
}

/** Left out is false. @throws TransportError bad-option */
export function flag(name: string, value: unknown): boolean {
  if (value !== undefined && typeof value !== 'boolean') {
    throw badOption(name, value, 'true or false');
  }
  return value === true;
}

/** @throws TransportError bad-option */
export function oneOf<T extends string>(name: string, value: unknown, accepted: readonly T[]): T {
  if (accepted.includes(value as T)) return value as T;
  throw badOption(name, value, accepted.map((word) => `'${word}'`).join(', '));
}

/**
 * Refuses names that are not known, and null: whether it means the default or nothing is a guess.
 * `prefix` is put before names: '' for the options themselves, 'udp.' for those under `udp`.
 *
 * @throws TransportError bad-option
 */
export function refuseUnknown(prefix: string, options: unknown, known: ReadonlySet<string>): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw badOption(prefix === '' ? 'options' : prefix.slice(0, -1), options, 'an object');
  }
  for (const [name, value] of Object.entries(options)) {
    if (known.has(name) && value === null) {
      throw badOption(prefix + name, value, 'a value, or nothing at all');
    }
    if (known.has(name)) continue;
    throw new TransportError(
      'bad-option',
      `ggscale: unknown option ${prefix}${name}; known: ${[...known].join(', ')}`,
    );
  }
}
