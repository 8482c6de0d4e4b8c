// JSON frames `{"type": string, "payload"?: any}`: the body of type id 0 and the WebSocket text
// frame. Everything wrong with one is a MessageError; nothing here crashes on hostile text.

import { utf8Length } from './text.js';
import { BODY_BYTES_MAX, type JsonFrame, MessageError } from './types.js';

/** Arrays and objects of an unregistered payload may nest this deep. */
export const JSON_DEPTH_MAX = 64;

/** @throws MessageError bad-frame for an empty name, reserved-type for one that begins with `$` */
export function checkUserName(name: string): void {
  if (typeof name !== 'string' || name === '') {
    throw new MessageError('bad-frame', 'a message type is a string that is not empty');
  }
  if (name.charCodeAt(0) === 0x24) {
    throw new MessageError('reserved-type', `type names that begin with $ are reserved: ${name}`);
  }
}

/**
 * The text of a frame. `payload` is a normalised value, or was passed through checkPayload.
 * @throws MessageError bad-value (cycles, BigInt), message-too-large
 */
export function stringifyFrame(type: string, payload: unknown): string {
  let text: string;
  try {
    text = JSON.stringify({ type, payload });
  } catch (error) {
    throw new MessageError('bad-value', `not JSON: ${(error as Error).message}`, type);
  }
  checkBytes(text);
  return text;
}

/** @throws MessageError message-too-large, bad-json, bad-frame */
export function parseFrame(text: string): JsonFrame {
  checkBytes(text);
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    throw new MessageError('bad-json', 'the frame is not JSON');
  }
  if (typeof frame !== 'object' || frame === null || !Object.hasOwn(frame, 'type')) {
    throw new MessageError('bad-frame', 'the frame is not an object with a type');
  }
  const { type, payload } = frame as { type: unknown; payload?: unknown };
  if (typeof type !== 'string' || type === '') {
    throw new MessageError('bad-frame', 'the type of a frame is a string that is not empty');
  }
  return { type, payload };
}

/**
 * What no schema checks: depth (cycles end here, too) and keys that reach a prototype when a handler
 * merges the payload into an object of its own.
 * @throws MessageError bad-json
 */
export function checkPayload(value: unknown, path: string, depth = 1): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > JSON_DEPTH_MAX) {
    throw new MessageError('bad-json', `nests deeper than ${JSON_DEPTH_MAX}`, path);
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) checkPayload(value[i], path, depth + 1);
    return;
  }
  const fields = value as Record<string, unknown>;
  for (const key in fields) {
    if (!Object.hasOwn(fields, key)) continue;
    if (key === '__proto__' || (key === 'constructor' && reachesPrototype(fields[key]))) {
      throw new MessageError('bad-json', `the key ${key} is forbidden`, path);
    }
    checkPayload(fields[key], path, depth + 1);
  }
}

function reachesPrototype(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype');
}

function checkBytes(text: string): void {
  if (text.length * 3 <= BODY_BYTES_MAX) return;
  if (text.length > BODY_BYTES_MAX || utf8Length(text) > BODY_BYTES_MAX) {
    throw new MessageError('message-too-large', `a frame is at most ${BODY_BYTES_MAX} bytes`);
  }
}
