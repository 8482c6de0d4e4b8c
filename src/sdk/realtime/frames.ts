/** What the server pushes: text frames `{"type": string, "payload"?: any}`. */
import { RequestError } from '../errors.js';

export const EVENT_MATCHMAKER_MATCHED = 'matchmaker_matched';
export const EVENT_PRESENCE = 'presence';
export const EVENT_GAME_INVITE = 'game_invite';
export const EVENT_PARTY_CHANGED = 'party_changed';
export const EVENT_PARTY_INVITE = 'party_invite';

export interface RealtimeMessage {
  /** One of the EVENT_… or one that a newer server has: what is unknown passes through. */
  readonly type: string;
  /** As the server wrote it, names in snake_case; undefined when it wrote none. */
  readonly payload: unknown;
}

/** The frame, or why it is none; a frame that is broken ends nothing. */
export function parseFrame(text: string): RealtimeMessage | RequestError {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch (cause) {
    return new RequestError('decode', 'a realtime frame is not JSON', { cause });
  }
  const { type, payload } = (frame ?? {}) as { type?: unknown; payload?: unknown };
  if (typeof type === 'string' && type !== '') return { type, payload };
  return new RequestError('decode', 'a realtime frame has no type');
}
