/**
 * Sends one message to many players and encodes it at most once per wire.
 */
import { BODY_BYTES_MAX, type Registry } from '../messages/types.js';
import type { SendOptions } from '../session/types.js';
import type { PlayerEntry } from './player-entry.js';

/** A body and its type id. */
const SCRATCH_BYTES = BODY_BYTES_MAX + 8;

export class Broadcaster {
  readonly #registry: Registry<object>;
  readonly #scratch = new Uint8Array(SCRATCH_BYTES);

  constructor(registry: Registry<object>) {
    this.#registry = registry;
  }

  /** Returns how many accepted it. @throws MessageError as Player.send, before anything is sent */
  send(
    players: readonly PlayerEntry[],
    name: string,
    value: unknown,
    options: SendOptions | undefined,
  ): number {
    const registry = this.#registry;
    const type = registry.typeByName(name);
    let length = -1;
    let text: string | null = null;
    let accepted = 0;
    for (let i = 0; i < players.length; i++) {
      const { peer } = players[i];
      if (peer.isClosed) continue;
      if (peer.wire === 'json-ws') {
        text ??= registry.toJson(name, value);
        if (peer.sendText(type, text, options, name) !== 'full') accepted++;
      } else if (peer.takesEncoded(type)) {
        if (length < 0) length = registry.encode(name, value, this.#scratch, 0, SCRATCH_BYTES);
        if (peer.sendEncoded(type, this.#scratch, length, options) !== 'full') accepted++;
      } else if (peer.send(name, value, options) !== 'full') {
        accepted++;
      }
    }
    return accepted;
  }
}
