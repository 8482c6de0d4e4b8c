// The registry: names and ids to message types, message data = varint id ‖ body, JSON frames.

import { flag, refuseUnknown } from '../util/option-checks.js';
import { dataViewOf } from './flat.js';
import { checkPayload, checkUserName, parseFrame, stringifyFrame } from './json.js';
import { readUtf8, utf8Length, writeUtf8 } from './text.js';
import {
  BODY_BYTES_MAX,
  DECODE_BAD_BODY,
  DECODE_BAD_ID,
  DECODE_BAD_JSON,
  DECODE_EMPTY,
  DECODE_OK,
  DECODE_RUNTIME,
  DECODE_TOO_LARGE,
  DECODE_UNKNOWN_ID,
  type Decoded,
  type DecodeStatus,
  ID_JSON,
  ID_RUNTIME_MAX,
  ID_USER_MAX,
  ID_USER_MIN,
  type JsonFrame,
  MessageError,
  type MessageType,
  type Registry,
  type RuntimeFrames,
  type ValuesOf,
} from './types.js';

export interface RegistryOptions {
  /**
   * Development: refuse fields the schema does not know when sending, and views that are used after
   * their handler returned; else strip the former and miss the latter. Default false.
   */
  readonly strict?: boolean;
}

/**
 * @param types by name; each key is its type's own name
 * @throws MessageError 'bad-registry'; TransportError 'bad-option'
 */
export function createRegistry<T extends Record<string, MessageType>>(
  types: T,
  options: RegistryOptions = {},
): Registry<ValuesOf<T>> {
  refuseUnknown('', options, KNOWN);
  flag('strict', options.strict);
  for (const [key, type] of Object.entries(types)) {
    if (typeof type?.encode !== 'function') {
      throw new MessageError('bad-registry', `${key} is no message type`);
    }
    if (key !== type.name) {
      throw new MessageError('bad-registry', `${type.name} is registered as ${key}`);
    }
  }
  return new MessageRegistry(Object.values(types), options) as Registry<ValuesOf<T>>;
}

const KNOWN = new Set(['strict']);
/** Channel 31 is the session's (WIRE.md §2). */
const CHANNEL_USER_MAX = 30;

const NO_BYTES = new Uint8Array(0);

class MessageRegistry implements Registry {
  readonly hash: number;
  readonly types: readonly MessageType[];
  readonly decoded: Decoded = {
    id: 0,
    name: '',
    type: null,
    bytes: NO_BYTES,
    bodyOffset: 0,
    bodyLength: 0,
    payload: undefined,
  };
  readonly runtime: RuntimeFrames;
  readonly #byName = new Map<string, MessageType>();
  /** By id, up to the largest. */
  readonly #byId: (MessageType | undefined)[] = [];
  #lastName = '';
  #lastType: MessageType | undefined = undefined;
  readonly strict: boolean;

  constructor(types: readonly MessageType[], options: RegistryOptions) {
    this.types = [...types].sort((a, b) => a.id - b.id);
    this.strict = options.strict ?? false;
    for (const type of this.types) this.#register(type);
    this.hash = hashOf(this.types);
    this.runtime = {
      encode: (name, payload, out, offset, capacity) => {
        checkRuntimeName(name);
        return encodeText(stringifyFrame(name, payload), out, offset, capacity);
      },
      encodeId,
      toJson: (name, payload) => {
        checkRuntimeName(name);
        return stringifyFrame(name, payload);
      },
      fromJson: (text) => this.#receive(parseFrame(text)),
    };
  }

  typeByName(name: string): MessageType | undefined {
    return name === this.#lastName ? this.#lastType : this.#findName(name);
  }

