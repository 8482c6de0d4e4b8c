/**
 * One-time tickets: proof, for 30 seconds, that the bearer authenticated over HTTP(S).
 *
 * One minting gives a ticket (WebSocket) and a connect token (UDP) with the same id; whichever is
 * used first consumes both. Only SHA-256 hashes are kept. A player may hold few of them, so a
 * stolen session token cannot fill the table. Revoking a player spends what it holds, and what was asked
 * for before is not minted any more.
 *
 * Invariant: every live ticket is once in `#byPlayer`; `#spentIds` and `#revoked` are in order of time.
 */
import { createHash } from 'node:crypto';
import { takeRandomBytes } from './random-bytes.js';
import type { VerifiedSession } from './types.js';
import type { TokenUser } from './user-data.js';

export const TICKET_LIFETIME_S = 30;
/** 32 random bytes: 43 characters of base64url, as the launch tickets. */
const TICKET_BYTES = 32;
export const TICKET_ID_BYTES = 8;
export const TICKETS_PER_PLAYER_MAX = 4;
/** Table bound: 30 s of 2,000 tickets a second. */
const TICKETS_MAX = 60_000;

/** Whom a ticket lets in, and what for. */
export interface Admitted {
  readonly session: VerifiedSession;
  /** When the session was known to be good; null: another server minted this, and knows. */
  readonly verifiedMs: number | null;
  /** To carry a session on; else to begin one. */
  readonly isResume: boolean;
  /** The player has dialled with a newer ticket already. */
  readonly isOvertaken: boolean;
}

interface Ticket extends Admitted {
  isOvertaken: boolean;
  readonly hash: string;
  readonly id: string;
  readonly expiresAtMs: number;
}

export type MintResult =
  | { ok: true; ticket: string; id: Uint8Array }
  | { ok: false; code: 'too-many-tickets' | 'tickets-full' | 'revoked' };

export class TicketBook {
  readonly #nowMs: () => number;
  readonly #byHash = new Map<string, Ticket>();
  readonly #byId = new Map<string, Ticket>();
  readonly #byPlayer = new Map<string, Ticket[]>();
  /** Ids that a WebSocket used up, until their connect tokens have expired; ms. */
  readonly #spentIds = new Map<string, number>();
  /** When players were revoked, while anything from before may still come; ms. */
  readonly #revoked = new Map<string, number>();
  readonly #revokedForMs: number;

  /** @param tokenLifetimeS longest life of connect tokens that others mint */
  constructor(nowMs: () => number, tokenLifetimeS = 0) {
    this.#nowMs = nowMs;
    this.#revokedForMs = Math.max(TICKET_LIFETIME_S, tokenLifetimeS) * 1000;
  }

  get size(): number {
    return this.#byHash.size;
  }

  /** `askedMs`: before the session was verified; a revocation since then counts. */
  mint(session: VerifiedSession, isResume = false, askedMs = this.#nowMs()): MintResult {
    this.#expire();
    const { playerId } = session;
    const held = this.#byPlayer.get(playerId) ?? [];
    if (this.isRevokedSince(playerId, askedMs)) return { ok: false, code: 'revoked' };
    if (held.length >= TICKETS_PER_PLAYER_MAX) return { ok: false, code: 'too-many-tickets' };
    if (this.#byHash.size + this.#spentIds.size >= TICKETS_MAX)
      return { ok: false, code: 'tickets-full' };
    const ticket = takeRandomBytes(TICKET_BYTES).toString('base64url');
    const id = takeRandomBytes(TICKET_ID_BYTES);
    const entry: Ticket = {
      hash: hashOf(ticket),
      id: id.toString('hex'),
      session,
      verifiedMs: askedMs,
      isResume,
      isOvertaken: false,
      expiresAtMs: this.#nowMs() + TICKET_LIFETIME_S * 1000,
    };
    this.#byHash.set(entry.hash, entry);
    this.#byId.set(entry.id, entry);
    this.#byPlayer.set(playerId, held);
    held.push(entry);
    return { ok: true, ticket, id };
  }

  /** A WebSocket comes with a ticket, which is then spent; null when unknown, used or expired. */
  consume(ticket: string): Admitted | null {
    this.#expire();
    const entry = this.#byHash.get(hashOf(ticket));
    if (entry === undefined) return null;
    this.#overtake(entry);
    this.#spend(entry);
    return entry;
  }

  /**
   * A connect token opened a flow: its ticket is spent too. Null when the ticket was used before, or
   * its player revoked. An unknown id is fine: another server of the same key may have minted it.
   */
  consumeToken({ ticketId, playerId, isResume }: TokenUser): Admitted | null {
    const key = ticketId === null ? '' : Buffer.from(ticketId).toString('hex');
    this.#expire();
    if (this.#spentIds.has(key)) return null;
    const entry = this.#byId.get(key);
    if (entry !== undefined) {
      this.#overtake(entry);
      this.#remove(entry);
      return entry;
    }
    if (this.#revoked.has(playerId)) return null;
    return { session: { playerId }, verifiedMs: null, isResume, isOvertaken: false };
  }

  /** Nothing that the player holds, or asked for until now, lets it in any more. */
  revoke(playerId: string): void {
    this.#expire();
    for (const entry of [...(this.#byPlayer.get(playerId) ?? [])]) this.#spend(entry);
    this.#revoked.delete(playerId); // to the end, the order is by time
    this.#revoked.set(playerId, this.#nowMs());
  }

  isRevokedSince(playerId: string, sinceMs: number): boolean {
    return (this.#revoked.get(playerId) ?? -1) >= sinceMs;
  }

  /** A dial with this ticket: those that the player asked for before come too late from now on. */
  #overtake(used: Ticket): void {
    if (used.isResume) return;
    for (const entry of this.#byPlayer.get(used.session.playerId) as Ticket[]) {
      if (entry === used) return; // in order of minting
      entry.isOvertaken = true;
    }
  }

  /** Neither ticket nor connect token is good any more. */
  #spend(entry: Ticket): void {
    this.#remove(entry);
    this.#spentIds.set(entry.id, this.#nowMs() + TICKET_LIFETIME_S * 1000);
  }

  /** Insertion order is expiry order, so the scan stops at the first live entry. */
  #expire(): void {
    const nowMs = this.#nowMs();
    for (const [id, expiresAtMs] of this.#spentIds) {
      if (expiresAtMs > nowMs) break;
      this.#spentIds.delete(id);
    }
    for (const [playerId, revokedMs] of this.#revoked) {
      if (revokedMs + this.#revokedForMs > nowMs) break;
      this.#revoked.delete(playerId);
    }
    for (const entry of this.#byHash.values()) {
      if (entry.expiresAtMs > nowMs) return;
      this.#remove(entry);
    }
  }

  #remove(entry: Ticket): void {
    this.#byHash.delete(entry.hash);
    this.#byId.delete(entry.id);
    const { playerId } = entry.session;
    const held = this.#byPlayer.get(playerId) as Ticket[];
    held.splice(held.indexOf(entry), 1);
    if (held.length === 0) this.#byPlayer.delete(playerId);
  }
}

function hashOf(ticket: string): string {
  return createHash('sha256').update(ticket).digest('base64');
}
