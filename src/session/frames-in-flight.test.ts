import t from 'tap';
import { FramesInFlight, IN_FLIGHT_BYTES, IN_FLIGHT_LATE_MS } from './frames-in-flight.js';

const at = (ms: number) => () => ms;

t.test('much that is acknowledged late is late; little, or in time, is not', async (t) => {
  const flight = new FramesInFlight();
  t.notOk(flight.isLate(at(1e9)), 'nothing is on its way');
  flight.add(100, 0);
  flight.acknowledge(1, 50);
  flight.add(IN_FLIGHT_BYTES, 100);
  t.notOk(flight.isLate(at(1e9)), 'as much as may be on its way');
  flight.add(1, 200);
  t.notOk(flight.isLate(at(150 + IN_FLIGHT_LATE_MS)));
  t.ok(flight.isLate(at(151 + IN_FLIGHT_LATE_MS)), 'the oldest is late by more than the allowance');
  flight.acknowledge(2, 1000);
  t.notOk(flight.isLate(at(1e9)), 'little is left');
  flight.acknowledge(1, 1000);
  t.notOk(flight.isLate(at(1e9)), 'an older acknowledgement is no news');
});

t.test('before the first acknowledgement nothing is known to be late', async (t) => {
  const flight = new FramesInFlight();
  for (let i = 0; i < 100; i++) flight.add(IN_FLIGHT_BYTES, i);
  t.notOk(flight.isLate(at(1e9)));
});

t.test('a long way is not late: the earliest acknowledgement tells how long it is', async (t) => {
  const flight = new FramesInFlight();
  const wayMs = 600;
  let frames = 0;
  for (let ms = 0; ms < 20_000; ms += 5) {
    flight.add(5000, ms);
    frames++;
    if (ms < wayMs) continue;
    flight.acknowledge(frames - wayMs / 5, ms);
    if (flight.isLate(at(ms))) t.fail(`${ms}`);
  }
  t.ok(flight.isLate(at(20_000 + wayMs)), 'and when no more come it is');
});

t.test('against a plain list, over wraps and growth', async (t) => {
  const flight = new FramesInFlight();
  const frames: { length: number; ms: number }[] = [];
  let acknowledged = 0;
  let least = Number.POSITIVE_INFINITY;
  let word = 7;
  const draw = (below: number) => {
    word = (Math.imul(word, 1_103_515_245) + 12_345) >>> 0;
    return (word >>> 8) % below;
  };
  let late = 0;
  for (let ms = 0; ms < 20_000; ms++) {
    const length = draw(4000);
    flight.add(length, ms);
    frames.push({ length, ms });
    if (draw(400) === 0) {
      acknowledged += draw(frames.length - acknowledged + 1);
      if (acknowledged > 0) {
        flight.acknowledge(acknowledged, ms);
        least = Math.min(least, ms - frames[acknowledged - 1].ms);
      }
    }
    let bytes = 0;
    for (let i = acknowledged; i < frames.length; i++) bytes += frames[i].length;
    const isLate =
      bytes > IN_FLIGHT_BYTES && ms - frames[acknowledged].ms > least + IN_FLIGHT_LATE_MS;
    if (isLate) late++;
    if (flight.isLate(at(ms)) !== isLate) t.fail(`${ms} ms`);
  }
  t.ok(late > 100, `${late} times late`);
});

t.test('how late the oldest is counts from what an acknowledgement takes at best', async (t) => {
  const flight = new FramesInFlight();
  t.equal(flight.lateMs(1000), 0, 'nothing is on its way');
  flight.add(10, 0);
  t.equal(flight.lateMs(60_000), 0, 'nothing is known yet');
  flight.acknowledge(1, 50);
  flight.add(10, 1000);
  flight.add(10, 1500);
  t.equal(flight.lateMs(1000 + 50 + IN_FLIGHT_LATE_MS), 0);
  t.equal(flight.lateMs(1000 + 50 + IN_FLIGHT_LATE_MS + 70), 70);
  flight.acknowledge(2, 1600);
  t.equal(flight.lateMs(1600), 0, 'the next one is not');
});
