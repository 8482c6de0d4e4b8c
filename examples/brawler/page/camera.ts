/** Which part of the level is on the screen. */
import { GROUND_Y, LEVEL_WIDTH } from '../game/rules.js';

/** Below this a fighter is too small to follow with the eye. */
const SCALE_MIN = 0.42;
const SCALE_MAX = 1.1;
/** Of the level, px: what is shown at least, so that one sees who comes. */
const WIDTH_MIN = 1000;
/** From the earth to where jumps from the highest platform end. */
const HEIGHT = 1020;
/** Earth below the ground that is always shown. */
const EARTH = 96;
const EASE_PER_S = 6;

export class Camera {
  width = 0;
  height = 0;
  /** Screen pixels per pixel of the level. */
  scale = 1;
  /** The level's point in the upper left corner. */
  x = 0;
  y = 0;
  #shake = 0;

  /** Screen size in CSS pixels; `reserved` of them are covered by controls at the bottom. */
  resize(width: number, height: number, reserved: number): void {
    this.width = width;
    this.height = height;
    const free = height - reserved;
    const filling = Math.max(width / LEVEL_WIDTH, Math.min(free / HEIGHT, width / WIDTH_MIN));
    this.scale = Math.min(SCALE_MAX, Math.max(SCALE_MIN, filling));
    this.y = GROUND_Y + EARTH - free / this.scale;
  }

  shake(strength: number): void {
    this.#shake = Math.max(this.#shake, strength);
  }

  /** @param focusX where the own fighter is, in the level */
  follow(focusX: number, elapsedS: number): void {
    const shown = this.width / this.scale;
    const room = LEVEL_WIDTH - shown;
    const wanted = room <= 0 ? room / 2 : Math.min(room, Math.max(0, focusX - shown / 2));
    const far = Math.abs(wanted - this.x) > shown;
    this.x = far ? wanted : this.x + (wanted - this.x) * Math.min(1, EASE_PER_S * elapsedS);
    this.#shake = Math.max(0, this.#shake - 40 * elapsedS);
  }

  /** Level coordinates from here on. */
  apply(context: CanvasRenderingContext2D, pixelRatio: number): void {
    const zoom = this.scale * pixelRatio;
    const shakeX = (Math.random() - 0.5) * this.#shake;
    const shakeY = (Math.random() - 0.5) * this.#shake;
    context.setTransform(zoom, 0, 0, zoom, (shakeX - this.x) * zoom, (shakeY - this.y) * zoom);
  }
}
