// What must hold of untrusted bytes: verify says false, or every way to read them is safe and gives one
// value that our own schema accepts.
import { isDeepStrictEqual } from 'node:util';
import type { MessageType } from '../../src/messages/index.js';
import { readView } from './oracle.js';
import type { Subject } from './types.js';

const GUARD = 16;

/** A copy between guard bytes, so that a read past the message shows another value, not a throw. */
function guarded(bytes: Uint8Array, guard: number, shift: number): Uint8Array {
  const copy = new Uint8Array(bytes.length + 2 * GUARD).fill(guard);
  copy.set(bytes, GUARD + shift);
  return copy;
}

export interface Safety {
  isValid: boolean;
  /** What does not hold, or null. */
  flaw: string | null;
}

/**
 * @param shift of the first byte from a multiple of 16: alignment counts from the message, not from memory
 * @param type another one than the subject's, to plant faults
 */
export function safetyOf(
  subject: Subject,
  bytes: Uint8Array,
  shift = 0,
  type: MessageType = subject.type,
): Safety {
  const low = guarded(bytes, 0x00, shift);
  const high = guarded(bytes, 0xff, shift);
  const at = GUARD + shift;
  try {
    const isValid = type.verify(low, at, bytes.length);
    if (isValid !== type.verify(high, at, bytes.length)) {
      return { isValid, flaw: 'verify reads beyond the message' };
    }
    return {
      isValid,
      flaw: isValid ? flawOfValid(subject, type, low, high, at, bytes.length) : null,
    };
  } catch (error) {
    return { isValid: true, flaw: `threw ${String(error)}` };
  }
}

function flawOfValid(
  { model }: Subject,
  type: MessageType,
  low: Uint8Array,
  high: Uint8Array,
  at: number,
  length: number,
): string | null {
  const value = type.read(low, at, length);
  if (!isDeepStrictEqual(type.read(high, at, length), value))
    return 'read reads beyond the message';
  if (!isDeepStrictEqual(readView(model, type.view(high, at, length)), value)) {
    return 'view and read differ';
  }
  if (!type.accepts(value)) return 'the value is none that could be sent';
  return isDeepStrictEqual(type.normalize(value, true), value) ? null : 'the value is not normal';
}
