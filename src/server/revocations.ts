/** Taking away a player's right to be here: by the game, or by its `revalidate` hook. */
import { CLOSE_POLICY_VIOLATION } from '../session/close-codes.js';
import type { PlayerEntry } from './player-entry.js';
import { Revalidator } from './revalidator.js';
import type { RevocationCause, ServerOps } from './server-ops.js';
import type { Admitted, TicketBook } from './tickets.js';
import type { Revalidate } from './types.js';

export interface RevocationsHost {
  readonly ops: ServerOps;
  readonly tickets: TicketBook;
  readonly playerById: ReadonlyMap<string, PlayerEntry>;
  /** Null: nobody is asked. */
  readonly revalidate: Revalidate | null;
  readonly revalidateMs: number;
  nowMs(): number;
  /** Ends the player's links that have no session yet. */
  endLinks(playerId: string, reason: string): void;
}

export class Revocations {
  readonly #host: RevocationsHost;
  readonly #revalidator: Revalidator | null = null;

  constructor(host: RevocationsHost) {
    this.#host = host;
    if (host.revalidate === null) return;
    this.#revalidator = new Revalidator(host.revalidate, host.revalidateMs, {
      ops: host.ops,
      nowMs: () => host.nowMs(),
      revoke: ({ id }, cause) => {
        this.revoke(id, cause, cause === 'revoked' ? 'hook' : cause);
      },
    });
  }

  /** Begins to ask. */
  start(): void {
    this.#revalidator?.start();
  }

  close(): void {
    this.#revalidator?.close();
  }

  /** Whatever the player holds is void from now on. Answers whether it was here. */
  revoke(playerId: string, reason: string, cause: RevocationCause): boolean {
    const { ops, tickets, playerById } = this.#host;
    ops.handleRevoked(playerId, cause, reason);
    tickets.revoke(playerId);
    this.#host.endLinks(playerId, reason);
    const player = playerById.get(playerId);
    player?.end(CLOSE_POLICY_VIOLATION, reason);
    return player !== undefined;
  }

  /** `verifiedMs` null: another server knows, and let it in. */
  handleJoin(player: PlayerEntry, verifiedMs: number | null): void {
    this.#revalidator?.add(player, verifiedMs);
  }

  handleLeave(player: PlayerEntry): void {
    this.#revalidator?.remove(player);
  }

  /** The player showed another ticket. */
  handleVerified(player: PlayerEntry, { session, verifiedMs }: Admitted): void {
    if (verifiedMs === null) return; // another server knows more
    player.session = session;
    this.#revalidator?.verified(player, verifiedMs);
  }
}
