/**
 * When each player's session is asked about again, and what follows from the answers. Sans-IO: time
 * is given, the port asks.
 *
 *   add ──▶ [slot] ──its turn──▶ [waiting] ──a place──▶ [asked] ──true──▶ [slot]
 *                                                         ├─false──▶ end 'revoked'
 *             no answer for 120 s: end 'unverifiable'     └─none within 5 s──▶ [slot]
 *
 * Players are spread over the slots of a lap, and each keeps its slot: so nobody waits longer than a
 * lap for the next question, and the game's backend is asked evenly, however they came.
 */

/** Slots are this long, and `poll` is to be called this often, ms. */
export const REVALIDATION_STEP_MS = 100;
/** A lap is shorter than the interval by this much: late timers do not cost the bound. */
const LAP_SLACK_MS = 250;
/** For one answer. */
const ANSWER_MS = 5000;
/** Launch bound for sessions that cannot be verified. */
const UNVERIFIABLE_MS = 120_000;
/** Questions that may be open at once, however few players there are. */
const OPEN_MIN = 16;
/** Room for turns that are not quite even, after leaves. */
const OPEN_SPARE = 1.5;
/** Multiples of the golden ratio, modulo 1, are spread evenly however many there are (Weyl). */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

export interface RevalidationPort<P> {
  /** Answer with `answer` or `fail`, now or later. */
  ask(player: P, question: Question<P>): void;
  /** There was no answer within its time. */
  handleTimeout(player: P): void;
  /** The player is to leave; it is no longer asked about. */
  end(player: P, cause: 'revoked' | 'unverifiable'): void;
}

interface Check<P> {
  readonly player: P;
  readonly slot: number;
  /** When its session was last known to be good. */
  verifiedMs: number;
  /** The open one. */
  question: Question<P> | null;
}

export interface Question<P> {
  readonly check: Check<P>;
  readonly askedMs: number;
}

export class Revalidation<P> {
  readonly #port: RevalidationPort<P>;
  readonly #lapMs: number;
  readonly #slotMs: number;
  readonly #startMs: number;
  readonly #slots: Set<Check<P>>[];
  readonly #checks = new Map<P, Check<P>>();
  /** In the order of their turns. */
  readonly #waiting = new Set<Check<P>>();
  /** In the order of asking. */
  readonly #open = new Set<Question<P>>();
  /** Whose last question got no answer. */
  readonly #failing = new Set<Check<P>>();
  /** The last slot that had its turn, counted through the laps. */
  #turn = 0;
  /** Where in its first lap the next player has its turn, 0…1. */
  #place = 0;

  constructor(intervalMs: number, port: RevalidationPort<P>, nowMs: number) {
    this.#port = port;
    this.#lapMs = intervalMs - LAP_SLACK_MS;
    const slots = Math.floor(this.#lapMs / REVALIDATION_STEP_MS);
    this.#slotMs = this.#lapMs / slots;
    this.#startMs = nowMs;
    this.#slots = Array.from({ length: slots }, () => new Set());
  }

  get size(): number {
    return this.#checks.size;
  }

  /** A player whose session was good at `verifiedMs`: the next question is at most a lap after that. */
  add(player: P, verifiedMs: number, nowMs: number): void {
    const leftMs = Math.max(0, verifiedMs + this.#lapMs - nowMs);
    this.#place = (this.#place + GOLDEN) % 1;
    const turn = this.#turnAt(nowMs + this.#place * leftMs);
    const check = { player, slot: turn % this.#slots.length, verifiedMs, question: null };
    this.#checks.set(player, check);
    this.#slots[check.slot].add(check);
    if (turn <= this.#turn) this.#waiting.add(check);
  }

  remove(player: P): void {
    const check = this.#checks.get(player);
    if (check === undefined) return;
    this.#checks.delete(player);
    this.#slots[check.slot].delete(check);
    this.#waiting.delete(check);
    this.#failing.delete(check);
    this.#close(check);
  }

  /** The session was found to be good elsewhere. */
  verified(player: P, verifiedMs: number): void {
    const check = this.#checks.get(player);
    if (check === undefined || check.verifiedMs > verifiedMs) return;
    check.verifiedMs = verifiedMs;
    this.#failing.delete(check);
  }

  /** Time passes. */
  poll(nowMs: number): void {
    for (const question of this.#open) {
      if (nowMs - question.askedMs < ANSWER_MS) break;
      this.#port.handleTimeout(question.check.player);
      this.fail(question);
    }
    for (const check of this.#failing) {
      if (nowMs + REVALIDATION_STEP_MS > check.verifiedMs + UNVERIFIABLE_MS) {
        this.#end(check, 'unverifiable');
      }
    }
    const turn = this.#turnAt(nowMs);
    // After a pause of more than a lap each slot still has one turn.
    this.#turn = Math.max(this.#turn, turn - this.#slots.length);
    while (this.#turn < turn) {
      this.#turn++;
      for (const check of this.#slots[this.#turn % this.#slots.length]) {
        if (check.question === null) this.#waiting.add(check);
      }
    }
    this.#askWaiting(nowMs);
  }

  /** True: the session is good; false: it is not. Late answers are none. */
  answer(question: Question<P>, isValid: boolean, nowMs: number): void {
    const { check, askedMs } = question;
    if (check.question !== question) return;
    this.#close(check);
    if (isValid) this.verified(check.player, askedMs);
    else this.#end(check, 'revoked');
    this.#askWaiting(nowMs);
  }

  /** There is no answer to this question. */
  fail(question: Question<P>): void {
    const { check } = question;
    if (check.question !== question) return;
    this.#close(check);
    this.#failing.add(check);
  }

  /** As many as it takes to ask everybody within a lap, should each answer take all its time. */
  get #openMax(): number {
    const everybody = (this.#checks.size * ANSWER_MS) / this.#lapMs;
    return Math.max(OPEN_MIN, Math.ceil(everybody * OPEN_SPARE));
  }

  #askWaiting(nowMs: number): void {
    for (const check of this.#waiting) {
      if (this.#open.size >= this.#openMax) return;
      this.#waiting.delete(check);
      const question = { check, askedMs: nowMs };
      check.question = question;
      this.#open.add(question);
      this.#port.ask(check.player, question);
    }
  }

  #close(check: Check<P>): void {
    if (check.question !== null) this.#open.delete(check.question);
    check.question = null;
  }

  #end(check: Check<P>, cause: 'revoked' | 'unverifiable'): void {
    this.remove(check.player);
    this.#port.end(check.player, cause);
  }

  #turnAt(ms: number): number {
    return Math.floor((ms - this.#startMs) / this.#slotMs);
  }
}
