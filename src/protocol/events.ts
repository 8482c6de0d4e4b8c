import { copyBytes } from '../util/copy-bytes.js';
import { FRAGMENT_BYTES } from '../util/limits.js';
import { EVENT_MESSAGE, EVENT_NONE, EVENT_READY, EVENT_RECEIPT, EVENT_VIOLATION } from './api.js';
import type { Core } from './core.js';
import * as L from './layout.js';

const EMPTY = new Uint8Array(0);

/**
 * Notes an event for pollEvent. Messages that came whole and in order are offset and length in the
 * packet's bytes (`held` 0); others are held records, which the queue owns from here on.
 */
export function pushEvent(
  core: Core,
  f: number,
  kind: number,
  held: number,
  key: number,
  id: number,
  offset: number,
  length: number,
): void {
  const at = core.events.push();
  const words = core.events.words;
  words[at + L.E_KIND] = kind;
  words[at + L.E_SLOT] = f >> L.FLOW_STRIDE_LOG2;
  words[at + L.E_GENERATION] = core.flows[f + L.F_GENERATION];
  words[at + L.E_HELD] = held;
  words[at + L.E_KEY] = key;
  words[at + L.E_ID] = id;
  words[at + L.E_OFFSET] = offset;
  words[at + L.E_LENGTH] = length;
}

/** Fills `core.event` with the next event of a live flow; its kind. */
export function nextEvent(core: Core): number {
  const event = core.event;
  const flows = core.flows;
  releaseDelivered(core);
  for (;;) {
    const at = core.events.shift();
    if (at < 0) {
      event.kind = EVENT_NONE;
      event.bytes = EMPTY;
      return EVENT_NONE;
    }
    const words = core.events.words;
    const slot = words[at + L.E_SLOT];
    const held = words[at + L.E_HELD];
    const f = slot << L.FLOW_STRIDE_LOG2;
    if (
      words[at + L.E_GENERATION] !== flows[f + L.F_GENERATION] ||
      (flows[f + L.F_STATE] === L.STATE_CLOSING && isBehindClose(core, at))
    ) {
      if (held !== 0) {
        freeHeld(core, held);
      }
      continue;
    }
    const kind = words[at + L.E_KIND];
    const key = words[at + L.E_KEY];
    event.kind = kind;
    event.slot = slot;
    event.channel = (key >> 2) & 0xff;
    event.mode = key & 3;
    event.messageId = words[at + L.E_ID];
    event.code = 0;
    event.length = words[at + L.E_LENGTH];
    event.offset = words[at + L.E_OFFSET];
    event.bytes = core.packetBytes;
    if (kind !== EVENT_MESSAGE) {
      describeCold(core, f, kind, at);
    } else if (held !== 0) {
      pointAtHeld(core, held);
    }
    return kind;
  }
}

/** What events that are no messages have beside or instead of the rest. */
function describeCold(core: Core, f: number, kind: number, at: number): void {
  const event = core.event;
  event.code = core.events.words[at + L.E_ID];
  if (kind === EVENT_RECEIPT) {
    event.receipt = event.offset;
    event.offset = 0;
  } else if (kind === EVENT_READY) {
    event.registryHash = core.flows[f + L.F_PEER_HASH] >>> 0;
  }
}

/**
 * A handler closed the flow (STATE_CLOSING): what came in the same packet is not for it any more. Its CLOSE must not
 * acknowledge that packet then, so it acknowledges nothing.
 */
function isBehindClose(core: Core, at: number): boolean {
  const words = core.events.words;
  const f = words[at + L.E_SLOT] << L.FLOW_STRIDE_LOG2;
  const kind = words[at + L.E_KIND];
  if (kind === EVENT_VIOLATION) {
    return false;
  }
  if (kind === EVENT_MESSAGE) {
    core.flows[f + L.F_FLAGS] &= ~L.FLAG_RECEIVED;
  }
  return true;
}

/** A held message stays readable until the next poll, so that its handler may call `send`. */
function pointAtHeld(core: Core, held: number): void {
  const event = core.event;
  const words = core.held.words;
  const length = words[held + L.H_LENGTH];
  event.length = length;
  core.delivered = held;
  if (words[held + L.H_FRAGMENTS] === 0) {
    const handle = words[held + L.H_DATA];
    event.bytes = core.receiveBytes.page(handle);
    event.offset = core.receiveBytes.offset(handle);
    return;
  }
  if (core.scratch.length < length) {
    core.scratch = new Uint8Array(Math.max(length, core.scratch.length * 2));
  }
  const block = words[held + L.H_DATA];
  const fragments = words[held + L.H_FRAGMENTS];
  for (let index = 0; index < fragments; index += 1) {
    const handle = core.blocks.words[block + index] - 1;
    const size = index === fragments - 1 ? length - index * FRAGMENT_BYTES : FRAGMENT_BYTES;
    if (size === FRAGMENT_BYTES) {
      core.scratch.set(core.receiveBytes.view(handle), index * FRAGMENT_BYTES);
      continue;
    }
    copyBytes(
      core.receiveBytes.page(handle),
      core.receiveBytes.offset(handle),
      core.scratch,
      index * FRAGMENT_BYTES,
      size,
    );
  }
  event.bytes = core.scratch;
  event.offset = 0;
}

/** Frees the message that the last event pointed at. */
export function releaseDelivered(core: Core): void {
  if (core.delivered !== 0) {
    freeHeld(core, core.delivered);
    core.delivered = 0;
  }
}

/** Frees a held message or partial and its bytes. */
export function freeHeld(core: Core, held: number): void {
  const words = core.held.words;
  const data = words[held + L.H_DATA];
  const fragments = words[held + L.H_FRAGMENTS];
  core.reservedBytes -= words[held + L.H_RESERVED];
  if (fragments === 0) {
    core.receiveBytes.free(data);
  } else {
    for (let index = 0; index < fragments; index += 1) {
      const handle = core.blocks.words[data + index];
      if (handle !== 0) {
        core.receiveBytes.free(handle - 1);
      }
    }
    core.blocks.free(data, words[held + L.H_DATA_LOG2]);
  }
  core.held.free(held);
}
