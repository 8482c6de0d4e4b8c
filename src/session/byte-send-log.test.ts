import t from 'tap';
import { Prng } from '../util/prng.js';
import { ByteSendLog } from './byte-send-log.js';
import { SESSION_LANES, SESSION_LOG_BYTES_MAX, SESSION_WINDOW } from './limits.js';

const BODY = new Uint8Array(4096).fill(7);

t.test('numbers rise per lane and an acknowledgement releases everything below it', async (t) => {
  const log = new ByteSendLog();
  t.equal(log.push(3, BODY, 0, 10), 0);
  t.equal(log.push(5, BODY, 0, 20), 0);
  t.equal(log.push(3, BODY, 0, 30), 1);
  t.equal(log.bytesHeld, 60);
  t.ok(log.acknowledge(3, 1));
  t.equal(log.bytesHeld, 50);
  t.ok(log.acknowledge(3, 1), 'a repeated acknowledgement is no news');
  t.equal(log.bytesHeld, 50);
  t.ok(log.acknowledge(3, 2));
  t.ok(log.acknowledge(5, 1));
  t.equal(log.bytesHeld, 0);
  t.ok(log.isEmpty);
  log.checkInvariants();
});

t.test('an acknowledgement of numbers never given out is refused', async (t) => {
  const log = new ByteSendLog();
  log.push(0, BODY, 0, 1);
  t.notOk(log.acknowledge(0, 2));
  t.notOk(log.acknowledge(1, 1), 'on a lane that sent nothing');
  t.notOk(log.acknowledge(SESSION_LANES, 0), 'on a lane that does not exist');
  t.equal(log.bytesHeld, 1);
});

t.test('a lane is full at its window, the session at its bytes', async (t) => {
  const log = new ByteSendLog();
  for (let i = 0; i < SESSION_WINDOW; i++) log.push(0, BODY, 0, 1);
  t.notOk(log.hasRoom(0, 1));
  t.ok(log.hasRoom(1, 1));
  while (log.hasRoom(1, 4096)) log.push(1, BODY, 0, 4096);
  t.ok(log.bytesHeld <= SESSION_LOG_BYTES_MAX);
  t.notOk(log.hasRoom(2, 4096));
});

t.test('against a plain model over random pushes and acknowledgements', async (t) => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = new Prng(seed);
    const log = new ByteSendLog();
    const model = Array.from({ length: SESSION_LANES }, () => ({
      next: 0,
      acked: 0,
      sizes: [] as number[],
    }));
    for (let step = 0; step < 600; step++) {
      const lane = random.below(4) * 2 + 1;
      const entry = model[lane];
      const length = 1 + random.below(random.chance(1, 10) ? 4096 : 64);
      if (random.chance(2, 3) && log.hasRoom(lane, length)) {
        const number = log.push(lane, BODY, 0, length);
        if (number !== entry.next) t.equal(number, entry.next, `seed ${seed} step ${step}`);
        entry.next++;
        entry.sizes.push(length);
      } else if (lane !== 1 || random.chance(1, 50)) {
        const acked = entry.acked + random.below(entry.next - entry.acked + 1);
        if (!log.acknowledge(lane, acked)) t.fail(`seed ${seed} step ${step}: refused ${acked}`);
        entry.acked = Math.max(entry.acked, acked);
      }
      log.checkInvariants();
    }
    let held = 0;
    for (const { acked, sizes } of model) for (const size of sizes.slice(acked)) held += size;
    t.equal(log.bytesHeld, held, `seed ${seed}`);
  }
});

t.test(
  'a lane that is never acknowledged does not make the tables grow with the others',
  async (t) => {
    const log = new ByteSendLog();
    log.push(0, BODY, 0, 8);
    for (let i = 1; i <= 200_000; i++) {
      log.push(1, BODY, 0, 512);
      log.acknowledge(1, i);
    }
    log.checkInvariants();
    t.equal(log.bytesHeld, 8);
    t.ok(log.capacityBytes <= 16 * 1024, `${log.capacityBytes} B of tables`);
  },
);

t.test('what is not sent cannot be acknowledged, and leaves in order', async (t) => {
  const log = new ByteSendLog();
  log.push(0, BODY, 0, 1);
  log.append(0, BODY, 0, 2);
  log.append(3, BODY, 0, 3);
  t.notOk(log.acknowledge(0, 2), 'number 1 has not been sent');
  const order: number[] = [];
  while (log.hasUnsent) {
    order.push(log.unsentLength);
    log.markSent();
    log.checkInvariants();
  }
  t.same(order, [2, 3]);
  t.ok(log.acknowledge(0, 2));
  t.ok(log.acknowledge(3, 1));
  t.ok(log.isEmpty);
});

t.test('a report frees ranges, tells their receipts, and must be true', async (t) => {
  const receipts: number[] = [];
  const build = () => {
    const log = new ByteSendLog();
    for (let i = 0; i < 6; i++) log.push(2, BODY, 0, 10, i + 100);
    log.append(2, BODY, 0, 10, 106);
    return log;
  };
  const log = build();
  t.ok(log.applyReport([[2, 1, 3, 5]], (receipt) => receipts.push(receipt)));
  t.same(receipts, [100, 103, 104]);
  log.checkInvariants();
  const left: unknown[] = [];
  log.forEach((lane, _bytes, _offset, length, receipt, isSent) => {
    left.push([lane, length, receipt, isSent]);
  });
  t.same(left, [
    [2, 10, 101, true],
    [2, 10, 102, true],
    [2, 10, 105, true],
    [2, 10, 106, false],
  ]);
  for (const lie of [
    [2, 8],
    [2, 7],
    [2, 1, 5, 8],
    [1, 1],
    [2, 0, 6, 7],
  ]) {
    t.notOk(
      build().applyReport([lie], () => {}),
      String(lie),
    );
  }
});
