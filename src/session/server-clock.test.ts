import t from 'tap';
import { ServerClock } from './server-clock.js';

const HOUR_MS = 3_600_000;

t.test('until the protocol has measured, our own clock carries on from $hello', async (t) => {
  const clock = new ServerClock();
  clock.begin(5000, 0x7fff0000, 100);
  t.equal(clock.nowMs(350), 5250);
});

t.test(
  'hours without a look do not confuse it, whatever the two clocks started from',
  async (t) => {
    for (const start of [0, 0x7ffffff0, -0x80000000, -5]) {
      const clock = new ServerClock();
      clock.begin(5000, start, 100);
      for (const hours of [0.1, 0.7, 1.3, 30, 400]) {
        const sinceMs = hours * HOUR_MS;
        // The server is 20 ms ahead of what $hello's travel time let us think.
        clock.sync((start + (sinceMs + 20) * 1000) | 0, 100 + sinceMs);
        t.equal(clock.nowMs(100 + sinceMs), 5000 + sinceMs + 20, `${hours} h after ${start}`);
      }
    }
  },
);
