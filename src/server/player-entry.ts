/**
 * The server's record of one player: the public Player over a peer of either wire.
 */
import type { BinaryPeer } from '../session/binary-peer.js';
import { assertApplicationCloseCode, CLOSE_NORMAL, cutReason } from '../session/close-codes.js';
import type { JsonPeer } from '../session/json-peer.js';
import type {
  CloseInfo,
  ConnectionStats,
  SendOptions,
  SendResult,
  Wire,
} from '../session/types.js';
import { PlayerInputs } from './player-inputs.js';
import type { TickTimes } from './tick-times.js';
import type { Player } from './types.js';

/** What differs between the wires and is not the peer's business. */
export interface PlayerLink {
  readonly wire: Wire;
  stats(player: PlayerEntry): ConnectionStats;
  watchDrained(player: PlayerEntry, callback: () => void): void;
  /** When ticks are due, and what it is now, ms. */
  readonly ticks: TickTimes | null;
  nowMs(): number;
}

export type AnyPeer = BinaryPeer<PlayerEntry> | JsonPeer<PlayerEntry>;

export class PlayerEntry implements Player<Record<string, unknown>> {
  readonly id: string;
  /** Changes when the player roams. */
  address: string;
  data: unknown = undefined;
  /** Set by the listener straight after construction. */
  peer!: AnyPeer;
  /** Names of the rooms it is in. */
  readonly rooms = new Set<string>();
  /** Set when the player leaves; figures at that moment. */
  finalStats: ConnectionStats | null = null;
  #inputs: PlayerInputs | null = null;
  readonly #link: PlayerLink;
  readonly #onClose: (player: PlayerEntry, info: CloseInfo) => void;

  constructor(
    id: string,
    address: string,
    link: PlayerLink,
    onClose: (player: PlayerEntry, info: CloseInfo) => void,
  ) {
    this.id = id;
    this.address = address;
    this.#link = link;
    this.#onClose = onClose;
  }

  get wire(): Wire {
    return this.#link.wire;
  }

  get hasLeft(): boolean {
    return this.finalStats !== null;
  }

  get inputs(): PlayerInputs {
    const { ticks } = this.#link;
    this.#inputs ??= new PlayerInputs(
      ticks,
      () => this.#link.nowMs(),
      (report) => this.peer.sendLead(report),
    );
    return this.#inputs;
  }

  send(type: string, value: unknown, options?: SendOptions): SendResult {
    return this.hasLeft ? 'full' : this.peer.send(type, value, options);
  }

  drained(): Promise<void> {
    // Not at once: a loop of `send` and `drained` must not starve the event loop.
    if (this.hasLeft) return new Promise((resolve) => setImmediate(resolve));
    return new Promise((resolve) => this.#link.watchDrained(this, resolve));
  }

  writable(): Promise<void> {
    if (this.hasLeft) return new Promise((resolve) => setImmediate(resolve));
    return new Promise((resolve) => this.peer.watchWritable(resolve));
  }

  close(code: number = CLOSE_NORMAL, reason = ''): void {
    assertApplicationCloseCode(code);
    this.end(code, reason);
  }

  /** As `close`, with any code: for the runtime's own reasons. */
  end(code: number, reason: string): void {
    if (this.hasLeft) return;
    const { peer } = this;
    const cut = cutReason(reason);
    this.#onClose(this, { code, reason: cut, wasClean: true });
    peer.close(code, cut);
  }

  stats(): ConnectionStats {
    return this.finalStats ?? this.#link.stats(this);
  }
}
