/** From the registry's last decode to the game's handlers. */
import { type MessageType, MODE_RELIABLE_ORDERED, type Registry } from '../messages/types.js';
import type { Dispatcher } from './dispatcher.js';
import { DROP_UNHANDLED, type SessionDrops } from './drops.js';
import type { Meta } from './types.js';

export interface DispatchContext<O> {
  readonly registry: Registry<object>;
  readonly dispatcher: Dispatcher<O>;
  readonly drops: SessionDrops;
  readonly onUnhandled: ((owner: O, type: string, value: unknown) => void) | null;
}

/** What `registry.decode` has just found goes to its handlers. */
export function dispatchDecoded<O>(context: DispatchContext<O>, owner: O, meta: Meta): void {
  const { registry, dispatcher, onUnhandled } = context;
  const { decoded } = registry;
  const { type } = decoded;
  if (decoded.id === 0 || type === null) {
    dispatchValue(context, owner, decoded.name, type ?? undefined, decoded.payload, meta);
    return;
  }
  const { bytes, bodyOffset, bodyLength } = decoded;
  if (dispatcher.dispatchBytes(owner, type, bytes, bodyOffset, bodyLength, meta)) return;
  if (onUnhandled === null) context.drops.count(DROP_UNHANDLED);
  else onUnhandled(owner, type.name, type.read(bytes, bodyOffset, bodyLength));
}

export function dispatchValue<O>(
  context: DispatchContext<O>,
  owner: O,
  name: string,
  type: MessageType | undefined,
  value: unknown,
  meta: Meta,
): void {
  if (context.dispatcher.dispatchValue(owner, name, type, value, meta)) return;
  if (context.onUnhandled === null) context.drops.count(DROP_UNHANDLED);
  else context.onUnhandled(owner, name, value);
}

/**
 * A type travels in its declared mode and channel. As JSON (id 0) it may also come reliable-ordered
 * on channel 0, from a peer that does not know it.
 */
export function isAsDeclared(
  type: MessageType | null,
  id: number,
  mode: number,
  channel: number,
): boolean {
  if (type !== null && type.mode === mode && type.channel === channel) return true;
  return id === 0 && mode === MODE_RELIABLE_ORDERED && channel === 0;
}
