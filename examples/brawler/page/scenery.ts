/** Sky, hills, ground and platforms. */
import { GROUND_Y, LEVEL_WIDTH, PLATFORMS } from '../game/rules.js';
import type { Camera } from './camera.js';
import type { Palette } from './palette.js';

const ISLAND_HEIGHT = 62;
const STARS = 90;

export function drawSky(
  context: CanvasRenderingContext2D,
  { width, height, x }: Camera,
  palette: Palette,
  timeS: number,
): void {
  const sky = context.createLinearGradient(0, 0, 0, height);
  for (const [index, colour] of palette.sky.entries()) sky.addColorStop(index / 2, colour);
  context.fillStyle = sky;
  context.fillRect(0, 0, width, height);
  if (palette.isNight) drawStars(context, width, height, timeS);
  drawOrb(context, width * 0.78, height * 0.3, Math.min(width, height) * 0.075, palette);
  if (!palette.isNight) drawClouds(context, width, height, timeS);
  for (const [index, colour] of palette.hills.entries()) {
    drawHills(context, width, height, x * (0.04 + 0.05 * index), index, colour);
  }
}

/** In the level's coordinates. */
export function drawGround(
  context: CanvasRenderingContext2D,
  camera: Camera,
  palette: Palette,
): void {
  const left = Math.min(0, camera.x) - 40;
  const wide = Math.max(LEVEL_WIDTH, camera.width / camera.scale) + 80;
  const earth = context.createLinearGradient(0, GROUND_Y, 0, GROUND_Y + 240);
  earth.addColorStop(0, palette.ground);
  earth.addColorStop(1, palette.shade);
  context.fillStyle = earth;
  context.fillRect(left, GROUND_Y, wide, 2000);
  drawStones(context, palette);
  drawGrass(context, left, left + wide, GROUND_Y, palette.groundEdge);
  for (const { left, right, y } of PLATFORMS) {
    drawIsland(context, left, right, y, palette);
    drawGrass(context, left + 8, right - 8, y, palette.platformEdge);
  }
}

/** Earth that floats: flat above, hanging down below. */
function drawIsland(
  context: CanvasRenderingContext2D,
  left: number,
  right: number,
  y: number,
  palette: Palette,
): void {
  const fill = context.createLinearGradient(0, y, 0, y + ISLAND_HEIGHT);
  fill.addColorStop(0, palette.platform);
  fill.addColorStop(1, palette.shade);
  context.fillStyle = fill;
  const part = (right - left) / 4;
  context.beginPath();
  context.moveTo(left, y + 6);
  context.quadraticCurveTo(left, y + 32, left + part * 0.5, y + 36);
  context.quadraticCurveTo(left + part * 1.2, y + 42, left + part * 1.6, y + ISLAND_HEIGHT);
  context.quadraticCurveTo(left + part * 2, y + 52, right - part * 1.4, y + ISLAND_HEIGHT - 8);
  context.quadraticCurveTo(right - part * 0.9, y + 40, right - part * 0.4, y + 36);
  context.quadraticCurveTo(right, y + 32, right, y + 6);
  context.fill();
}

/** A strip with blades on it; in the same places each frame. */
function drawGrass(
  context: CanvasRenderingContext2D,
  left: number,
  right: number,
  y: number,
  colour: string,
): void {
  context.fillStyle = colour;
  context.beginPath();
  context.roundRect(left - 8, y, right - left + 16, 13, 6);
  for (let x = left + 10; x < right - 10; x += 26) {
    const at = x + 20 * hash(x + y);
    const tall = 4 + 9 * hash(x + y + 31);
    context.moveTo(at - 4, y + 2);
    context.lineTo(at + 5 * hash(x) - 2, y - tall);
    context.lineTo(at + 4, y + 2);
  }
  context.fill();
}

