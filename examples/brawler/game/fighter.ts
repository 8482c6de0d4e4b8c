/** Movement, melee and being hit. */

import { emit } from './events.js';
import { Action, BoomerangPhase, GameEventKind } from './messages.js';
import * as rules from './rules.js';
import { onGrid, STATE } from './rules.js';
import { type Fighter, isFighting, type Match } from './world.js';

export function moveFighter(match: Match, fighter: Fighter): void {
  coolDown(fighter);
  const { input } = fighter;
  const free = fighter.hurtSteps === 0;
  const crouching = free && fighter.onGround && (input.held & Action.Crouch) !== 0;
  const direction = free && !crouching ? input.direction : 0;
  if (direction !== 0) {
    fighter.facing = direction;
    fighter.vx = clamp(fighter.vx + direction * rules.RUN_ACCELERATION, rules.RUN_SPEED_MAX);
  } else {
    fighter.vx *= rules.FRICTION;
  }
  if (free && (input.pressed & Action.Jump) !== 0) jump(fighter);
  if (free && (input.pressed & Action.Attack) !== 0) attack(match, fighter);
  fall(fighter, crouching && (input.pressed & Action.Jump) !== 0);
  fighter.stateId = stateOf(match, fighter, crouching);
}

/** Hits whoever stands in front while the swing is in its active part. */
export function swing(match: Match, fighter: Fighter): void {
  const elapsed = rules.MELEE_STEPS - fighter.attackSteps;
  if (fighter.attackSteps === 0) return;
  if (elapsed < rules.MELEE_HITS_FROM || elapsed >= rules.MELEE_HITS_UNTIL) return;
  for (const target of match.fighters) {
    if (target === fighter || !canBeHit(target)) continue;
    if ((fighter.swingHits & (1 << target.index)) !== 0) continue;
    const ahead = (target.x - fighter.x) * fighter.facing;
    if (ahead < -rules.FIGHTER_HALF_WIDTH || ahead > rules.MELEE_REACH) continue;
    if (Math.abs(target.y - fighter.y) > rules.FIGHTER_HALF_HEIGHT * 2) continue;
    fighter.swingHits |= 1 << target.index;
    const damage = rules.MELEE_DAMAGE + match.prng.below(rules.MELEE_DAMAGE_SPREAD);
    const done = hurt(fighter, target, damage, fighter.facing);
    emit(match, GameEventKind.MeleeHit, fighter, target.netId, 0, done, 0);
  }
}

export function canBeHit(target: Fighter): boolean {
  return isFighting(target) && target.invulnerableSteps === 0 && target.health > 0;
}

/** @returns the damage done, at most what health was left */
export function hurt(actor: Fighter, target: Fighter, damage: number, direction: number): number {
  const done = Math.min(damage, target.health);
  target.health -= done;
  target.hurtSteps = rules.HURT_STEPS;
  target.invulnerableSteps = rules.INVULNERABLE_STEPS;
  target.vx = direction * rules.RUN_SPEED_MAX;
  target.vy = -rules.JUMP_SPEED / 2;
  target.onGround = false;
  actor.score += done;
  return done;
}

function coolDown(fighter: Fighter): void {
  if (fighter.attackSteps > 0) fighter.attackSteps -= 1;
  if (fighter.cooldownSteps > 0) fighter.cooldownSteps -= 1;
  if (fighter.throwCooldownSteps > 0) fighter.throwCooldownSteps -= 1;
  if (fighter.hurtSteps > 0) fighter.hurtSteps -= 1;
  if (fighter.invulnerableSteps > 0) fighter.invulnerableSteps -= 1;
}

function jump(fighter: Fighter): void {
  if ((fighter.input.held & Action.Crouch) !== 0) return;
  if (!fighter.onGround) {
    if (fighter.airJumps === 0) return;
    fighter.airJumps -= 1;
  }
  fighter.vy = -rules.JUMP_SPEED;
  fighter.onGround = false;
}

function attack(match: Match, fighter: Fighter): void {
  if (fighter.cooldownSteps > 0) return;
  fighter.attackSteps = rules.MELEE_STEPS;
  fighter.cooldownSteps = rules.MELEE_COOLDOWN_STEPS;
  fighter.swingHits = 0;
  emit(match, GameEventKind.MeleeAttack, fighter, 0, 0, 0, 0);
}

function fall(fighter: Fighter, dropThrough: boolean): void {
  const before = fighter.y + rules.FIGHTER_HALF_HEIGHT;
  fighter.vy = clamp(fighter.vy + rules.GRAVITY, rules.FALL_SPEED_MAX);
  const margin = rules.FIGHTER_HALF_WIDTH;
  fighter.x = onGrid(
    Math.min(rules.LEVEL_WIDTH - margin, Math.max(margin, fighter.x + fighter.vx)),
  );
  fighter.y = onGrid(fighter.y + fighter.vy);
  fighter.vx = onGrid(fighter.vx);
  fighter.vy = onGrid(fighter.vy);
  fighter.onGround = false;
  const after = fighter.y + rules.FIGHTER_HALF_HEIGHT;
  let floor = rules.GROUND_Y;
  if (fighter.vy >= 0 && !dropThrough) {
    for (const platform of rules.PLATFORMS) {
      const above = fighter.x >= platform.left && fighter.x <= platform.right;
      if (above && before <= platform.y && platform.y < floor) floor = platform.y;
    }
  }
  if (after < floor) return;
  fighter.y = floor - rules.FIGHTER_HALF_HEIGHT;
  fighter.vy = 0;
  fighter.onGround = true;
  fighter.airJumps = 1;
}

function stateOf(match: Match, fighter: Fighter, crouching: boolean): number {
  if (fighter.hurtSteps > 0) return STATE.hurt;
  if (fighter.attackSteps > 0) return STATE.attack;
  if (match.boomerangs[fighter.index].phase === BoomerangPhase.Charging) return STATE.charge;
  if (!fighter.onGround) return fighter.vy < 0 ? STATE.jump : STATE.fall;
  if (crouching) return STATE.crouch;
  return Math.abs(fighter.vx) > 0.5 ? STATE.run : STATE.idle;
}

function clamp(value: number, limit: number): number {
  return value > limit ? limit : value < -limit ? -limit : value;
}
