import { type MessageType, MODE_UNRELIABLE_SEQUENCED, type Mode } from '../messages/types.js';

/** Of type ids, 32 … 16383, and of keys, 1 … 2^31 − 1. */
const ID_BITS = 14;
const KEY_BITS = 31;

/**
 * What RL1 is told of a message: above 0 the key of the one that it may replace, below 0 the kind of a
 * sequenced one without a key, which a newer one of its kind makes stale while it waits; 0 neither.
 *
 * RL1's keys are those of a channel and mode, which several types may share; the game's are those of a
 * type. So the id goes into the key from the top down, its lowest bit highest. Keys of one type
 * stay apart; those of two types do when they are below 2^17, and beyond but for one chance in 2^31.
 */
export function flowKey(
  type: MessageType | undefined,
  mode: Mode,
  key: number | undefined,
): number {
  if (type === undefined) return key ?? 0;
  if (key === undefined) return mode === MODE_UNRELIABLE_SEQUENCED ? -1 - type.id : 0;
  let mark = 0;
  for (let bit = 0; bit < ID_BITS; bit += 1) mark |= ((type.id >> bit) & 1) << (KEY_BITS - 1 - bit);
  const marked = key ^ mark;
  return marked === 0 ? mark : marked; // 0 is no key, and nothing else becomes `mark`
}
