/** The page: joins, draws a frame whenever the screen wants one, sends what is pressed. */
import {
  type BoomerangStateValue,
  GameEventKind,
  type GameEventValue,
  type PlayerStateValue,
  type SnapshotValue,
} from '@ggscale/transport/messages';
import { Camera } from './camera.js';
import { Controls } from './controls.js';
import { Effects } from './effects.js';
import { drawBoomerang, drawFighter } from './figures.js';
import { element, Hud } from './hud.js';
import { Net } from './net.js';
import { watchPalette } from './palette.js';
import { drawGround, drawSky } from './scenery.js';

/** A fighter that moves further between two snapshots was put there. */
const JUMP_PX = 200;
const HUD_EVERY_MS = 100;
/** Of the touch controls; phones on their side have no room to spare, they cover the arena. */
const TOUCH_HEIGHT = 150;
const UPRIGHT_HEIGHT = 500;
const EVENTS_KEPT = 200;

const canvas = element('arena') as HTMLCanvasElement;
const context = canvas.getContext('2d', { alpha: false }) as CanvasRenderingContext2D;
const form = element('start') as HTMLFormElement;
const nameField = element('name') as HTMLInputElement;
const camera = new Camera();
const effects = new Effects();
const controls = new Controls(element('touch'));
const hud = new Hud();
const palette = watchPalette();
const calm = matchMedia('(prefers-reduced-motion: reduce)');

let net: Net | null = null;
let frameMs = performance.now();
let hudMs = 0;

/** For tests and the curious: what is shown. */
const shown = {
  net: null as Net | null,
  frames: 0,
  players: [] as PlayerStateValue[],
  boomerangs: [] as BoomerangStateValue[],
  /** The newest ones. */
  events: [] as GameEventValue[],
};
Object.assign(globalThis, { brawler: shown });

form.addEventListener('submit', (event) => {
  event.preventDefault();
  form.hidden = true;
  nameField.blur();
  void play(nameField.value.trim() || 'Guest');
});
addEventListener('resize', resize);
resize();
requestAnimationFrame(frame);
const invited = new URLSearchParams(location.search).get('name');
if (invited !== null) {
  form.hidden = true;
  void play(invited);
}

async function play(name: string): Promise<void> {
  hud.notice('Connecting …');
  try {
    net = shown.net = await Net.join(name);
  } catch (error) {
    hud.notice((error as Error).message);
    form.hidden = false;
    return;
  }
  hud.show();
  resize();
  const { code, reason } = await net.closed;
  net = shown.net = null;
  hud.notice(`The connection has ended (${code}${reason === '' ? '' : ` ${reason}`}).`);
  form.hidden = false;
}

function frame(nowMs: number): void {
  requestAnimationFrame(frame);
  const elapsedS = Math.min(0.1, (nowMs - frameMs) / 1000);
  frameMs = nowMs;
  const clockMs = performance.now();
  const view = net?.view(clockMs) ?? null;
  if (net !== null) net.sendInput(controls, clockMs);
  const colours = palette();
  const pixelRatio = canvas.width / camera.width;
  context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
  const timeS = nowMs / 1000;
  if (view !== null) follow(view.from, view.to, view.blend, elapsedS);
  else camera.follow(1200 + Math.sin(timeS / 6) * 600, elapsedS);
  drawSky(context, camera, colours, timeS);
  camera.apply(context, pixelRatio);
  drawGround(context, camera, colours);
  if (net === null || view === null) return;
  const nameOf = (id: number) => net?.roster.find(({ netId }) => netId === id)?.name ?? '';
  const look = { name: '', isMe: false, palette: colours, timeS };
  for (const player of shown.players) {
    look.name = nameOf(player.netId);
    look.isMe = player.netId === net.netId;
    drawFighter(context, player, look);
  }
  for (const boomerang of shown.boomerangs) drawBoomerang(context, boomerang, look);
  showEvents(net, view.tick, timeS);
  effects.draw(context, timeS);
  shown.frames++;
  if (clockMs - hudMs < HUD_EVERY_MS) return;
  hudMs = clockMs;
  hud.update(net, view.from);
  const isLost = net.connection.state === 'reconnecting';
  const waits = net.netId === 0 ? 'All seats are taken: you are next.' : '';
  hud.notice(isLost ? 'Connection lost, trying again …' : waits);
}

/** Puts everything where it is between two snapshots. */
function follow(from: SnapshotValue, to: SnapshotValue, blend: number, elapsedS: number): void {
  shown.players = from.players.map((player) => {
    const next = to.players.find(({ netId }) => netId === player.netId);
    return between(player, next, blend);
  });
  shown.boomerangs = from.boomerangs.map((boomerang) => {
    const next = to.boomerangs.find(({ netId }) => netId === boomerang.netId);
    return between(boomerang, next, blend);
  });
  const me = shown.players.find(({ netId }) => netId === net?.netId) ?? shown.players[0];
  camera.follow(me?.x ?? 1200, elapsedS);
}

function between<T extends { x: number; y: number }>(from: T, to: T | undefined, blend: number): T {
  if (to === undefined) return from;
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  if (Math.abs(dx) > JUMP_PX || Math.abs(dy) > JUMP_PX) return from;
  return { ...from, x: from.x + dx * blend, y: from.y + dy * blend };
}

function showEvents(from: Net, tick: number, timeS: number): void {
  for (const event of from.eventsUntil(tick)) {
    shown.events.push(event);
    if (shown.events.length > EVENTS_KEPT) shown.events.shift();
    const target = shown.players.find((player) => player.netId === event.target);
    const isHit =
      event.kind === GameEventKind.MeleeHit || event.kind === GameEventKind.BoomerangHit;
    effects.add(event, isHit ? target : undefined, timeS);
    if (!calm.matches && isHit && event.target === from.netId) camera.shake(14);
    if (!calm.matches && event.kind === GameEventKind.Death) camera.shake(22);
    hud.tell(event, from.roster);
  }
}

function resize(): void {
  const { innerWidth: width, innerHeight: height } = window;
  const pixelRatio = Math.min(2, devicePixelRatio);
  canvas.width = Math.round(width * pixelRatio);
  canvas.height = Math.round(height * pixelRatio);
  const isCovered = element('touch').hidden || height < UPRIGHT_HEIGHT;
  camera.resize(width, height, isCovered ? 0 : TOUCH_HEIGHT);
}
