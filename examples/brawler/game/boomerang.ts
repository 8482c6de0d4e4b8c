/** Held → Charging → Flying → (Stuck →) Returning → Held. */

import { emit } from './events.js';
import { canBeHit, hurt } from './fighter.js';
import { Action, BoomerangPhase, GameEventKind } from './messages.js';
import * as rules from './rules.js';
import { onGrid } from './rules.js';
import { type Boomerang, type Fighter, isFighting, type Match } from './world.js';

export function moveBoomerang(match: Match, boomerang: Boomerang): void {
  const owner = match.fighters[boomerang.ownerNetId - 1];
  if (!isFighting(owner)) {
    boomerang.phase = BoomerangPhase.Held;
    return;
  }
  switch (boomerang.phase) {
    case BoomerangPhase.Held:
      if ((owner.input.pressed & Action.Boomerang) !== 0) beginCharge(match, owner, boomerang);
      return;
    case BoomerangPhase.Charging:
      charge(match, owner, boomerang);
      return;
    case BoomerangPhase.Flying:
      fly(match, owner, boomerang);
      return;
    case BoomerangPhase.Stuck:
      boomerang.stuckSteps -= 1;
      if (boomerang.stuckSteps === 0) turnBack(boomerang);
      return;
    case BoomerangPhase.Returning:
      comeBack(match, owner, boomerang);
      return;
    default:
  }
}

function beginCharge(match: Match, owner: Fighter, boomerang: Boomerang): void {
  if (owner.throwCooldownSteps > 0 || owner.hurtSteps > 0) return;
  boomerang.phase = BoomerangPhase.Charging;
  boomerang.charge = 0;
  boomerang.distance = 0;
  boomerang.vx = 0;
  boomerang.vy = 0;
  carry(owner, boomerang);
  emit(match, GameEventKind.BoomerangCharge, owner, 0, boomerang.netId, 0, 0);
}

/** A blow interrupts; letting the button go throws. */
function charge(match: Match, owner: Fighter, boomerang: Boomerang): void {
  carry(owner, boomerang);
  if (owner.hurtSteps > 0) {
    boomerang.phase = BoomerangPhase.Held;
    return;
  }
  boomerang.charge = Math.min(1, onGrid(boomerang.charge + rules.CHARGE_PER_STEP));
  const letGo =
    (owner.input.held & Action.Boomerang) === 0 || (owner.input.released & Action.Boomerang) !== 0;
  if (!letGo) return;
  const speed =
    rules.THROW_SPEED_MIN + (rules.THROW_SPEED_MAX - rules.THROW_SPEED_MIN) * boomerang.charge;
  const up = (owner.input.held & Action.Up) !== 0;
  boomerang.phase = BoomerangPhase.Flying;
  boomerang.vx = onGrid(owner.facing * speed * (up ? 0.7 : 1));
  boomerang.vy = onGrid(up ? -speed * 0.7 : 0);
  boomerang.flightHits = 1 << owner.index;
  owner.throwCooldownSteps = rules.THROW_COOLDOWN_STEPS;
  emit(match, GameEventKind.BoomerangThrow, owner, 0, boomerang.netId, 0, boomerang.charge);
}

function carry(owner: Fighter, boomerang: Boomerang): void {
  boomerang.x = owner.x + owner.facing * rules.FIGHTER_HALF_WIDTH;
  boomerang.y = owner.y;
}

function fly(match: Match, owner: Fighter, boomerang: Boomerang): void {
  advance(boomerang);
  strike(match, owner, boomerang);
  const reach = rules.THROW_REACH_MIN + rules.THROW_REACH_SPREAD * boomerang.charge;
  if (boomerang.x <= 0 || boomerang.x >= rules.LEVEL_WIDTH || boomerang.y >= rules.GROUND_Y) {
    boomerang.phase = BoomerangPhase.Stuck;
    boomerang.stuckSteps = rules.STUCK_STEPS;
    boomerang.vx = 0;
    boomerang.vy = 0;
  } else if (boomerang.distance >= reach) {
    turnBack(boomerang);
  }
}

function turnBack(boomerang: Boomerang): void {
  boomerang.phase = BoomerangPhase.Returning;
  boomerang.flightHits = 1 << (boomerang.ownerNetId - 1);
}

function comeBack(match: Match, owner: Fighter, boomerang: Boomerang): void {
  const dx = owner.x - boomerang.x;
  const dy = owner.y - boomerang.y;
  const away = Math.sqrt(dx * dx + dy * dy);
  if (away <= rules.CATCH_RADIUS) {
    boomerang.phase = BoomerangPhase.Held;
    emit(match, GameEventKind.BoomerangCatch, owner, 0, boomerang.netId, 0, 0);
    return;
  }
  boomerang.vx = onGrid((dx / away) * rules.RETURN_SPEED);
  boomerang.vy = onGrid((dy / away) * rules.RETURN_SPEED);
  advance(boomerang);
  strike(match, owner, boomerang);
}

function advance(boomerang: Boomerang): void {
  boomerang.x += boomerang.vx;
  boomerang.y += boomerang.vy;
  const { vx, vy } = boomerang;
  boomerang.distance = onGrid(boomerang.distance + Math.sqrt(vx * vx + vy * vy));
}

function strike(match: Match, owner: Fighter, boomerang: Boomerang): void {
  for (const target of match.fighters) {
    if ((boomerang.flightHits & (1 << target.index)) !== 0 || !canBeHit(target)) continue;
    const reachX = rules.BOOMERANG_RADIUS + rules.FIGHTER_HALF_WIDTH;
    const reachY = rules.BOOMERANG_RADIUS + rules.FIGHTER_HALF_HEIGHT;
    if (Math.abs(target.x - boomerang.x) > reachX) continue;
    if (Math.abs(target.y - boomerang.y) > reachY) continue;
    boomerang.flightHits |= 1 << target.index;
    const damage =
      rules.BOOMERANG_DAMAGE + Math.floor(rules.BOOMERANG_DAMAGE_SPREAD * boomerang.charge);
    const done = hurt(owner, target, damage, boomerang.vx < 0 ? -1 : 1);
    const { netId } = boomerang;
    emit(match, GameEventKind.BoomerangHit, owner, target.netId, netId, done, boomerang.charge);
  }
}
