/** Fighters and boomerangs, in the level's coordinates. */
import {
  BoomerangPhase,
  type BoomerangStateValue,
  type PlayerStateValue,
} from '@ggscale/transport/messages';
import {
  FIGHTER_HALF_HEIGHT,
  FIGHTER_HALF_WIDTH,
  HEALTH_FULL,
  MELEE_REACH,
  STATE,
} from '../game/rules.js';
import { FIGHTER_COLOURS, type Palette } from './palette.js';

type Context = CanvasRenderingContext2D;

export interface Look {
  name: string;
  isMe: boolean;
  palette: Palette;
  timeS: number;
}

export function colourOf(netId: number): string {
  return FIGHTER_COLOURS[(netId - 1) % FIGHTER_COLOURS.length];
}

export function drawFighter(context: Context, player: PlayerStateValue, look: Look): void {
  const { x, y, stateId, direction } = player;
  if (stateId === STATE.dead || stateId === STATE.eliminated) return;
  const crouches = stateId === STATE.crouch;
  const rises = stateId === STATE.jump;
  const tall = crouches ? 0.66 : rises ? 1.08 : stateId === STATE.fall ? 1.04 : 1;
  const bob = stateId === STATE.idle ? Math.sin(look.timeS * 3 + player.netId) * 1.5 : 0;
  drawShadowRing(context, player, look);
  context.save();
  context.translate(x, y + FIGHTER_HALF_HEIGHT);
  context.scale(direction < 0 ? -1 : 1, 1);
  if (stateId === STATE.hurt) context.rotate(-0.22);
  drawLegs(context, player, look);
  context.scale(2 - tall, tall);
  drawBody(context, player, look, bob);
  context.restore();
  if (stateId === STATE.attack) drawSwing(context, player, look);
  drawLabel(context, player, look);
}

function drawShadowRing(context: Context, { x, y }: PlayerStateValue, look: Look): void {
  if (!look.isMe) return;
  context.strokeStyle = 'rgba(255, 255, 255, 0.9)';
  context.lineWidth = 4;
  context.setLineDash([14, 10]);
  context.lineDashOffset = -look.timeS * 24;
  context.beginPath();
  context.ellipse(x, y + FIGHTER_HALF_HEIGHT + 2, 40, 11, 0, 0, Math.PI * 2);
  context.stroke();
  context.setLineDash([]);
}

function drawLegs(context: Context, player: PlayerStateValue, look: Look): void {
  const runs = player.stateId === STATE.run;
  const inAir = player.stateId === STATE.jump || player.stateId === STATE.fall;
  const phase = runs ? Math.sin(look.timeS * 18) : inAir ? 0.7 : 0.25;
  context.lineCap = 'round';
  context.lineWidth = 12;
  context.strokeStyle = look.palette.outline;
  for (const side of [-1, 1]) {
    context.beginPath();
    context.moveTo(side * 7, -24);
    const lift = runs ? Math.max(0, side * phase) * 10 : 0;
    context.lineTo(side * 7 + side * phase * 13, -5 - lift);
    context.stroke();
  }
}

function drawBody(context: Context, player: PlayerStateValue, look: Look, bob: number): void {
  const colour = colourOf(player.netId);
  const top = -FIGHTER_HALF_HEIGHT * 2 + bob;
  const half = FIGHTER_HALF_WIDTH + 3;
  context.lineWidth = 4;
  context.strokeStyle = look.palette.outline;
  context.fillStyle = player.stateId === STATE.hurt ? '#fff' : colour;
  context.beginPath();
  context.roundRect(-half, top, half * 2, 58, 22);
  context.fill();
  context.stroke();
  context.fillStyle = 'rgba(255, 255, 255, 0.25)';
  context.beginPath();
  context.roundRect(-half + 7, top + 7, 12, 30, 6);
  context.fill();
  // A headband whose ends fly behind.
  context.fillStyle = look.palette.outline;
  context.fillRect(-half, top + 10, half * 2, 7);
  const wave = Math.sin(look.timeS * 9 + player.netId) * 4;
  context.beginPath();
  context.moveTo(-half, top + 11);
  context.lineTo(-half - 22, top + 6 + wave);
  context.lineTo(-half - 17, top + 17 + wave);
  context.fill();
  drawFace(context, player, top);
}

