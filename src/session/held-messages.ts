import { MODE_RELIABLE_UNORDERED } from '../messages/types.js';
import { BEFORE_HELLO_BYTES_MAX, BEFORE_HELLO_MESSAGE_BYTES } from './limits.js';

export interface HeldMessage {
  channel: number;
  mode: number;
  messageId: number;
  bytes: Uint8Array;
}

/** Reliable messages of a UDP link that came ahead of its `$hello` or `$resumed`. */
export class HeldMessages {
  #messages: HeldMessage[] = [];
  #bytes = 0;

  /** False when it was not kept: unreliable, or more than an honest server sends. */
  push(channel: number, mode: number, messageId: number, bytes: Uint8Array): boolean {
    if (mode < MODE_RELIABLE_UNORDERED) return false;
    const cost = bytes.length + BEFORE_HELLO_MESSAGE_BYTES;
    if (this.#bytes + cost > BEFORE_HELLO_BYTES_MAX) return false;
    this.#messages.push({ channel, mode, messageId, bytes });
    this.#bytes += cost;
    return true;
  }

  /** In the order they came. */
  take(): HeldMessage[] {
    const messages = this.#messages;
    this.#messages = [];
    return messages;
  }
}
