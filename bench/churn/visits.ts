/**
 * What players do who come and go, one function for each kind:
 *
 *   clean    comes, talks, says goodbye
 *   vanish   comes, talks, and its link is cut: suspended, and never back
 *   silent   comes, talks, and then neither reads nor answers nor goes (WebSocket; found by pings)
 *   halfway  is gone in the middle of the handshake
 *   resume   its link is cut, it goes on with another one, says goodbye there
 *   double   dials again while it is connected: the first is told 1000, the second says goodbye
 */
import { CLOSE_NORMAL } from '../../src/session/close-codes.js';
import { quantile, type VisitKind } from './messages.js';
import type { TicketCounter } from './ticket-counter.js';
import { VisitFailure, Visitor } from './visitor.js';
import type { LoadWire } from './wires.js';

/** Messages there and back before anything else happens. */
const TALK = 3;
/** Tickets and links that each kind takes. */
export const LINKS: Readonly<Record<VisitKind, number>> = {
  clean: 1,
  vanish: 1,
  silent: 1,
  halfway: 1,
  resume: 2,
  double: 2,
};
/** A server looks for silent peers every 10 s and gives up at the second time. */
const SILENT_WAIT_MS = 45_000;
const OPEN_TIMES_MAX = 100_000;

export class Visits {
  attempts = 0;
  opened = 0;
  halfway = 0;
  readonly #wire: LoadWire;
  readonly #tickets: TicketCounter;
  readonly #openMs: number[] = [];

  constructor(wire: LoadWire, tickets: TicketCounter) {
    this.#wire = wire;
    this.#tickets = tickets;
  }

  /** @throws VisitFailure what should have happened and did not; the player is gone all the same */
  async run(kind: VisitKind, playerId: string): Promise<void> {
    const visitor = new Visitor(playerId);
    try {
      await this.#visit(kind, visitor);
    } catch (error) {
      visitor.peer?.close(CLOSE_NORMAL, '');
      throw error;
    }
  }

  async #visit(kind: VisitKind, visitor: Visitor): Promise<void> {
    switch (kind) {
      case 'halfway':
        return this.#leaveHalfway(visitor);
      case 'resume':
        return this.#resume(visitor);
      case 'double':
        return this.#double(visitor);
    }
    await this.come(visitor);
    if (kind === 'clean') return this.#sayGoodbye(visitor);
    if (kind === 'vanish') {
      if (!this.#wire.cut(visitor)) throw new VisitFailure('vanish: not in this process');
      return;
    }
    await visitor.until('silence', () => visitor.closed !== null, SILENT_WAIT_MS);
  }

  /** Comes and talks. */
  async come(visitor: Visitor): Promise<void> {
    await this.#link(visitor);
    await visitor.until('welcome', () => visitor.welcomes > 0);
    await this.#talk(visitor);
  }

  /** A handshake that nobody finishes. */
  async #leaveHalfway(visitor: Visitor): Promise<void> {
    this.attempts++;
    this.#wire.begin(await this.#tickets.ask(visitor.playerId, null));
    this.halfway++;
  }

  async #resume(visitor: Visitor): Promise<void> {
    await this.come(visitor);
    if (this.#wire.cut(visitor)) {
      await visitor.until('the cut', () => visitor.closed !== null);
      visitor.closed = null;
    }
    // On UDP the old flow is still there: the server learns from the new one that it is not.
    visitor.peer?.freeze();
    await this.#link(visitor);
    await this.#talk(visitor);
    await this.#sayGoodbye(visitor);
  }

  async #double(first: Visitor): Promise<void> {
    await this.come(first);
    const second = new Visitor(first.playerId);
    await this.come(second);
    await first.until('the first one to be told', () => first.closed !== null);
    if (first.closed?.code !== CLOSE_NORMAL) {
      throw new VisitFailure(`the first one closed with ${first.closed?.code}`);
    }
    await this.#sayGoodbye(second);
  }

  async #link(visitor: Visitor): Promise<void> {
    const links = visitor.links;
    const startMs = performance.now();
    this.attempts++;
    const ticket = await this.#tickets.ask(visitor.playerId, visitor.session?.id ?? null);
    this.#wire.connect(visitor, ticket);
    await visitor.until(links === 0 ? '$hello' : '$resumed', () => visitor.links > links);
    this.opened++;
    if (this.#openMs.length >= OPEN_TIMES_MAX) this.#openMs.splice(0, OPEN_TIMES_MAX / 2);
    this.#openMs.push(performance.now() - startMs);
  }

  async #talk(visitor: Visitor): Promise<void> {
    const echoes = visitor.echoes + TALK;
    for (let n = 0; n < TALK; n++) visitor.peer?.send('GameEvent', { tick: n });
    await visitor.until('the echo', () => visitor.echoes >= echoes);
  }

  async #sayGoodbye(visitor: Visitor): Promise<void> {
    const { peer } = visitor;
    peer?.close(CLOSE_NORMAL, '');
    // Netcode's goodbye has no answer, WebSocket's has.
    if (peer?.wire === 'json-ws') {
      await visitor.until('the close', () => visitor.closed !== null);
      if (visitor.closed?.code !== CLOSE_NORMAL) {
        throw new VisitFailure(`closed with ${visitor.closed?.code}`);
      }
    }
  }

  openMs(): { p50: number; p99: number; max: number } {
    const sorted = [...this.#openMs].sort((a, b) => a - b);
    return {
      p50: quantile(sorted, 0.5),
      p99: quantile(sorted, 0.99),
      max: sorted[sorted.length - 1] ?? 0,
    };
  }
}
