/**
 * Sends one message to many players and encodes it at most once per wire.
 */
import {
  BODY_BYTES_MAX,
  type MessageType,
  MODE_RELIABLE_UNORDERED,
  type Registry,
} from '../messages/types.js';
import { checkReliableOptions, checkSendOptions } from '../session/send-options.js';
import type { SendOptions } from '../session/types.js';
import { TransportError } from '../util/errors.js';
import { UNRELIABLE_MESSAGE_BYTES_MAX } from '../util/limits.js';
import { Scratch } from '../util/scratch.js';
import type { PlayerEntry } from './player-entry.js';

/** A body and its type id. */
const SCRATCH_BYTES = BODY_BYTES_MAX + 8;

export class Broadcaster {
  readonly #registry: Registry<object>;
  readonly #scratch = new Scratch(SCRATCH_BYTES);

  constructor(registry: Registry<object>) {
    this.#registry = registry;
  }

  /**
   * Returns how many accepted it.
   *
   * @throws MessageError, TransportError (bad-option) as Player.send, before anything is sent
   */
  send(
    players: readonly PlayerEntry[],
    name: string,
    value: unknown,
    options: SendOptions | undefined,
  ): number {
    const registry = this.#registry;
    const scratch = this.#scratch;
    const type = registry.typeByName(name);
    if (options !== undefined) checkOptions(type, options);
    let length = -1;
    let text: string | null = null;
    let accepted = 0;
    for (let i = 0; i < players.length; i++) {
      const { peer } = players[i];
      if (peer.isClosed) continue;
      try {
        if (peer.wire === 'json-ws') {
          text ??= registry.toJson(name, value);
          if (peer.sendText(type, text, options, name) !== 'full') accepted++;
        } else if (peer.takesEncoded(type)) {
          if (length < 0) length = registry.encode(name, value, scratch.bytes, 0, SCRATCH_BYTES);
          if (peer.sendEncoded(type, scratch.head(length), length, options) !== 'full') accepted++;
        } else if (peer.send(name, value, options) !== 'full') {
          accepted++;
        }
      } catch (error) {
        // A peer may have announced that it takes less than others; they must not miss it for that.
        if (!isTooLargeForPeer(error, type, length)) throw error;
      }
    }
    return accepted;
  }
}

/** Also when nobody is there: what is wrong is not found out with the first player. */
function checkOptions(type: MessageType | undefined, options: SendOptions): void {
  checkSendOptions(options);
  const isReliable = type === undefined || type.mode >= MODE_RELIABLE_UNORDERED;
  if (isReliable) checkReliableOptions(options);
}

function isTooLargeForPeer(error: unknown, type: MessageType | undefined, length: number): boolean {
  const isTooLarge = error instanceof TransportError && error.code === 'message-too-large';
  const isUnreliable = type !== undefined && type.mode < MODE_RELIABLE_UNORDERED;
  return isTooLarge && !(isUnreliable && length > UNRELIABLE_MESSAGE_BYTES_MAX);
}
