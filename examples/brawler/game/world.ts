/**
 * A match: up to four fighters and their boomerangs on one level. Plain data; `step` moves it.
 *
 * Invariant: `boomerangs[i]` belongs to `fighters[i]`; a fighter keeps its slot while it plays; the
 * state after n steps depends on the seed, the joins and the inputs of those steps only.
 */

import { Prng } from '../../../src/util/prng.js';
import { BoomerangPhase, type GameEventValue, MatchState } from './messages.js';
import {
  COUNTDOWN_STEPS,
  FIGHTERS_MAX,
  HEALTH_FULL,
  LIVES_FULL,
  ROUND_MS,
  SPAWN_X,
  SPAWN_Y,
  STATE,
} from './rules.js';

export interface Fighter {
  /** False: the slot is free and everything else in it is stale. */
  present: boolean;
  readonly netId: number;
  readonly index: number;
  x: number;
  y: number;
  vx: number;
  vy: number;
  facing: number;
  stateId: number;
  health: number;
  lives: number;
  onGround: boolean;
  airJumps: number;
  score: number;
  attackSteps: number;
  cooldownSteps: number;
  throwCooldownSteps: number;
  hurtSteps: number;
  invulnerableSteps: number;
  respawnSteps: number;
  /** Fighters already hit by the swing in progress, one bit per index. */
  swingHits: number;
  input: FighterInput;
}

/** What the newest input frames say, with edges kept until a step has used them. */
export interface FighterInput {
  lastSeq: number;
  lastClientMs: number;
  held: number;
  pressed: number;
  released: number;
  direction: number;
}

export interface Boomerang {
  readonly netId: number;
  readonly ownerNetId: number;
  phase: BoomerangPhase;
  x: number;
  y: number;
  vx: number;
  vy: number;
  distance: number;
  charge: number;
  stuckSteps: number;
  /** Fighters already hit on this flight, one bit per index. */
  flightHits: number;
}

export interface Match {
  readonly seed: number;
  readonly prng: Prng;
  step: number;
  state: MatchState;
  stateSteps: number;
  remainingMs: number;
  rounds: number;
  readonly fighters: Fighter[];
  readonly boomerangs: Boomerang[];
  /** What happened in the last step, in order; the caller empties it. */
  readonly events: GameEventValue[];
}

export function createMatch(seed: number): Match {
  const fighters: Fighter[] = [];
  const boomerangs: Boomerang[] = [];
  for (let index = 0; index < FIGHTERS_MAX; index += 1) {
    fighters.push(createFighter(index));
    boomerangs.push(createBoomerang(index));
  }
  return {
    seed,
    prng: new Prng(seed),
    step: 0,
    state: MatchState.Waiting,
    stateSteps: 0,
    remainingMs: ROUND_MS,
    rounds: 0,
    fighters,
    boomerangs,
    events: [],
  };
}

/** Takes the first free slot; null when the match is full. */
export function addFighter(match: Match): Fighter | null {
  for (const fighter of match.fighters) {
    if (fighter.present) continue;
    fighter.present = true;
    fighter.score = 0;
    fighter.input = createInput();
    placeFighter(match, fighter, LIVES_FULL);
    return fighter;
  }
  return null;
}

export function removeFighter(match: Match, index: number): void {
  match.fighters[index].present = false;
  match.boomerangs[index].phase = BoomerangPhase.Held;
}

export function fightersPresent(match: Match): number {
  let count = 0;
  for (const fighter of match.fighters) if (fighter.present) count += 1;
  return count;
}

export function startRound(match: Match): void {
  match.state = MatchState.Countdown;
  match.stateSteps = COUNTDOWN_STEPS;
  match.remainingMs = ROUND_MS;
  match.rounds += 1;
  for (const fighter of match.fighters) {
    if (fighter.present) placeFighter(match, fighter, LIVES_FULL);
  }
}

/** Puts a fighter at a spawn point in full health, with its boomerang in hand. */
export function placeFighter(match: Match, fighter: Fighter, lives: number): void {
  fighter.x = SPAWN_X[(fighter.index + match.prng.below(FIGHTERS_MAX)) % FIGHTERS_MAX];
  fighter.y = SPAWN_Y;
  fighter.vx = 0;
  fighter.vy = 0;
  fighter.facing = fighter.x < 1200 ? 1 : -1;
  fighter.stateId = STATE.fall;
  fighter.health = HEALTH_FULL;
  fighter.lives = lives;
  fighter.onGround = false;
  fighter.airJumps = 1;
  fighter.attackSteps = 0;
  fighter.cooldownSteps = 0;
  fighter.throwCooldownSteps = 0;
  fighter.hurtSteps = 0;
  fighter.invulnerableSteps = 60;
  fighter.respawnSteps = 0;
  match.boomerangs[fighter.index].phase = BoomerangPhase.Held;
}

export function isFighting(fighter: Fighter): boolean {
  return fighter.present && fighter.lives > 0 && fighter.respawnSteps === 0;
}

function createFighter(index: number): Fighter {
  return {
    present: false,
    netId: index + 1,
    index,
    x: 0,
    y: 0,
    vx: 0,
    vy: 0,
    facing: 1,
    stateId: STATE.idle,
    health: 0,
    lives: 0,
    onGround: false,
    airJumps: 0,
    score: 0,
    attackSteps: 0,
    cooldownSteps: 0,
    throwCooldownSteps: 0,
    hurtSteps: 0,
    invulnerableSteps: 0,
    respawnSteps: 0,
    swingHits: 0,
    input: createInput(),
  };
}

function createInput(): FighterInput {
  return { lastSeq: 0, lastClientMs: 0, held: 0, pressed: 0, released: 0, direction: 0 };
}

function createBoomerang(index: number): Boomerang {
  return {
    netId: 100 + index + 1,
    ownerNetId: index + 1,
    phase: BoomerangPhase.Held,
    x: 0,
    y: 0,
    vx: 0,
    vy: 0,
    distance: 0,
    charge: 0,
    stuckSteps: 0,
    flightHits: 0,
  };
}