function drawFace(context: Context, { stateId }: PlayerStateValue, top: number): void {
  context.fillStyle = '#fff';
  for (const x of [2, 15]) {
    context.beginPath();
    context.ellipse(x, top + 28, 6, stateId === STATE.hurt ? 2 : 8, 0, 0, Math.PI * 2);
    context.fill();
  }
  context.fillStyle = '#151a2b';
  for (const x of [5, 18]) {
    context.beginPath();
    context.arc(x, top + 29, 3.2, 0, Math.PI * 2);
    context.fill();
  }
}

function drawSwing(context: Context, player: PlayerStateValue, look: Look): void {
  context.save();
  context.translate(player.x, player.y);
  context.scale(player.direction < 0 ? -1 : 1, 1);
  const reach = MELEE_REACH;
  const arc = context.createRadialGradient(0, 0, 20, 0, 0, reach);
  arc.addColorStop(0, 'rgba(255, 255, 255, 0)');
  arc.addColorStop(1, look.palette.isNight ? 'rgba(255, 244, 200, 0.9)' : 'rgba(255, 255, 255, 1)');
  context.fillStyle = arc;
  context.beginPath();
  context.arc(0, 0, reach, -1, 1);
  context.arc(-14, 0, reach * 0.7, 0.8, -0.8, true);
  context.fill();
  context.restore();
}

function drawLabel(context: Context, player: PlayerStateValue, look: Look): void {
  const y = player.y - FIGHTER_HALF_HEIGHT - 26;
  context.font = '700 24px ui-rounded, system-ui, sans-serif';
  context.textAlign = 'center';
  context.lineJoin = 'round';
  context.lineWidth = 6;
  context.strokeStyle = look.palette.labelEdge;
  context.fillStyle = look.palette.label;
  context.strokeText(look.name, player.x, y - 14);
  context.fillText(look.name, player.x, y - 14);
  const width = 74;
  context.fillStyle = look.palette.outline;
  context.beginPath();
  context.roundRect(player.x - width / 2 - 3, y - 6, width + 6, 14, 7);
  context.fill();
  const share = Math.max(0, player.health / HEALTH_FULL);
  context.fillStyle = share > 0.5 ? '#3ddc84' : share > 0.25 ? '#ffb020' : '#ff4d4d';
  context.beginPath();
  context.roundRect(player.x - width / 2, y - 3, width * share, 8, 4);
  context.fill();
}

export function drawBoomerang(context: Context, boomerang: BoomerangStateValue, look: Look): void {
  const { x, y, vx, vy, state, ownerNetId, charge } = boomerang;
  if (state === BoomerangPhase.Charging) {
    context.strokeStyle = colourOf(ownerNetId);
    context.lineWidth = 5;
    context.beginPath();
    context.arc(x, y, 30, -Math.PI / 2, -Math.PI / 2 + charge * Math.PI * 2);
    context.stroke();
  } else if (state !== BoomerangPhase.Stuck) {
    drawTrail(context, x, y, vx, vy, colourOf(ownerNetId));
  }
  context.save();
  context.translate(x, y);
  context.rotate(state === BoomerangPhase.Stuck ? 0.6 : look.timeS * 22);
  context.lineCap = 'round';
  context.lineJoin = 'round';
  for (const [width, colour] of [
    [17, look.palette.outline],
    [10, colourOf(ownerNetId)],
    [3, 'rgba(255, 255, 255, 0.7)'],
  ] as const) {
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.beginPath();
    context.moveTo(-19, 15);
    context.quadraticCurveTo(-3, -24, 0, -15);
    context.quadraticCurveTo(3, -24, 19, 15);
    context.stroke();
  }
  context.restore();
}

function drawTrail(
  context: Context,
  x: number,
  y: number,
  vx: number,
  vy: number,
  colour: string,
): void {
  const trail = context.createLinearGradient(x, y, x - vx * 9, y - vy * 9);
  trail.addColorStop(0, colour);
  trail.addColorStop(1, 'rgba(255, 255, 255, 0)');
  context.strokeStyle = trail;
  context.globalAlpha = 0.55;
  context.lineWidth = 22;
  context.lineCap = 'round';
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x - vx * 9, y - vy * 9);
  context.stroke();
  context.globalAlpha = 1;
}
