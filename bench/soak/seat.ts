/**
 * One session of a player: it plays, keeps the tally, moves between the wires, and at the end compares
 * what was said with what came. The server answers event k of the player with a tally that tells so;
 * tallies have numbers of their own. On a session that lives every one of both comes once, in order.
 */
import { Bot } from '../../examples/brawler/game/bot.js';
import {
  GameEventKind,
  type GameEventValue,
  type SnapshotValue,
} from '../../examples/brawler/game/messages.js';
import type { GameConnection } from '../../src/sdk/index.js';
import { count } from '../churn/counts.js';
import { type PlayerFigures, padLength, type SoakMessages, type Tally } from './messages.js';

const FRAME_MS = 33;
/** Frames for each event of the tally, on average. */
const EVENT_EVERY = 3;
/** Longer than a session is waited for by the server, a resumption and a busy machine. */
const LAST_WORD_MS = 45_000;
const RETURNS_MAX = 30;
const RETURN_MS = 500;

export class Seat {
  readonly #connection: GameConnection<SoakMessages>;
  readonly #figures: PlayerFigures;
  readonly #bot: Bot;
  readonly #clock: NodeJS.Timeout;
  readonly #event: GameEventValue = {
    tick: 0,
    kind: GameEventKind.MeleeAttack,
    actor: 1,
    target: 2,
    object: 0,
    direction: 1,
    damage: 3,
    x: 1.5,
    y: -2.25,
    charge: 0.5,
  };
  #snapshot: SnapshotValue | null = null;
  #frames = 0;
  #sent = 0;
  #tallies = 0;
  #heard = 0;
  #isResting = false;
  #isLeaving = false;
  #onTally: (() => void) | null = null;
  /** Why it ended, when it did without us. */
  ended: string | null = null;

  constructor(connection: GameConnection<SoakMessages>, figures: PlayerFigures, seed: number) {
    this.#connection = connection;
    this.#figures = figures;
    this.#bot = new Bot(seed);
    connection.on('Snapshot', (value) => {
      figures.snapshots++;
      this.#snapshot = value;
    });
    connection.on('GameEvent', () => figures.gameEvents++);
    connection.on('welcome', () => {});
    connection.on('tally', (tally) => this.#handleTally(tally));
    this.#clock = setInterval(() => this.#frame(), FRAME_MS);
    void connection.closed.then(({ code, reason }) => {
      clearInterval(this.#clock);
      if (this.#isLeaving) return;
      this.ended = `${code} ${reason}`.trimEnd();
      count(figures.failures, `session ended: ${this.ended}`);
      this.#onTally?.();
    });
  }

  get isOver(): boolean {
    return this.ended !== null;
  }

  /** No more events until told otherwise; inputs go on. */
  set isResting(isResting: boolean) {
    this.#isResting = isResting;
  }

  /** To the other wire and back, waiting in between. */
  async switchThereAndBack(waitMs: number): Promise<void> {
    const first = this.#connection.wire;
    const other = first === 'udp' ? 'json-ws' : 'udp';
    for (const wire of [other, first] as const) {
      if (this.isOver || this.#isLeaving) return;
      try {
        await this.#connection.switchTo(wire);
        this.#figures.switches++;
      } catch (error) {
        if (this.isOver || this.#isLeaving) return;
        // The path has just cut it: the session stays where it was.
        count(this.#figures.refusedSwitches, `${error}`);
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  /** On this wire again, when cuts undid the way back. */
  async returnTo(wire: 'udp' | 'json-ws'): Promise<void> {
    for (let n = 0; n < RETURNS_MAX && !this.isOver && this.#connection.wire !== wire; n++) {
      await this.#connection.switchTo(wire).catch(() => {});
      if (this.#connection.wire !== wire) await new Promise((r) => setTimeout(r, RETURN_MS));
    }
  }

  /** Compares the books and says goodbye. */
  async leave(): Promise<void> {
    this.#isResting = true;
    clearInterval(this.#clock);
    if (!this.isOver) await this.#lastWord();
    this.#isLeaving = true;
    await this.#connection.close();
    if (this.isOver) return;
    if (this.#heard === this.#sent) this.#figures.lived++;
    else count(this.#figures.faults, 'the last event was not answered');
  }

  /** Until the newest event was answered, the session ended, or it takes too long. */
  async #lastWord(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_WORD_MS);
      this.#onTally = () => {
        if (this.#heard === this.#sent || this.isOver) resolve();
      };
      this.#onTally();
    });
    clearTimeout(timer);
    this.#onTally = null;
  }

  #frame(): void {
    const state = this.#connection.state;
    if (state === 'closing' || state === 'closed') return;
    const input = this.#bot.frame(performance.now(), this.#snapshot, 1);
    if (input !== null) this.#connection.send('Input', input);
    if (this.#isResting || this.#frames++ % EVENT_EVERY !== 0) return;
    this.#event.tick = this.#sent + 1;
    if (this.#connection.send('GameEvent', this.#event) === 'full') return;
    this.#sent++;
    this.#figures.sent++;
  }

  #handleTally({ n, heard, pad }: Tally): void {
    const { faults } = this.#figures;
    this.#figures.came++;
    if (n <= this.#tallies) count(faults, 'a tally came twice or late');
    else if (n > this.#tallies + 1) count(faults, 'a tally is missing');
    if (heard < this.#heard || heard > this.#sent) count(faults, 'events were miscounted');
    if (pad.length !== padLength(n)) count(faults, 'a tally came changed');
    this.#tallies = n;
    this.#heard = heard;
    this.#onTally?.();
  }
}
