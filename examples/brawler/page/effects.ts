/** What flies about for a moment: sparks, rings, numbers. */
import { GameEventKind, type GameEventValue } from '@ggscale/transport/messages';
import { FIGHTER_HALF_HEIGHT } from '../game/rules.js';
import { colourOf } from './figures.js';

interface Spark {
  x: number;
  y: number;
  vx: number;
  vy: number;
  size: number;
  colour: string;
  /** Instead of a dot. */
  text: string;
  bornS: number;
  lifeS: number;
  /** Px per s², downwards. */
  gravity: number;
  isRing: boolean;
}

const SPARKS_MAX = 400;

export class Effects {
  #sparks: Spark[] = [];

  /** `target`: where who was hit is shown. */
  add(event: GameEventValue, target: { x: number; y: number } | undefined, nowS: number): void {
    const at = target ?? event;
    switch (event.kind) {
      case GameEventKind.MeleeHit:
      case GameEventKind.BoomerangHit:
        this.#burst(at, colourOf(event.target), 16, 420, nowS);
        this.#burst(at, '#ffffff', 8, 260, nowS);
        this.#number(at, `${event.damage}`, nowS);
        break;
      case GameEventKind.Death:
        this.#burst(event, colourOf(event.actor), 60, 760, nowS);
        this.#burst(event, '#ffffff', 24, 460, nowS);
        this.#ring(event, '#ffffff', nowS);
        break;
      case GameEventKind.Respawn:
      case GameEventKind.BoomerangCatch:
        this.#ring(event, colourOf(event.actor), nowS);
        break;
      default:
    }
  }

  draw(context: CanvasRenderingContext2D, nowS: number): void {
    this.#sparks = this.#sparks.filter(({ bornS, lifeS }) => nowS - bornS < lifeS);
    context.textAlign = 'center';
    context.font = '800 34px ui-rounded, system-ui, sans-serif';
    for (const spark of this.#sparks) {
      const age = nowS - spark.bornS;
      const left = 1 - age / spark.lifeS;
      const x = spark.x + spark.vx * age;
      const y = spark.y + spark.vy * age + (spark.gravity * age * age) / 2;
      context.globalAlpha = Math.min(1, left * 1.6);
      if (spark.text !== '') {
        context.lineWidth = 7;
        context.strokeStyle = 'rgba(12, 14, 30, 0.85)';
        context.fillStyle = spark.colour;
        context.strokeText(spark.text, x, y);
        context.fillText(spark.text, x, y);
        continue;
      }
      context.beginPath();
      if (spark.isRing) {
        context.strokeStyle = spark.colour;
        context.lineWidth = 9 * left;
        context.arc(x, y, spark.size * (1 - left * left), 0, Math.PI * 2);
        context.stroke();
      } else {
        context.fillStyle = spark.colour;
        context.arc(x, y, spark.size * left, 0, Math.PI * 2);
        context.fill();
      }
    }
    context.globalAlpha = 1;
  }

  #burst(
    at: { x: number; y: number },
    colour: string,
    count: number,
    speed: number,
    bornS: number,
  ): void {
    for (let index = 0; index < count; index++) {
      const angle = Math.random() * Math.PI * 2;
      const fast = speed * (0.3 + 0.7 * Math.random());
      const velocity = { vx: Math.cos(angle) * fast, vy: Math.sin(angle) * fast - 120 };
      const size = 4 + 6 * Math.random();
      const rest = { text: '', bornS, lifeS: 0.35 + 0.4 * Math.random(), gravity: 1400 };
      this.#push({ x: at.x, y: at.y, ...velocity, size, colour, ...rest, isRing: false });
    }
  }

  #ring(at: { x: number; y: number }, colour: string, bornS: number): void {
    const still = { vx: 0, vy: 0, gravity: 0, text: '', isRing: true };
    this.#push({ x: at.x, y: at.y, ...still, size: 110, colour, bornS, lifeS: 0.5 });
  }

  #number(at: { x: number; y: number }, text: string, bornS: number): void {
    const still = { vx: 0, vy: -90, gravity: 0, size: 0, isRing: false };
    const y = at.y - FIGHTER_HALF_HEIGHT - 70;
    this.#push({ x: at.x, y, ...still, text, colour: '#ffd84d', bornS, lifeS: 0.9 });
  }

  #push(spark: Spark): void {
    if (this.#sparks.length < SPARKS_MAX) this.#sparks.push(spark);
  }
}