  /** Senders often name one type many times in a row: comparing with it is cheaper than hashing. */
  #findName(name: string): MessageType | undefined {
    this.#lastName = name;
    this.#lastType = this.#byName.get(name);
    return this.#lastType;
  }

  typeById(id: number): MessageType | undefined {
    return id < this.#byId.length ? this.#byId[id] : undefined;
  }

  encode(name: string, value: unknown, out: Uint8Array, offset: number, capacity: number): number {
    const type = this.typeByName(name);
    return type === undefined
      ? this.encodeAsJson(name, value, out, offset, capacity)
      : this.encodeAs(type, value, out, offset, capacity);
  }

  encodeAs(
    type: MessageType,
    value: unknown,
    out: Uint8Array,
    offset: number,
    capacity: number,
  ): number {
    const room = Math.min(capacity, out.length - offset);
    const idBytes = type.id < 0x80 ? 1 : 2;
    if (room < idBytes) return -1;
    const normal = !this.strict && type.accepts(value) ? value : type.normalize(value, this.strict);
    const bodyBytes = type.encode(normal, out, offset + idBytes, room - idBytes);
    if (bodyBytes < 0) {
      if (room - idBytes < BODY_BYTES_MAX) return -1;
      throw new MessageError(
        'message-too-large',
        `body is over ${BODY_BYTES_MAX} bytes`,
        type.name,
      );
    }
    writeId(type.id, out, offset);
    return idBytes + bodyBytes;
  }

  encodeAsJson(
    name: string,
    value: unknown,
    out: Uint8Array,
    offset: number,
    capacity: number,
  ): number {
    return encodeText(this.toJson(name, value), out, offset, capacity);
  }

  decode(bytes: Uint8Array, offset: number, length: number): DecodeStatus {
    const { decoded } = this;
    decoded.name = '';
    decoded.type = null;
    decoded.payload = undefined;
    decoded.bytes = bytes;
    const id = readId(bytes, offset, length);
    if (id < 0) return length > 0 ? DECODE_BAD_ID : DECODE_EMPTY;
    const idBytes = id < 0x80 ? 1 : 2;
    decoded.id = id;
    decoded.bodyOffset = offset + idBytes;
    decoded.bodyLength = length - idBytes;
    if (decoded.bodyLength > BODY_BYTES_MAX) return DECODE_TOO_LARGE;
    if (id === ID_JSON) return this.#decodeJson();
    if (id <= ID_RUNTIME_MAX) return DECODE_RUNTIME;
    const type = this.typeById(id);
    if (type === undefined) return DECODE_UNKNOWN_ID;
    decoded.name = type.name;
    decoded.type = type;
    const isValid = type.verify(bytes, decoded.bodyOffset, decoded.bodyLength);
    return isValid ? DECODE_OK : DECODE_BAD_BODY;
  }

  decodedValue(): unknown {
    const { id, type, bytes, bodyOffset, bodyLength, payload } = this.decoded;
    if (id === ID_JSON || type === null) return payload;
    return type.read(bytes, bodyOffset, bodyLength);
  }

  toJson(name: string, value: unknown): string {
    const type = this.#byName.get(name);
    if (type !== undefined) return stringifyFrame(name, type.normalize(value, this.strict));
    checkUserName(name);
    checkPayload(value, name);
    return stringifyFrame(name, value);
  }

  fromJson(text: string): JsonFrame {
    const frame = parseFrame(text);
    checkUserName(frame.type);
    return this.#receive(frame);
  }

  /** Unknown fields are stripped here even in strict mode: a newer peer may send them. */
  #receive(frame: JsonFrame): JsonFrame {
    const type = this.#byName.get(frame.type);
    if (type !== undefined) {
      return { type: frame.type, payload: type.normalize(frame.payload, false) };
    }
    checkPayload(frame.payload, frame.type);
    return frame;
  }

  #decodeJson(): DecodeStatus {
    const { decoded } = this;
    const { bytes, bodyOffset, bodyLength } = decoded;
    try {
      const text = readUtf8(bytes, bodyOffset, bodyOffset + bodyLength);
      const frame = this.#receive(parseFrame(text));
      decoded.name = frame.type;
      decoded.type = this.#byName.get(frame.type) ?? null;
      decoded.payload = frame.payload;
      return frame.type.charCodeAt(0) === 0x24 ? DECODE_RUNTIME : DECODE_OK;
    } catch (error) {
      const isValue = error instanceof MessageError && error.code === 'bad-value';
      return isValue ? DECODE_BAD_BODY : DECODE_BAD_JSON;
    }
  }

  #register(type: MessageType): void {
    const { name, id } = type;
    if (name === '' || name.startsWith('$')) {
      throw new MessageError('bad-registry', `the name "${name}" is reserved`);
    }
    if (!Number.isInteger(id) || id < ID_USER_MIN || id > ID_USER_MAX) {
      throw new MessageError('bad-registry', `id ${id} of ${name} is not 32…16383`);
    }
    if (!Number.isInteger(type.channel) || type.channel < 0 || type.channel > CHANNEL_USER_MAX) {
      throw new MessageError('bad-registry', `channel ${type.channel} of ${name} is not 0…30`);
    }
    const other = this.typeById(id);
    if (other !== undefined) {
      throw new MessageError('bad-registry', `${name} and ${other.name} both have id ${id}`);
    }
    if (this.#byName.has(name)) {
      throw new MessageError('bad-registry', `two types are called ${name}`);
    }
    while (this.#byId.length <= id) this.#byId.push(undefined);
    this.#byId[id] = type;
    this.#byName.set(name, type);
  }
}

function checkRuntimeName(name: string): void {
  if (!name.startsWith('$')) {
    throw new MessageError('reserved-type', `a runtime frame's name begins with $: ${name}`);
  }
}

function encodeText(text: string, out: Uint8Array, offset: number, capacity: number): number {
  const end = offset + Math.min(capacity, out.length - offset);
  if (offset + 1 + utf8Length(text) > end) return -1;
  out[offset] = ID_JSON;
  return writeUtf8(dataViewOf(out), offset + 1, end, text) - offset;
}

function encodeId(id: number, out: Uint8Array, offset: number, capacity: number): number {
  if (!Number.isInteger(id) || id < 1 || id > ID_RUNTIME_MAX) {
    throw new MessageError('bad-registry', `id ${id} is not 1…${ID_RUNTIME_MAX}`);
  }
  if (capacity < 1 || offset >= out.length) return -1;
  out[offset] = id;
  return 1;
}

/** LEB128, 1–2 bytes. */
function writeId(id: number, out: Uint8Array, offset: number): void {
  if (id < 0x80) {
    out[offset] = id;
    return;
  }
  out[offset] = 0x80 | (id & 0x7f);
  out[offset + 1] = id >> 7;
}

/** @returns the id, or -1: empty, cut off, over 16383 or not the shortest form */
function readId(bytes: Uint8Array, offset: number, length: number): number {
  if (length < 1 || offset < 0 || offset + length > bytes.length) return -1;
  const first = bytes[offset];
  if (first < 0x80) return first;
  if (length < 2) return -1;
  const second = bytes[offset + 1];
  return second === 0 || second >= 0x80 ? -1 : (first & 0x7f) | (second << 7);
}

/** FNV-1a, 32 bits, over id and hash of each type, ascending by id, little-endian. */
function hashOf(types: readonly MessageType[]): number {
  let hash = 0x811c9dc5;
  for (const type of types) {
    for (const word of [type.id, type.hash]) {
      for (let shift = 0; shift < 32; shift += 8) {
        hash = Math.imul(hash ^ ((word >>> shift) & 0xff), 0x01000193);
      }
    }
  }
  return hash >>> 0;
}
