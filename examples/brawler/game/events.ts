import type { GameEventKind } from './messages.js';
import type { Fighter, Match } from './world.js';

/** Notes that something happened, where `actor` stands now. Net id 0 means nobody, nothing. */
export function emit(
  match: Match,
  kind: GameEventKind,
  actor: Fighter,
  target: number,
  object: number,
  damage: number,
  charge: number,
): void {
  match.events.push({
    tick: match.step,
    kind,
    actor: actor.netId,
    target,
    object,
    direction: actor.facing,
    damage,
    x: actor.x,
    y: actor.y,
    charge,
  });
}
