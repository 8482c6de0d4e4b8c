/**
 * Handlers by message type. The owner (a player, or the client's connection) is handed through,
 * so that one table serves all players. A handler that throws, at once or as an async function later,
 * affects its own message only.
 */
import { checkUserName } from '../messages/json.js';
import { BODY_BYTES_MAX, MessageError, type MessageType } from '../messages/types.js';
import { checkHandler, watchResult } from '../util/handlers.js';
import type { Meta } from './types.js';
import { UdpMeta } from './udp-meta.js';

export type ValueHandler<O> = (owner: O, value: never, meta: Meta) => void;

interface Handlers<O> {
  values: ((owner: O, value: unknown, meta: Meta) => void)[];
  views: ((owner: O, view: unknown, meta: Meta) => void)[];
}

export class Dispatcher<O> {
  /** Handlers read it during their call, and calls do not nest. */
  readonly udpMeta = new UdpMeta();
  readonly #byType = new Map<string, Handlers<O>>();
  /** The same by type id, as far as they were looked for. */
  readonly #byId: (Handlers<O> | undefined)[] = [];
  readonly #onError: (error: unknown, type: string) => void;
  readonly #before = new Map<string, () => void>();
  #scratch: Uint8Array | null = null;

  constructor(onError: (error: unknown, type: string) => void) {
    this.#onError = onError;
  }

  /**
   * Adds a handler of plain values; returns the function that removes it.
   *
   * @throws MessageError reserved-type, bad-frame: no message of a game can have this name
   */
  on(type: string, handler: (owner: O, value: unknown, meta: Meta) => void): () => void {
    return this.#add(type, 'values', handler);
  }

  /** Adds a handler of views, which are valid only during the call. */
  onView(type: string, handler: (owner: O, view: unknown, meta: Meta) => void): () => void {
    return this.#add(type, 'views', handler);
  }

  /** Runs `work` once, right before the next message of the type is dispatched. */
  setBefore(type: string, work: () => void): void {
    this.#before.set(type, work);
  }

  handlesValues(type: string): boolean {
    const handlers = this.#byType.get(type);
    return handlers !== undefined && handlers.values.length > 0;
  }

  /** Verified FlatBuffers bytes. Returns whether any handler took the message. */
  dispatchBytes(
    owner: O,
    type: MessageType,
    bytes: Uint8Array,
    offset: number,
    length: number,
    meta: Meta,
  ): boolean {
    if (this.#before.size > 0) this.#runBefore(type.name);
    const { id } = type;
    const handlers = (id < this.#byId.length ? this.#byId[id] : undefined) ?? this.#find(type);
    if (handlers === undefined) return false;
    // Who is there when the message comes gets it, whatever handlers do to the lists meanwhile.
    const { views, values } = handlers;
    for (let i = 0; i < views.length; i++) {
      this.#call(views[i], owner, type.view(bytes, offset, length), meta, type.name);
    }
    for (let i = 0; i < values.length; i++) {
      this.#call(values[i], owner, type.read(bytes, offset, length), meta, type.name);
    }
    return values.length + views.length > 0;
  }

  /** A normalised value. View handlers get it as a view over freshly encoded bytes. */
  dispatchValue(
    owner: O,
    name: string,
    type: MessageType | undefined,
    value: unknown,
    meta: Meta,
  ): boolean {
    if (this.#before.size > 0) this.#runBefore(name);
    const handlers = this.#byType.get(name);
    if (handlers === undefined) return false;
    const { views, values } = handlers; // as in dispatchBytes
    if (type !== undefined && views.length > 0) {
      this.#scratch ??= new Uint8Array(BODY_BYTES_MAX);
      const scratch = this.#scratch;
      const length = type.encode(value, scratch, 0, scratch.length);
      // Short JSON may stand for more bytes than a body may have: defaults are filled in.
      if (length < 0) this.#onError(tooLarge(name), name);
      for (let i = 0; length >= 0 && i < views.length; i++) {
        this.#call(views[i], owner, type.view(scratch, 0, length), meta, name);
      }
    }
    for (let i = 0; i < values.length; i++) {
      this.#call(values[i], owner, value, meta, name);
    }
    return values.length + views.length > 0;
  }

  /** What is found stays: of a name that has no handlers any more, the lists are empty. */
  #find(type: MessageType): Handlers<O> | undefined {
    const handlers = this.#byType.get(type.name);
    while (this.#byId.length <= type.id) this.#byId.push(undefined);
    this.#byId[type.id] = handlers;
    return handlers;
  }

  #runBefore(type: string): void {
    const work = this.#before.get(type);
    this.#before.delete(type);
    work?.();
  }

  #call(
    handler: (owner: O, value: unknown, meta: Meta) => void,
    owner: O,
    value: unknown,
    meta: Meta,
    type: string,
  ): void {
    try {
      const result: unknown = handler(owner, value, meta);
      if (result !== undefined) this.#watch(result, type);
    } catch (error) {
      this.#onError(error, type);
    }
  }

  /** Apart from `#call`, which would allocate the closure's context for every message. */
  #watch(result: unknown, type: string): void {
    watchResult(result, (error) => this.#onError(error, type));
  }

  #add(
    type: string,
    kind: 'values' | 'views',
    handler: (owner: O, value: unknown, meta: Meta) => void,
  ): () => void {
    checkUserName(type);
    checkHandler(handler);
    let handlers = this.#byType.get(type);
    if (handlers === undefined) {
      handlers = { values: [], views: [] };
      this.#byType.set(type, handlers);
    }
    // Arrays are replaced, never changed: a handler may add or remove handlers during dispatch.
    handlers[kind] = [...handlers[kind], handler];
    const owner = handlers;
    return () => {
      owner[kind] = owner[kind].filter((other) => other !== handler);
    };
  }
}

function tooLarge(name: string): MessageError {
  return new MessageError('message-too-large', `body is over ${BODY_BYTES_MAX} bytes`, name);
}
