/** Who plays whom: four seats, one for each fighter. People come before bots. */
import type { Player } from '../../src/server/index.js';
import type { InputFrameValue } from './game/messages.js';
import { addFighter, type Fighter, type Match, removeFighter } from './game/world.js';
import type { Messages } from './messages.js';

export interface Seat {
  readonly player: Player<Messages>;
  readonly fighter: Fighter;
  readonly isBot: boolean;
  /** Inputs whose tick has not come. */
  pending: InputFrameValue[];
  kills: number;
}

export class Seats {
  /** By fighter. */
  readonly taken = new Map<Fighter, Seat>();
  readonly #match: Match;
  readonly #waiting = new Set<Player<Messages>>();
  readonly #onChange: (player: Player<Messages>, seat: Seat | null) => void;

  constructor(match: Match, onChange: (player: Player<Messages>, seat: Seat | null) => void) {
    this.#match = match;
    this.#onChange = onChange;
  }

  of(player: Player<Messages>): Seat | null {
    for (const seat of this.taken.values()) if (seat.player === player) return seat;
    return null;
  }

  join(player: Player<Messages>): void {
    if (this.#sit(player)) return;
    const bot = isBot(player) ? undefined : this.#aBot();
    if (bot === undefined) {
      this.#wait(player);
      return;
    }
    this.#stand(bot);
    this.#sit(player);
    this.#wait(bot.player);
  }

  leave(player: Player<Messages>): void {
    this.#waiting.delete(player);
    const seat = this.of(player);
    if (seat === null) return;
    this.#stand(seat);
    const waiting = [...this.#waiting];
    const next = waiting.find((other) => !isBot(other)) ?? waiting[0];
    if (next !== undefined) this.#sit(next);
  }

  #aBot(): Seat | undefined {
    return [...this.taken.values()].findLast((seat) => seat.isBot);
  }

  #sit(player: Player<Messages>): boolean {
    const fighter = addFighter(this.#match);
    if (fighter === null) return false;
    this.#waiting.delete(player);
    const seat = { player, fighter, isBot: isBot(player), pending: [], kills: 0 };
    this.taken.set(fighter, seat);
    this.#onChange(player, seat);
    return true;
  }

  #stand(seat: Seat): void {
    this.taken.delete(seat.fighter);
    removeFighter(this.#match, seat.fighter.index);
  }

  #wait(player: Player<Messages>): void {
    this.#waiting.add(player);
    this.#onChange(player, null);
  }
}

/** Player ids are `bot:name` and `name#random`: this example lets everybody in who asks. */
export function isBot(player: Player<Messages>): boolean {
  return player.id.startsWith('bot:');
}

export function nameOf(player: Player<Messages>): string {
  return player.id.replace(/^bot:|#[^#]*$/g, '').slice(0, 16) || 'nobody';
}
