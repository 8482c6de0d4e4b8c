/**
 * One step of 1/60 s. A pure function of the match (which it changes in place, so that a tick
 * allocates nothing but its events) and of the inputs taken before it: no clock, no other chance
 * than the match's own.
 */

import { moveBoomerang } from './boomerang.js';
import { emit } from './events.js';
import { moveFighter, swing } from './fighter.js';
import { GameEventKind, type InputValue, MatchState } from './messages.js';
import { LIVES_FULL, RESPAWN_STEPS, ROUND_OVER_STEPS, STATE, STEPS_PER_SECOND } from './rules.js';
import { type Fighter, isFighting, type Match, placeFighter, startRound } from './world.js';

const STEP_MS = 1000 / STEPS_PER_SECOND;

/**
 * Takes the frames of one Input message that are newer than what the fighter already has, oldest
 * first, and keeps every press and release until a step has seen it: a tap shorter than a tick, or
 * one that only the redundant copies carry, is not lost. Frames come newest first.
 */
export function takeInput(fighter: Fighter, value: InputValue): void {
  const input = fighter.input;
  for (let index = value.inputs.length - 1; index >= 0; index -= 1) {
    const frame = value.inputs[index];
    if (frame.seq <= input.lastSeq) continue;
    input.pressed |= frame.actions & ~input.held;
    input.released |= input.held & ~frame.actions;
    input.held = frame.actions;
    input.direction = frame.direction;
    input.lastSeq = frame.seq;
    input.lastClientMs = frame.clientMs;
  }
}

export function step(match: Match): void {
  match.step += 1;
  advancePhase(match);
  if (match.state !== MatchState.Playing && match.state !== MatchState.RoundOver) return;
  for (const fighter of match.fighters) {
    if (!isFighting(fighter)) continue;
    moveFighter(match, fighter);
    swing(match, fighter);
  }
  for (const boomerang of match.boomerangs) moveBoomerang(match, boomerang);
  for (const fighter of match.fighters) {
    if (!fighter.present) continue;
    fighter.input.pressed = 0;
    fighter.input.released = 0;
    settleLife(match, fighter);
  }
}

/** Ends the match: the state stays readable, nothing moves and no event is made any more. */
export function endMatch(match: Match): void {
  match.state = MatchState.MatchOver;
  match.stateSteps = 0;
}

function advancePhase(match: Match): void {
  if (match.stateSteps > 0) match.stateSteps -= 1;
  switch (match.state) {
    case MatchState.Countdown:
      if (match.stateSteps === 0) match.state = MatchState.Playing;
      return;
    case MatchState.Playing:
      match.remainingMs = Math.max(0, match.remainingMs - STEP_MS);
      if (match.remainingMs === 0 || oneIsLeft(match)) {
        match.state = MatchState.RoundOver;
        match.stateSteps = ROUND_OVER_STEPS;
      }
      return;
    case MatchState.RoundOver:
      if (match.stateSteps === 0) startRound(match);
      return;
    default:
  }
}

/** False for a fighter who is alone from the start: practice has no end but the clock. */
function oneIsLeft(match: Match): boolean {
  let present = 0;
  let alive = 0;
  for (const fighter of match.fighters) {
    if (!fighter.present) continue;
    present += 1;
    if (fighter.lives > 0) alive += 1;
  }
  return present > 1 && alive <= 1;
}

function settleLife(match: Match, fighter: Fighter): void {
  if (fighter.lives === 0) return;
  if (fighter.respawnSteps > 0) {
    fighter.respawnSteps -= 1;
    if (fighter.respawnSteps > 0) return;
    placeFighter(match, fighter, Math.min(fighter.lives, LIVES_FULL));
    emit(match, GameEventKind.Respawn, fighter, 0, 0, 0, 0);
    return;
  }
  if (fighter.health > 0) return;
  emit(match, GameEventKind.Death, fighter, 0, 0, 0, 0);
  fighter.lives -= 1;
  fighter.vx = 0;
  fighter.vy = 0;
  fighter.stateId = fighter.lives > 0 ? STATE.dead : STATE.eliminated;
  if (fighter.lives > 0) fighter.respawnSteps = RESPAWN_STEPS;
}
