// The contract of the message layer. A message type has one value and two codecs: FlatBuffers
// (UDP) and JSON (WebSocket). Generated code implements MessageType, registry.ts implements
// Registry. See docs/wire/messages.md.

import { TransportError } from '../util/errors.js';
import { RELIABLE_MESSAGE_BYTES_MAX } from '../util/limits.js';

/** Delivery modes; the numbers are the MM bits of an RL1 message frame. */
export const MODE_UNRELIABLE = 0;
export const MODE_UNRELIABLE_SEQUENCED = 1;
export const MODE_RELIABLE_UNORDERED = 2;
export const MODE_RELIABLE_ORDERED = 3;
export type Mode = 0 | 1 | 2 | 3;

/**
 * Largest encoded body on either wire: FlatBuffers bytes, or UTF-8 bytes of a JSON frame. Two bytes
 * of the largest reliable message are the type id's.
 */
export const BODY_BYTES_MAX = RELIABLE_MESSAGE_BYTES_MAX - 2;
/** Type id 0: the body is UTF-8 JSON `{type, payload}`. */
export const ID_JSON = 0;
/** Type ids 1–31 belong to the runtime. */
export const ID_RUNTIME_MAX = 31;
/** Type ids of games, written in the schema as `message_id`. */
export const ID_USER_MIN = 32;
export const ID_USER_MAX = 16383;

export type MessageErrorCode =
  /** The value does not fit its schema; `path` names the field. */
  | 'bad-value'
  /** The encoded body is over BODY_BYTES_MAX. */
  | 'message-too-large'
  /** The text is not JSON, is nested too deep, or holds a forbidden key. */
  | 'bad-json'
  /** JSON, but not an object `{type: string, payload?}`. */
  | 'bad-frame'
  /** A user type whose name begins with `$`, or a runtime frame where none is allowed. */
  | 'reserved-type'
  /** createRegistry: a name or id given twice, out of range or reserved. */
  | 'bad-registry';

export class MessageError extends TransportError {
  declare readonly code: MessageErrorCode;
  /** Where in the value, for example `Snapshot.players[3].health`; empty when not about a field. */
  readonly path: string;

  constructor(code: MessageErrorCode, message: string, path = '') {
    super(code, path === '' ? message : `${path}: ${message}`);
    this.name = 'MessageError';
    this.path = path;
  }
}

/** One registered message. `V` is the plain value, `View` the reused accessor over its bytes. */
export interface MessageType<V = unknown, View = unknown> {
  readonly name: string;
  readonly id: number;
  readonly mode: Mode;
  readonly channel: number;
  /** u32 over name, id, mode, channel and the layout of every type reached from it. */
  readonly hash: number;
  /** Upper bound of an encoded body, from the schema; BODY_BYTES_MAX when it has none. */
  readonly maxBytes: number;
  /**
   * A fresh value exactly as both wires deliver it: defaults filled, floats rounded to their
   * width, -0 made 0. Unknown fields are refused when `strict`, else stripped.
   * @throws MessageError 'bad-value' with the path
   */
  normalize(value: unknown, strict: boolean): V;
  /**
   * True when `encode` may take the value as it is: every field present and in range (rounding and
   * unknown fields do not matter). Allocates nothing, so that the send path can skip normalize.
   */
  accepts(value: unknown): value is V;
  /**
   * Writes FlatBuffers bytes into out[offset, offset + capacity) and returns their number, or -1
   * when they do not fit (bytes there are then undefined). Trusts the value: it came from
   * `normalize` or passed `accepts`. Allocates nothing.
   */
  encode(value: V, out: Uint8Array, offset: number, capacity: number): number;
  /**
   * Complete check of untrusted bytes: bounds, alignment, UTF-8, and every range that `normalize`
   * checks. Never throws, allocates nothing. `view` and `read` need a true from here.
   */
  verify(bytes: Uint8Array, offset: number, length: number): boolean;
  /** The one reused accessor set on verified bytes; valid until the next call or until they change. */
  view(bytes: Uint8Array, offset: number, length: number): View;
  /** A plain object from verified bytes, equal to what `normalize` gave the sender. */
  read(bytes: Uint8Array, offset: number, length: number): V;
}

/** Results of Registry.decode. Everything from DECODE_EMPTY on is a refusal to count and drop. */
export const DECODE_OK = 0;
/** A runtime message: a raw body of id 1–31, or an id 0 frame whose type begins with `$`. */
export const DECODE_RUNTIME = 1;
export const DECODE_EMPTY = 2;
export const DECODE_BAD_ID = 3;
export const DECODE_UNKNOWN_ID = 4;
export const DECODE_TOO_LARGE = 5;
export const DECODE_BAD_BODY = 6;
export const DECODE_BAD_JSON = 7;
export type DecodeStatus = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;
/** Counter names in the order of the statuses. */
export const DECODE_STATUS_NAMES: readonly string[] = [
  'ok',
  'runtime',
  'message-empty',
  'message-bad-id',
  'message-unknown-id',
  'message-too-large',
  'message-bad-body',
  'message-bad-json',
];

