/** Whether a player who is known is let in now: there may be no room, or no new players wanted. */
import type { AdmissionSettings } from '../util/admission.js';
import { blockedOf, PrefixList } from './prefix-list.js';
import { Problem } from './problem.js';

/** Default of the admission setting `retryAfterS`. */
const RETRY_AFTER_BUSY_S = 5;
/** The launch contract's wait for a place. */
export const RETRY_AFTER_CAPACITY_S = 5;

export class Door {
  /** Nothing is taken from there. */
  blocked = new PrefixList([]);
  isBusy = false;
  /** The server is going down. */
  isDraining = false;
  readonly #inside: ReadonlyMap<string, unknown>;
  readonly #playersMax: number;
  #retryAfterS = RETRY_AFTER_BUSY_S;

  /** @param inside players by id */
  constructor(
    inside: ReadonlyMap<string, unknown>,
    playersMax: number,
    settings: AdmissionSettings,
  ) {
    this.#inside = inside;
    this.#playersMax = playersMax;
    this.set(settings);
  }

  /** Changes what is named. Returns the new block list if there is one. */
  set(settings: AdmissionSettings): PrefixList | null {
    const blocked = blockedOf(settings);
    this.blocked = blocked ?? this.blocked;
    this.isBusy = settings.busy ?? this.isBusy;
    this.#retryAfterS = settings.retryAfterS ?? this.#retryAfterS;
    return blocked;
  }

  /**
   * Why a player may not come in; null: it may. Who is in may come again: the newer connection takes
   * the older one's place.
   */
  refusal(playerId: string): Problem | null {
    if (this.#inside.has(playerId)) return null;
    if (this.isDraining) {
      return new Problem(503, 'draining', 'the server is going down', this.#retryAfterS);
    }
    if (this.isBusy) {
      return new Problem(503, 'server-busy', 'no new players for now', this.#retryAfterS);
    }
    if (this.#inside.size < this.#playersMax) return null;
    return new Problem(503, 'server-full', 'no room for another player', RETRY_AFTER_CAPACITY_S);
  }
}
