import t from 'tap';
import { Prng } from '../util/prng.js';
import { ByteSendLog, type LogEntry } from './byte-send-log.js';
import { SESSION_LANES, SESSION_LOG_BYTES_MAX, SESSION_WINDOW } from './limits.js';
import type { LaneReport } from './report.js';

const body = (length: number) => new Uint8Array(length).fill(7);
const markSent = (log: ByteSendLog, count: number) => {
  for (let i = 0; i < count; i++) log.markSent();
};
const numbersOf = (log: ByteSendLog) => log.entries.map(({ lane, number }) => [lane, number]);

t.test('what the link has got is forgotten, what waits stays', async (t) => {
  const log = new ByteSendLog();
  log.append(3, body(10));
  log.append(5, body(20));
  log.append(3, body(30));
  markSent(log, 2);
  t.ok(log.hasUnsent);
  log.dropSent();
  t.same(numbersOf(log), [[3, 1]]);
  t.equal(log.bytesHeld, 30);
  log.checkInvariants();
  log.markSent();
  t.notOk(log.hasUnsent);
  log.dropSent();
  t.ok(log.isEmpty);
  t.equal(log.bytesHeld, 0);
});

t.test('a lane is full at its window, the session at its bytes', async (t) => {
  const log = new ByteSendLog();
  for (let i = 0; i < SESSION_WINDOW; i++) log.append(0, body(1));
  t.notOk(log.hasRoom(0, 1));
  t.ok(log.hasRoom(1, 1));
  while (log.hasRoom(1, 4096)) log.append(1, body(4096));
  t.ok(log.bytesHeld <= SESSION_LOG_BYTES_MAX);
  t.notOk(log.hasRoom(2, 4096));
});

t.test('a report frees what it names, tells the receipts, and must be true', async (t) => {
  const log = new ByteSendLog();
  for (let i = 0; i < 6; i++) log.append(2, body(1), 10 + i);
  log.append(3, body(1), 99);
  markSent(log, 7);
  const told: number[] = [];
  const apply = (lanes: LaneReport[]) => log.applyReport(lanes, (receipt) => told.push(receipt));
  t.ok(apply([[2, 1, 2, 4]]));
  t.same(told, [10, 12, 13]);
  t.same(numbersOf(log), [
    [2, 1],
    [2, 4],
    [2, 5],
    [3, 0],
  ]);
  t.ok(apply([[2, 1, 2, 4]]), 'once more is no news');
  t.same(told, [10, 12, 13]);
  t.notOk(apply([[2, 1, 2, 7]]), 'a range of what was never sent');
  t.notOk(apply([[3, 2]]), 'a number that was never sent');
  t.notOk(apply([[5, 1]]), 'on a lane without any');
  log.checkInvariants();
});

t.test('what waits for the link cannot have been delivered', async (t) => {
  const log = new ByteSendLog();
  log.append(0, body(1));
  log.append(0, body(1));
  log.markSent();
  t.ok(log.applyReport([[0, 1]], () => {}));
  t.notOk(log.applyReport([[0, 2]], () => {}));
});

t.test('what a frozen flow kept comes before what waited, and numbers go on', async (t) => {
  const log = new ByteSendLog();
  log.append(1, body(3), 5); // of another link: its number there says nothing here
  const kept: LogEntry[] = [
    { lane: 2, number: 0xffffffff, bytes: body(1), receipt: 0 },
    { lane: 1, number: 7, bytes: body(2), receipt: 4 },
  ];
  log.restore(kept, [
    [1, 8],
    [2, 0],
  ]);
  t.same(numbersOf(log), [
    [2, 0xffffffff],
    [1, 7],
    [1, 8],
  ]);
  t.equal(log.sentCount, 2);
  t.equal(log.bytesHeld, 6);
  const told: number[] = [];
  t.ok(
    log.applyReport(
      [
        [1, 8],
        [2, 0],
      ],
      (receipt) => told.push(receipt),
    ),
    'numbers wrap',
  );
  t.same(numbersOf(log), [[1, 8]]);
  t.same(told, [4]);
});

t.test('against a plain model over random sends, restores and reports', async (t) => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = new Prng(seed);
    const log = new ByteSendLog();
    const first = new Uint32Array(SESSION_LANES).map(() => random.below(5) - 2);
    const kept: LogEntry[] = [];
    const next = first.slice();
    for (let i = 0; i < 60; i++) {
      const lane = random.below(4);
      const number = next[lane]++;
      if (random.chance(3, 4)) {
        kept.push({ lane, number, bytes: body(random.below(30)), receipt: 1 });
      }
    }
    log.restore(
      kept,
      Array.from(next, (number, lane) => [lane, number] as const),
    );
    for (let i = 0; i < 10; i++) log.append(random.below(4), body(1));
    const reports = [0, 1, 2, 3].map((lane) => {
      const sent = (next[lane] - first[lane]) >>> 0;
      const upTo = (first[lane] + random.below(sent + 1)) >>> 0;
      const left = (next[lane] - upTo) >>> 0;
      if (left < 3) return [lane, upTo];
      const from = (upTo + 1 + random.below(left - 2)) >>> 0;
      return [lane, upTo, from, (from + 1) >>> 0];
    });
    const isNamed = ({ lane, number }: LogEntry) => {
      const [, upTo, from] = reports[lane];
      return ((number - upTo) | 0) < 0 || number === from;
    };
    const expected = kept
      .filter((entry) => !isNamed(entry))
      .map(({ lane, number }) => [lane, number]);
    let told = 0;
    t.ok(
      log.applyReport(reports, () => told++),
      `seed ${seed}`,
    );
    t.same(numbersOf(log).slice(0, log.sentCount), expected);
    t.equal(told, kept.length - expected.length);
    t.equal(log.entries.length, expected.length + 10, 'what waits is left alone');
  }
});
