import t from 'tap';
import { WrappedClock } from './wrapped-clock.js';

const HOUR_MS = 3_600_000;

t.test('hours are told whatever the two clocks started from', async (t) => {
  for (const start of [0, 0x7ffffff0, -0x80000000, -5]) {
    const clock = new WrappedClock();
    clock.begin(5000, start, 100);
    for (const hours of [0, 0.1, 0.7, 1.3, 30, 400]) {
      const sinceMs = hours * HOUR_MS;
      // The peer is 20 ms ahead of what our clock says.
      const clockUs = (start + (sinceMs + 20) * 1000) | 0;
      t.equal(clock.timeMs(clockUs, 100 + sinceMs), 5000 + sinceMs + 20, `${hours} h, ${start}`);
    }
  }
});
