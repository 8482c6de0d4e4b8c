import { timeAfter } from '../util/time.js';

/** The earliest of several deadlines, int32 wrapping µs. Meaningful while `isSet`. */
export class WakeTime {
  isSet = false;
  us = 0;

  clear(): void {
    this.isSet = false;
  }

  by(deadlineUs: number): void {
    if (this.isSet && !timeAfter(this.us, deadlineUs)) return;
    this.isSet = true;
    this.us = deadlineUs;
  }
}
