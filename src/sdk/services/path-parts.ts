/** What programs put into paths: it must stay one part of the path it was meant for. */
import { badOption } from '../../util/errors.js';
import { integer } from '../../util/option-checks.js';

/**
 * A name as one part of a path. URLs resolve `.` and `..` away, encoded or not (WHATWG URL §4.4), and
 * without a name the path is the collection's: that would be another call.
 *
 * @throws TransportError bad-option
 */
export function namePart(name: string, value: string): string {
  if (typeof value !== 'string' || /^\.{0,2}$/.test(value)) {
    throw badOption(name, value, 'a text other than "", "." and ".."');
  }
  return encodeURIComponent(value);
}

/** @throws TransportError bad-option */
export function idPart(name: string, value: number): string {
  return String(readId(name, value));
}

/** The API counts from 1. @throws TransportError bad-option */
export function readId(name: string, value: number): number {
  return integer(name, value, 1, Number.MAX_SAFE_INTEGER);
}
