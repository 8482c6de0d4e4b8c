import type { GameEventValue } from './messages.js';

/**
 * A running fingerprint of a stream of events: equal streams in equal order give equal digests.
 * FNV-1a over the 32-bit words of every field, floats as the float32 that the wire carries.
 */
export class EventDigest {
  count = 0;
  private hash = 0x811c9dc5 | 0;
  private readonly float = new Float32Array(1);
  private readonly word = new Int32Array(this.float.buffer);

  add(event: GameEventValue): void {
    this.count += 1;
    this.mix(event.tick);
    this.mix(event.kind);
    this.mix(event.actor);
    this.mix(event.target);
    this.mix(event.object);
    this.mix(event.direction);
    this.mix(event.damage);
    this.mixFloat(event.x);
    this.mixFloat(event.y);
    this.mixFloat(event.charge);
  }

  /** `count:hash`, for comparison across processes. */
  toString(): string {
    return `${this.count}:${(this.hash >>> 0).toString(16).padStart(8, '0')}`;
  }

  private mixFloat(value: number): void {
    this.float[0] = value;
    this.mix(this.word[0]);
  }

  private mix(word: number): void {
    for (let shift = 0; shift < 32; shift += 8) {
      this.hash = Math.imul(this.hash ^ ((word >>> shift) & 0xff), 0x01000193);
    }
  }
}
