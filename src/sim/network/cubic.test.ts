import t from 'tap';
import { CubicWindow, cubeRoot } from './cubic.js';

t.test('a cube root is one', async (t) => {
  for (const value of [0.001, 0.5, 1, 8, 100, 12_345]) {
    const root = cubeRoot(value);
    t.ok(Math.abs(root * root * root - value) < value * 1e-9, `${value}`);
  }
  t.equal(cubeRoot(0), 0);
});

t.test(
  'the window doubles, falls back once per round trip, and climbs to where it was',
  async (t) => {
    const window = new CubicWindow();
    const rttUs = 80_000;
    let nowUs = 0;
    const roundTrip = (): void => {
      nowUs += rttUs;
      for (let i = Math.floor(window.size); i > 0; i--) {
        window.inFlight += 1;
        window.acked(nowUs, rttUs);
      }
    };
    roundTrip();
    t.equal(window.size, 20);
    for (let i = 0; i < 3; i++) roundTrip();
    const before = window.size;
    for (let i = 0; i < 5; i++) {
      window.inFlight += 1;
      window.lost(nowUs, rttUs);
    }
    t.equal(window.size, before * 0.7);
    // K = cbrt(W_max · (1 − β) / C) seconds: 4.9 s for 160 segments.
    const plateauUs = cubeRoot((before * 0.3) / 0.4) * 1_000_000;
    const startUs = nowUs;
    while (nowUs < startUs + plateauUs * 0.9) roundTrip();
    t.ok(
      window.size > before * 0.97 && window.size <= before * 1.01,
      `${window.size} of ${before}`,
    );
    while (nowUs < startUs + plateauUs * 2) roundTrip();
    t.ok(window.size > before * 1.2, 'and beyond');
    t.equal(window.inFlight, 0);
  },
);
