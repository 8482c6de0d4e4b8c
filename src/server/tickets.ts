/**
 * One-time tickets: proof, for 30 seconds, that the bearer authenticated over HTTP(S).
 *
 * One minting gives a ticket (WebSocket) and a connect token (UDP) with the same id; whichever is
 * used first consumes both. Only SHA-256 hashes are kept. A player may hold few of them, so a
 * stolen session token cannot fill the table.
 *
 * Invariant: every live ticket is counted once in `#perPlayer`; `#spentIds` is in order of expiry.
 */
import { createHash, randomBytes } from 'node:crypto';

export const TICKET_LIFETIME_S = 30;
/** 32 random bytes: 43 characters of base64url, as the launch tickets. */
const TICKET_BYTES = 32;
export const TICKET_ID_BYTES = 8;
export const TICKETS_PER_PLAYER_MAX = 4;
/** Table bound: 30 s of 2,000 tickets a second. */
const TICKETS_MAX = 60_000;

/** Whom a ticket lets in, and what for. */
export interface Admitted {
  readonly playerId: string;
  /** To carry a session on; else to begin one. */
  readonly isResume: boolean;
}

interface Ticket extends Admitted {
  readonly hash: string;
  readonly id: string;
  readonly expiresAtMs: number;
}

export type MintResult =
  | { ok: true; ticket: string; id: Uint8Array }
  | { ok: false; code: 'too-many-tickets' | 'tickets-full' };

export class TicketBook {
  readonly #nowMs: () => number;
  readonly #byHash = new Map<string, Ticket>();
  readonly #byId = new Map<string, Ticket>();
  readonly #perPlayer = new Map<string, number>();
  /** Ids that a WebSocket used up, until their connect tokens have expired; ms. */
  readonly #spentIds = new Map<string, number>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get size(): number {
    return this.#byHash.size;
  }

  mint(playerId: string, isResume = false): MintResult {
    this.#expire();
    if ((this.#perPlayer.get(playerId) ?? 0) >= TICKETS_PER_PLAYER_MAX) {
      return { ok: false, code: 'too-many-tickets' };
    }
    if (this.#byHash.size + this.#spentIds.size >= TICKETS_MAX)
      return { ok: false, code: 'tickets-full' };
    const ticket = randomBytes(TICKET_BYTES).toString('base64url');
    const id = randomBytes(TICKET_ID_BYTES);
    const entry: Ticket = {
      hash: hashOf(ticket),
      id: id.toString('hex'),
      playerId,
      isResume,
      expiresAtMs: this.#nowMs() + TICKET_LIFETIME_S * 1000,
    };
    this.#byHash.set(entry.hash, entry);
    this.#byId.set(entry.id, entry);
    this.#perPlayer.set(playerId, (this.#perPlayer.get(playerId) ?? 0) + 1);
    return { ok: true, ticket, id };
  }

  /** A WebSocket comes with a ticket, which is then spent; null when unknown, used or expired. */
  consume(ticket: string): Admitted | null {
    this.#expire();
    const entry = this.#byHash.get(hashOf(ticket));
    if (entry === undefined) return null;
    this.#remove(entry);
    this.#spentIds.set(entry.id, this.#nowMs() + TICKET_LIFETIME_S * 1000);
    return entry;
  }

  /**
   * A connect token with this id opened a flow: its ticket is spent too. False when the ticket was
   * used before. An unknown id is fine: another server of the same key may have minted it.
   */
  consumeId(id: Uint8Array): boolean {
    const key = Buffer.from(id).toString('hex');
    this.#expire();
    if (this.#spentIds.has(key)) return false;
    const entry = this.#byId.get(key);
    if (entry !== undefined) this.#remove(entry);
    return true;
  }

  /** Insertion order is expiry order, so the scan stops at the first live entry. */
  #expire(): void {
    const nowMs = this.#nowMs();
    for (const [id, expiresAtMs] of this.#spentIds) {
      if (expiresAtMs > nowMs) break;
      this.#spentIds.delete(id);
    }
    for (const entry of this.#byHash.values()) {
      if (entry.expiresAtMs > nowMs) return;
      this.#remove(entry);
    }
  }

  #remove(entry: Ticket): void {
    this.#byHash.delete(entry.hash);
    this.#byId.delete(entry.id);
    const left = (this.#perPlayer.get(entry.playerId) ?? 1) - 1;
    if (left > 0) this.#perPlayer.set(entry.playerId, left);
    else this.#perPlayer.delete(entry.playerId);
  }
}

function hashOf(ticket: string): string {
  return createHash('sha256').update(ticket).digest('base64');
}
