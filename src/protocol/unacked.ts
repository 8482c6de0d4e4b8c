import { FRAGMENT_BYTES } from '../util/limits.js';
import { MODE_RELIABLE_ORDERED } from './api.js';
import type { Core } from './core.js';
import * as L from './layout.js';
import { frameBytes } from './messages.js';

/** A reliable message that the peer's application may not have: acknowledgements do not say it. */
export interface UnackedMessage {
  channel: number;
  mode: number;
  /** u32, counted per channel and mode from 0, in the order of `send`. */
  number: number;
  /** A copy. */
  bytes: Uint8Array;
  /** What EVENT_RECEIPT still owes; 0: nothing. */
  receipt: number;
}

/**
 * What the application at a flow's peer may not have: what is not acknowledged, and in an ordered stream
 * all that is behind that, because it is acknowledged when it has come, but delivered in its turn.
 */
export interface Unacked {
  /** Of each reliable stream that was ever used: the number that its next message gets. */
  readonly streams: readonly { channel: number; mode: number; next: number }[];
  /** In the order in which they were queued. */
  readonly messages: readonly UnackedMessage[];
}

/** Copies them all. Cold: once in the life of a flow that another one takes over from. */
export function readUnacked(core: Core, f: number): Unacked {
  const streams: { channel: number; mode: number; next: number }[] = [];
  const found: { message: UnackedMessage; queuedUs: number }[] = [];
  const words = core.sendStreams.words;
  const messageWords = core.messages.words;
  let stream = core.flows[f + L.F_SEND_STREAMS];
  for (; stream !== 0; stream = words[stream + L.S_FLOW_NEXT]) {
    const key = words[stream + L.S_KEY];
    if ((key & 3) < 2) {
      continue;
    }
    const next = words[stream + L.S_COUNT] >>> 0;
    const messages = messagesOf(core, stream);
    streams.push({ channel: key >> 2, mode: key & 3, next });
    for (let index = 0; index < messages.length; index += 1) {
      const message = messages[index];
      const isAcked = (messageWords[message + L.M_FLAGS] & L.MESSAGE_ACKED) !== 0;
      if (isAcked && (key & 3) !== MODE_RELIABLE_ORDERED) {
        continue;
      }
      found.push({
        message: {
          channel: key >> 2,
          mode: key & 3,
          number: (next - messages.length + index) >>> 0,
          bytes: copyOf(core, message),
          receipt: messageWords[message + L.M_RECEIPT],
        },
        queuedUs: messageWords[message + L.M_EXPIRES_US],
      });
    }
  }
  found.sort((a, b) => (a.queuedUs - b.queuedUs) | 0);
  return { streams, messages: found.map(({ message }) => message) };
}

/** Records of a stream's messages, the oldest first: those sent and kept, then those still to be sent. */
function messagesOf(core: Core, stream: number): number[] {
  const streams = core.sendStreams.words;
  const messages: number[] = [];
  for (const head of [streams[stream + L.S_SENT_HEAD], streams[stream + L.S_UNSENT_HEAD]]) {
    for (let message = head; message !== 0; message = core.messages.words[message + L.M_NEXT]) {
      messages.push(message);
    }
  }
  return messages;
}

function copyOf(core: Core, message: number): Uint8Array {
  const words = core.messages.words;
  const data = words[message + L.M_DATA];
  const fragments = words[message + L.M_FRAGMENTS];
  const bytes = new Uint8Array(words[message + L.M_LENGTH]);
  for (let index = 0; index < Math.max(1, fragments); index += 1) {
    const handle = fragments === 0 ? data : core.blocks.words[data + index];
    const size = frameBytes(core, message, index);
    bytes.set(core.sendBytes.view(handle).subarray(0, size), index * FRAGMENT_BYTES);
  }
  return bytes;
}