function drawStones(context: CanvasRenderingContext2D, palette: Palette): void {
  context.fillStyle = palette.shade;
  context.globalAlpha = 0.7;
  context.beginPath();
  for (let stone = 0; stone < 70; stone++) {
    const x = hash(stone + 2000) * LEVEL_WIDTH;
    const y = GROUND_Y + 34 + 190 * hash(stone + 2100);
    context.roundRect(x, y, 14 + 34 * hash(stone + 2200), 9 + 8 * hash(stone + 2300), 7);
  }
  context.fill();
  context.globalAlpha = 1;
}

function drawStars(
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  timeS: number,
): void {
  context.fillStyle = '#fff';
  for (let star = 0; star < STARS; star++) {
    const x = hash(star) * width;
    const y = hash(star + 500) ** 1.5 * height * 0.7;
    context.globalAlpha = 0.25 + 0.55 * hash(star + 900) * (0.7 + 0.3 * Math.sin(timeS + star));
    const size = 0.8 + 1.4 * hash(star + 1300);
    context.fillRect(x, y, size, size);
  }
  context.globalAlpha = 1;
}

function drawOrb(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  radius: number,
  palette: Palette,
): void {
  const glow = context.createRadialGradient(x, y, radius * 0.8, x, y, radius * 4);
  const [red, green, blue, strength] = palette.orbGlow;
  for (const [at, share] of [
    [0, 1],
    [0.4, 0.35],
    [1, 0],
  ]) {
    glow.addColorStop(at, `rgba(${red}, ${green}, ${blue}, ${strength * share})`);
  }
  context.fillStyle = glow;
  context.fillRect(x - radius * 4, y - radius * 4, radius * 8, radius * 8);
  context.fillStyle = palette.orb;
  context.beginPath();
  addDisc(context, x, y, radius);
  context.fill();
  if (!palette.isNight) return;
  context.fillStyle = 'rgba(160, 150, 190, 0.28)';
  context.beginPath();
  for (const [dx, dy, part] of CRATERS) {
    addDisc(context, x + dx * radius, y + dy * radius, radius * part);
  }
  context.fill();
}

function drawClouds(
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  timeS: number,
): void {
  context.fillStyle = 'rgba(255, 255, 255, 0.75)';
  for (let cloud = 0; cloud < 5; cloud++) {
    const size = 18 + 22 * hash(cloud + 60);
    const span = width + size * 10;
    const x = ((hash(cloud + 20) * span + timeS * (4 + cloud)) % span) - size * 5;
    const y = height * (0.12 + 0.3 * hash(cloud + 40));
    context.beginPath();
    for (const [dx, dy, part] of CLOUD) {
      addDisc(context, x + dx * size, y + dy * size, size * part);
    }
    context.fill();
  }
}

/** Of the moon, in parts of its radius. */
const CRATERS = [
  [-0.35, -0.3, 0.22],
  [0.3, 0.25, 0.3],
  [-0.25, 0.45, 0.13],
  [0.42, -0.38, 0.12],
];

const CLOUD = [
  [-1.5, 0.2, 0.7],
  [-0.6, -0.2, 1],
  [0.6, -0.1, 0.9],
  [1.5, 0.25, 0.6],
];

function drawHills(
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  shift: number,
  layer: number,
  colour: string,
): void {
  const base = height * (0.6 + 0.1 * layer);
  const tall = height * (0.13 - 0.02 * layer);
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(0, height);
  for (let x = 0; x <= width + 12; x += 12) {
    const at = (x + shift) / 130 + layer * 9;
    const wave = Math.sin(at) * 0.55 + Math.sin(at * 0.43 + layer) * 0.45;
    context.lineTo(x, base - wave * tall);
  }
  context.lineTo(width, height);
  context.fill();
}

function addDisc(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.moveTo(x + radius, y);
  context.arc(x, y, radius, 0, Math.PI * 2);
}

/** A fixed number from 0 to 1 for each whole one. */
function hash(index: number): number {
  const mixed = Math.imul(index + 1, 0x9e3779b1) ^ ((index + 7) << 11);
  return (Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b) >>> 8) / 0x1000000;
}
