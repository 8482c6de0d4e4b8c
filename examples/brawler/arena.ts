/**
 * One match on a game server: inputs in, a step of the game at each tick, snapshots and events out.
 * Nothing here knows which wire a player is on.
 */
import type { GameServer, Player, TickInfo } from '../../src/server/index.js';
import { GameEventKind, type InputValue, MatchState } from './game/messages.js';
import { SnapshotWriter } from './game/snapshot.js';
import { step, takeInput } from './game/step.js';
import { createMatch, type Match, startRound } from './game/world.js';
import type { Messages, RosterEntry } from './messages.js';
import { nameOf, type Seat, Seats } from './seats.js';

export const TICK_HZ = 60;
const TICKS_PER_SNAPSHOT = 2;
const TICKS_PER_ROSTER = 60;
/** An input for a tick further ahead is nonsense: two seconds. */
const TICKS_AHEAD_MAX = 120;
/** Ticks that were skipped and are made up for; after a longer pause the match has stood still. */
const CATCH_UP_MAX = 6;

export class Arena {
  readonly match: Match;
  readonly #server: GameServer<Messages>;
  readonly #seats: Seats;
  readonly #writer: SnapshotWriter;
  #tick = 0;
  /** Who hit a fighter last, by net id: a death is theirs. */
  readonly #lastHitBy = new Map<number, number>();

  constructor(server: GameServer<Messages>, seed: number) {
    this.#server = server;
    this.match = createMatch(seed);
    this.#writer = new SnapshotWriter(this.match);
    this.#seats = new Seats(this.match, (player, seat) => this.#handleSeat(player, seat));
    server.onJoin((player) => this.#seats.join(player));
    server.onLeave((player) => {
      this.#seats.leave(player);
      this.#tellRoster();
    });
    server.on('Input', (player, value, meta) => this.#handleInput(player, value, meta.ageMs));
    server.onTick((tick) => this.#handleTick(tick));
  }

  #handleSeat(player: Player<Messages>, seat: Seat | null): void {
    const netId = seat?.fighter.netId ?? 0;
    player.send('welcome', { netId, tickHz: TICK_HZ, ticksPerSnapshot: TICKS_PER_SNAPSHOT });
    if (this.match.state === MatchState.Waiting) startRound(this.match);
    this.#tellRoster();
  }

  /** People number an input with the tick it is for; bots just count, so theirs are due at once. */
  #handleInput(player: Player<Messages>, value: InputValue, ageMs: number): void {
    const seat = this.#seats.of(player);
    if (seat === null) return;
    const newest = value.inputs[0]?.seq ?? 0;
    if (!seat.isBot) player.inputs.arrived(newest, ageMs);
    for (const frame of value.inputs) {
      const isKnown = seat.pending.some(({ seq }) => seq === frame.seq);
      if (!isKnown && frame.seq <= this.#tick + TICKS_AHEAD_MAX) seat.pending.push(frame);
    }
    seat.pending.sort((a, b) => b.seq - a.seq);
  }

  #handleTick({ tick, skipped }: TickInfo): void {
    this.#tick = tick;
    for (const seat of this.#seats.taken.values()) takeDue(seat, tick);
    for (let count = Math.min(skipped, CATCH_UP_MAX); count >= 0; count--) step(this.match);
    this.#tellEvents();
    if (tick % TICKS_PER_SNAPSHOT === 0) {
      this.#writer.fill();
      this.#writer.value.tick = tick;
      this.#server.broadcast('Snapshot', this.#writer.value);
    }
    if (tick % TICKS_PER_ROSTER === 0) this.#tellRoster();
  }

  #tellEvents(): void {
    for (const event of this.match.events) {
      if (event.target !== 0) this.#lastHitBy.set(event.target, event.actor);
      if (event.kind === GameEventKind.Death) {
        event.target = this.#lastHitBy.get(event.actor) ?? 0;
        for (const seat of this.#seats.taken.values()) {
          if (seat.fighter.netId === event.target) seat.kills++;
        }
        this.#lastHitBy.delete(event.actor);
      }
      event.tick = this.#tick;
      this.#server.broadcast('GameEvent', event);
    }
    this.match.events.length = 0;
  }

  #tellRoster(): void {
    const entries: RosterEntry[] = [];
    for (const { player, fighter, isBot, kills } of this.#seats.taken.values()) {
      const { rttMs } = player.stats();
      entries.push({
        netId: fighter.netId,
        name: nameOf(player),
        isBot,
        wire: player.wire,
        rttMs: Number.isFinite(rttMs) ? rttMs : null,
        kills,
      });
    }
    this.#server.broadcast('roster', entries);
  }
}

function takeDue(seat: Seat, tick: number): void {
  const due = seat.pending.filter(({ seq }) => seq <= tick);
  if (due.length === 0) return;
  takeInput(seat.fighter, { inputs: due });
  seat.pending = seat.pending.filter(({ seq }) => seq > tick);
}