/** What the last Registry.decode found; one reused object, valid until the next decode. */
export interface Decoded {
  /** Type id on the wire: 0 when the body is JSON. */
  id: number;
  /** Type name; empty for a raw runtime body. */
  name: string;
  /** The registered type; null for unregistered names and runtime messages. */
  type: MessageType | null;
  bytes: Uint8Array;
  bodyOffset: number;
  bodyLength: number;
  /** Set for id 0 only: the payload, normalised when the name is registered. */
  payload: unknown;
}

export interface JsonFrame {
  readonly type: string;
  readonly payload: unknown;
}

/** `R` maps type names to values: `{ Input: InputValue; … }`. */
export interface Registry<R extends object = Record<string, unknown>> {
  /** u32 over the types; the order of registration does not matter. */
  readonly hash: number;
  /** Development: unknown fields are refused, and views that are used too late. */
  readonly strict: boolean;
  /** Ascending by id. */
  readonly types: readonly MessageType[];
  /** Phantom: carries R for inference. Never set. */
  readonly values?: R;
  typeByName(name: string): MessageType | undefined;
  typeById(id: number): MessageType | undefined;
  /**
   * Message data = varint id ‖ body. Unregistered names become id 0 with a JSON body.
   * @returns bytes written, or -1 when `capacity` is too small (and below the limit)
   * @throws MessageError bad-value, message-too-large, reserved-type
   */
  encode(name: string, value: unknown, out: Uint8Array, offset: number, capacity: number): number;
  /** As encode, of one of `types`. */
  encodeAs(
    type: MessageType,
    value: unknown,
    out: Uint8Array,
    offset: number,
    capacity: number,
  ): number;
  /** Encodes even a registered type as id 0, for a peer whose registry does not know its id. */
  encodeAsJson(
    name: string,
    value: unknown,
    out: Uint8Array,
    offset: number,
    capacity: number,
  ): number;
  /** Never throws. On DECODE_OK the body of a registered type has been verified. */
  decode(bytes: Uint8Array, offset: number, length: number): DecodeStatus;
  readonly decoded: Decoded;
  /** The plain value of the last decode that gave DECODE_OK (or a `$` frame's payload). */
  decodedValue(): unknown;
  /** The WebSocket text frame. @throws MessageError as encode */
  toJson(name: string, value: unknown): string;
  /** A user's frame; payloads of registered types are normalised. @throws MessageError */
  fromJson(text: string): JsonFrame;
  /** The runtime's own frames; not for games. */
  readonly runtime: RuntimeFrames;
}

/** Frames of the runtime itself: `$` names as JSON on both wires, ids 1–31 as raw bodies. */
export interface RuntimeFrames {
  /** Id 0 with a `$` name. @returns bytes written or -1 */
  encode(name: string, payload: unknown, out: Uint8Array, offset: number, capacity: number): number;
  /** Writes the id 1–31 of a raw body; the caller writes the body behind it. @returns 1 or -1 */
  encodeId(id: number, out: Uint8Array, offset: number, capacity: number): number;
  toJson(name: string, payload: unknown): string;
  /** As Registry.fromJson, and lets `$` frames through (their payload only checked as JSON). */
  fromJson(text: string): JsonFrame;
}

declare const VIEWS: unique symbol;

/** Phantom: carries the views of registered types beside their values. Never set. */
export type HasViews<Views> = { readonly [VIEWS]?: Views };

/** Values (and, unseen, views) by name of a record of types, as createRegistry takes it. */
export type ValuesOf<T> = {
  [K in keyof T]: T[K] extends MessageType<infer V, infer _View> ? V : never;
} & HasViews<{ [K in keyof T]: T[K] extends MessageType<infer _V, infer View> ? View : never }>;

/**
 * The messages of a registry, for type arguments; add JSON types that it does not know:
 * `type Messages = MessagesOf<typeof registry> & { chat: string }`.
 */
export type MessagesOf<G> = G extends { readonly values?: infer R } ? NonNullable<R> : never;

/** Views by name, as far as the messages came from a registry; else none. */
export type ViewsOf<R> = R extends HasViews<infer Views> ? NonNullable<Views> : object;

/** Names of types that a handler of `View` serves: where views are known, those with that view. */
export type NamesWithView<R, View> = {
  [K in keyof R & string]: keyof ViewsOf<R> extends never
    ? K
    : K extends keyof ViewsOf<R>
      ? ViewsOf<R>[K] extends View
        ? K
        : never
      : never;
}[keyof R & string];
