import { mix32 } from './random.js';

const PER_2_32 = 1 / 0x100000000;

/**
 * A running hash over everything that happens in a world; two runs of one seed must agree on it. Two
 * lanes of 32 bits with different multipliers; against accidents, not against forgers.
 */
export class EventHash {
  private low = 0x243f6a88 | 0;
  private high = 0x85a308d3 | 0;
  /** Numbers taken so far. */
  count = 0;

  /** int32 each; a time goes in as two of them. */
  add(a: number, b: number, c: number): void {
    this.low = Math.imul(this.low ^ a, 0x9e3779b1) + b;
    this.low = Math.imul(this.low ^ (this.low >>> 15), 0x85ebca6b) + c;
    this.high = Math.imul(this.high ^ (this.low + c), 0xc2b2ae35) + a;
    this.high ^= this.high >>> 13;
    this.count += 1;
  }

  addTime(timeUs: number, kind: number): void {
    this.add(timeUs | 0, (timeUs * PER_2_32) | 0, kind);
  }

  /** 16 hex digits. */
  get text(): string {
    const low = mix32(this.low) >>> 0;
    const high = mix32(this.high ^ this.low) >>> 0;
    return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
  }
}
