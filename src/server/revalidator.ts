/** Asks the game's `revalidate` hook about each player; the schedule is Revalidation's. */
import { errorText } from '../ops/index.js';
import type { PlayerEntry } from './player-entry.js';
import { type Question, REVALIDATION_STEP_MS, Revalidation } from './revalidation.js';
import type { ServerOps } from './server-ops.js';
import type { Revalidate, VerifiedSession } from './types.js';

/** Strings of a session that are as long as this may be secrets: they are not for the log. */
const SECRET_CHARS_MIN = 8;

export interface RevalidatorHost {
  readonly ops: ServerOps;
  nowMs(): number;
  revoke(player: PlayerEntry, cause: 'revoked' | 'unverifiable'): void;
}

export class Revalidator {
  readonly #revalidate: Revalidate;
  readonly #host: RevalidatorHost;
  readonly #schedule: Revalidation<PlayerEntry>;
  #timer: NodeJS.Timeout | null = null;

  constructor(revalidate: Revalidate, intervalMs: number, host: RevalidatorHost) {
    this.#revalidate = revalidate;
    this.#host = host;
    const port = {
      ask: (player: PlayerEntry, question: Question<PlayerEntry>) =>
        void this.#ask(player.session, question),
      handleTimeout: () => host.ops.handleUnanswered('no answer within 5 s'),
      end: host.revoke,
    };
    this.#schedule = new Revalidation(intervalMs, port, host.nowMs());
  }

  start(): void {
    this.#timer = setInterval(() => this.poll(), REVALIDATION_STEP_MS);
    this.#timer.unref();
  }

  /** Asks whoever is due, and gives up what took too long. */
  poll(): void {
    this.#schedule.poll(this.#host.nowMs());
  }

  /** `verifiedMs` null: another server knows, and let it in. */
  add(player: PlayerEntry, verifiedMs: number | null): void {
    const nowMs = this.#host.nowMs();
    this.#schedule.add(player, verifiedMs ?? nowMs, nowMs);
  }

  remove(player: PlayerEntry): void {
    this.#schedule.remove(player);
  }

  verified(player: PlayerEntry, verifiedMs: number): void {
    this.#schedule.verified(player, verifiedMs);
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  async #ask(session: VerifiedSession, question: Question<PlayerEntry>): Promise<void> {
    const { ops } = this.#host;
    let isValid: unknown;
    try {
      isValid = await this.#revalidate(session);
      if (typeof isValid !== 'boolean') {
        throw new TypeError(`revalidate resolved ${typeof isValid}, accepted: true or false`);
      }
    } catch (error) {
      // Of a question that was given up, the log has told already.
      if (question.check.question === question) ops.handleUnanswered(redacted(error, session));
      this.#schedule.fail(question);
      return;
    }
    if (question.check.question !== question) return;
    ops.handleRevalidated(isValid);
    this.#schedule.answer(question, isValid, this.#host.nowMs());
  }
}

/** What the hook threw may repeat what it was given. */
function redacted(error: unknown, session: VerifiedSession): string {
  let text = errorText(error);
  for (const value of Object.values(session)) {
    const isSecret = typeof value === 'string' && value.length >= SECRET_CHARS_MIN;
    if (isSecret) text = text.replaceAll(value, '[redacted]');
  }
  return text;
}
