/**
 * The game on a GameServer: players in rooms of four, one brawler match per room. The same code
 * serves both wires; it does not look at which one a player came by.
 */

import { EventDigest } from '../../examples/brawler/game/digest.js';
import { type GameMessages, MatchState } from '../../examples/brawler/game/messages.js';
import { FIGHTERS_MAX, STEPS_PER_SECOND } from '../../examples/brawler/game/rules.js';
import { SnapshotWriter } from '../../examples/brawler/game/snapshot.js';
import { endMatch, step, takeInput } from '../../examples/brawler/game/step.js';
import {
  addFighter,
  createMatch,
  type Fighter,
  fightersPresent,
  type Match,
  removeFighter,
  startRound,
} from '../../examples/brawler/game/world.js';
import type { GameServer, Player, Room } from '../../src/server/index.js';

/** A process that was stopped for a while does not play all of it at once. */
const CATCH_UP_STEPS_MAX = 6;

interface Table {
  readonly match: Match;
  readonly writer: SnapshotWriter;
  readonly room: Room<GameMessages>;
  readonly seats: (Player<GameMessages> | null)[];
  readonly digest: EventDigest;
}

interface Seat {
  table: Table;
  fighter: Fighter;
}

export class Matches {
  /** Messages of the game: inputs handled, snapshots and events accepted by a connection. */
  messagesIn = 0;
  messagesOut = 0;
  /** Events a connection did not take, which makes its digest differ. */
  eventsRefused = 0;
  ticksSkipped = 0;
  private readonly tables: Table[] = [];
  private tablesMade = 0;
  private stepsOwed = 0;
  private isPlaying = false;

  constructor(
    private readonly server: GameServer<GameMessages>,
    private readonly seed: number,
    rateHz: number,
    /** Others are on the server and not in the game. */
    plays: (player: Player<GameMessages>) => boolean = () => true,
  ) {
    server.onJoin((player) => {
      if (plays(player)) this.seat(player);
    });
    server.onLeave((player) => this.unseat(player));
    server.on('Input', (player, value) => {
      this.messagesIn += 1;
      const seat = player.data as Seat | null | undefined;
      if (seat) takeInput(seat.fighter, value);
    });
    const stepsPerTick = STEPS_PER_SECOND / rateHz;
    server.onTick((info) => {
      this.ticksSkipped += info.skipped;
      this.stepsOwed += stepsPerTick * (1 + info.skipped);
      this.tick();
    });
  }

  /** Rooms that are filled from now on begin at once, the others now. */
  play(): void {
    this.isPlaying = true;
    for (const table of this.tables) startRound(table.match);
  }

  /** Nothing happens in any match from here on. */
  end(): void {
    this.isPlaying = false;
    for (const table of this.tables) endMatch(table.match);
  }

  /** What was sent to each player, in the order of the tables and their seats. */
  digests(): string[] {
    const digests: string[] = [];
    for (const { seats, digest } of this.tables) {
      for (const player of seats) if (player !== null) digests.push(digest.toString());
    }
    return digests;
  }

  private tick(): void {
    const steps = Math.min(Math.floor(this.stepsOwed + 1e-9), CATCH_UP_STEPS_MAX);
    this.stepsOwed = Math.max(0, this.stepsOwed - steps);
    if (this.stepsOwed >= CATCH_UP_STEPS_MAX) this.stepsOwed = 0;
    if (!this.isPlaying) return;
    for (const table of this.tables) {
      for (let count = 0; count < steps; count += 1) {
        step(table.match);
        this.sendEvents(table);
      }
      this.sendSnapshots(table);
    }
  }

  private sendEvents(table: Table): void {
    const { events } = table.match;
    for (const event of events) {
      table.digest.add(event);
      const accepted = table.room.broadcast('GameEvent', event);
      this.messagesOut += accepted;
      this.eventsRefused += table.room.size - accepted;
    }
    events.length = 0;
  }

  private sendSnapshots(table: Table): void {
    const { value } = table.writer;
    table.writer.fill();
    for (let index = 0; index < FIGHTERS_MAX; index += 1) {
      const player = table.seats[index];
      if (player === null) continue;
      value.ackSeq = table.match.fighters[index].input.lastSeq;
      if (player.send('Snapshot', value) !== 'full') this.messagesOut += 1;
    }
  }

  private seat(player: Player<GameMessages>): void {
    let table = this.tables.find(({ match }) => fightersPresent(match) < FIGHTERS_MAX);
    if (table === undefined) {
      table = this.newTable();
      this.tables.push(table);
    }
    const fighter = addFighter(table.match) as Fighter;
    table.seats[fighter.index] = player;
    table.room.join(player);
    player.data = { table, fighter } satisfies Seat;
    if (this.isPlaying && table.match.state === MatchState.Waiting) startRound(table.match);
  }

  private unseat(player: Player<GameMessages>): void {
    const seat = player.data as Seat | null | undefined;
    if (!seat) return;
    player.data = null;
    const { table, fighter } = seat;
    removeFighter(table.match, fighter.index);
    table.seats[fighter.index] = null;
    if (fightersPresent(table.match) > 0) return;
    this.tables.splice(this.tables.indexOf(table), 1);
  }

  private newTable(): Table {
    const number = this.tablesMade;
    this.tablesMade += 1;
    const match = createMatch(this.seed + number);
    return {
      match,
      writer: new SnapshotWriter(match),
      room: this.server.room(`match-${number}`),
      seats: new Array(FIGHTERS_MAX).fill(null),
      digest: new EventDigest(),
    };
  }
}
