/**
 * The numbers of the game. Lengths are pixels, y grows downwards; speeds are pixels per step, times
 * are steps of 1/60 s whatever the server's tick rate is.
 */

export const STEPS_PER_SECOND = 60;
export const FIGHTERS_MAX = 4;
export const HEALTH_FULL = 60;
export const LIVES_FULL = 3;

export const LEVEL_WIDTH = 2400;
export const GROUND_Y = 1100;
/** One-way platforms: solid from above only. */
export const PLATFORMS: readonly Platform[] = [
  { left: 200, right: 700, y: 900 },
  { left: 950, right: 1450, y: 860 },
  { left: 1700, right: 2200, y: 900 },
  { left: 550, right: 1050, y: 660 },
  { left: 1350, right: 1850, y: 660 },
];
export const SPAWN_X: readonly number[] = [300, 2100, 900, 1500];
export const SPAWN_Y = 500;

export interface Platform {
  readonly left: number;
  readonly right: number;
  readonly y: number;
}

export const GRAVITY = 0.75;
export const FALL_SPEED_MAX = 16;
export const RUN_SPEED_MAX = 7;
export const RUN_ACCELERATION = 1;
export const FRICTION = 0.8;
export const JUMP_SPEED = 15.5;
export const FIGHTER_HALF_WIDTH = 20;
export const FIGHTER_HALF_HEIGHT = 36;

export const MELEE_STEPS = 18;
export const MELEE_HITS_FROM = 4;
export const MELEE_HITS_UNTIL = 9;
export const MELEE_REACH = 70;
export const MELEE_DAMAGE = 8;
export const MELEE_DAMAGE_SPREAD = 5;
export const MELEE_COOLDOWN_STEPS = 30;
export const HURT_STEPS = 12;
export const INVULNERABLE_STEPS = 30;
export const RESPAWN_STEPS = 90;

export const CHARGE_PER_STEP = 1 / 40;
export const THROW_SPEED_MIN = 9;
export const THROW_SPEED_MAX = 16;
export const THROW_REACH_MIN = 350;
export const THROW_REACH_SPREAD = 650;
export const THROW_COOLDOWN_STEPS = 60;
export const RETURN_SPEED = 13;
export const STUCK_STEPS = 40;
export const CATCH_RADIUS = 40;
export const BOOMERANG_RADIUS = 24;
export const BOOMERANG_DAMAGE = 6;
export const BOOMERANG_DAMAGE_SPREAD = 12;

export const COUNTDOWN_STEPS = 30;
export const ROUND_OVER_STEPS = 120;
export const ROUND_MS = 180_000;

/** What a fighter is doing, as `state_id` of the wire (0–40). */
export const STATE = {
  idle: 0,
  run: 1,
  jump: 2,
  fall: 3,
  crouch: 4,
  attack: 5,
  charge: 6,
  hurt: 7,
  dead: 8,
  eliminated: 9,
} as const;

/**
 * Positions and speeds are kept on a grid of 1/4096 px: exact in a float32 over the whole level, so
 * that both wires carry what the simulation holds, and shorter in JSON than the measured game's
 * values (a snapshot of 4 players and 2 boomerangs: about 960 B here, 1,099 B there), so that the
 * baseline is never padded.
 */
export function onGrid(value: number): number {
  return Math.round(value * 4096) / 4096;
}
