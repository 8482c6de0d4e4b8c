/** The wire's view of a match. One value is filled again and again: a tick allocates nothing. */
import {
  BoomerangPhase,
  type BoomerangStateValue,
  type PlayerStateValue,
  type SnapshotValue,
} from './messages.js';
import type { Match } from './world.js';

/** Bit of `flags`: the player is driven by a program. */
export const FLAG_BOT = 1;

export class SnapshotWriter {
  readonly value: SnapshotValue = {
    tick: 0,
    ackSeq: 0,
    matchState: 0,
    timeRemainingMs: 0,
    players: [],
    boomerangs: [],
  };
  private readonly players: PlayerStateValue[] = [];
  private readonly boomerangs: BoomerangStateValue[] = [];

  constructor(private readonly match: Match) {
    for (const fighter of match.fighters) {
      this.players.push({ ...EMPTY_PLAYER, netId: fighter.netId, playerIndex: fighter.index });
    }
    for (const { netId, ownerNetId } of match.boomerangs) {
      this.boomerangs.push({ ...EMPTY_BOOMERANG, netId, ownerNetId });
    }
  }

  /** Everything but `ackSeq`, which differs per receiver. */
  fill(): void {
    const { value, match } = this;
    value.tick = match.step;
    value.matchState = match.state;
    value.timeRemainingMs = Math.round(match.remainingMs);
    value.players.length = 0;
    value.boomerangs.length = 0;
    for (let index = 0; index < match.fighters.length; index += 1) {
      this.fillPlayer(index);
      this.fillBoomerang(index);
    }
  }

  private fillPlayer(index: number): void {
    const fighter = this.match.fighters[index];
    if (!fighter.present) return;
    const player = this.players[index];
    player.stateId = fighter.stateId;
    player.direction = fighter.facing;
    player.health = fighter.health;
    player.lives = fighter.lives;
    player.lastSeq = fighter.input.lastSeq;
    player.x = fighter.x;
    player.y = fighter.y;
    player.vx = fighter.vx;
    player.vy = fighter.vy;
    this.value.players.push(player);
  }

  private fillBoomerang(index: number): void {
    const source = this.match.boomerangs[index];
    if (source.phase === BoomerangPhase.Held || !this.match.fighters[index].present) return;
    const boomerang = this.boomerangs[index];
    boomerang.state = source.phase;
    boomerang.x = source.x;
    boomerang.y = source.y;
    boomerang.vx = source.vx;
    boomerang.vy = source.vy;
    boomerang.distance = source.distance;
    boomerang.charge = source.charge;
    this.value.boomerangs.push(boomerang);
  }
}

const EMPTY_PLAYER: PlayerStateValue = {
  netId: 0,
  stateId: 0,
  direction: 1,
  health: 0,
  lives: 0,
  playerIndex: 0,
  flags: FLAG_BOT,
  lastSeq: 0,
  x: 0,
  y: 0,
  vx: 0,
  vy: 0,
};

const EMPTY_BOOMERANG: BoomerangStateValue = {
  netId: 0,
  ownerNetId: 0,
  state: BoomerangPhase.Held,
  x: 0,
  y: 0,
  vx: 0,
  vy: 0,
  distance: 0,
  charge: 0,
};
