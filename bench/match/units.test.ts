import { createHistogram } from 'node:perf_hooks';
import t from 'tap';
import { AckTimer } from './ack-timer.js';
import { FrameClock } from './frame-clock.js';
import { addPauses, NO_PAUSES } from './gc-watch.js';
import { NO_SERVER_FIGURES, since } from './ipc.js';
import { median, wireReport } from './report.js';
import { tcpRetransmits } from './tcp-retransmits.js';

t.test('every input is timed from when it was due, also those that share an answer', async (t) => {
  const histogram = createHistogram({ lowest: 1, highest: 60_000_000, figures: 3 });
  const acks = new AckTimer();
  acks.onInput(1, 100);
  acks.onInput(2, 110);
  acks.onInput(3, 120);
  acks.onAck(1, 105, [histogram]);
  t.equal(histogram.count, 1);
  t.ok(histogram.max >= 5000 && histogram.max < 5010, 'three figures');
  acks.onAck(3, 140, [histogram]);
  t.equal(histogram.count, 3, 'a stall counts for each input that waited');
  t.ok(histogram.max >= 30_000 && histogram.max < 30_100);
  t.equal(acks.outstanding, 0);
});

t.test('an answer that is old, repeated or from nowhere is not timed', async (t) => {
  const histogram = createHistogram();
  const acks = new AckTimer();
  acks.onInput(1, 0);
  acks.onAck(1, 1, [histogram]);
  acks.onAck(1, 2, [histogram]);
  acks.onAck(0, 2, [histogram]);
  acks.onAck(4_000_000_000, 3, [histogram]);
  t.equal(histogram.count, 1);
  acks.onInput(2, 4);
  acks.onAck(2, 5, [histogram]);
  t.equal(histogram.count, 2);
});

t.test('frames are due at fixed times, whatever a frame takes', async (t) => {
  const due: number[][] = [[], [], []];
  await new Promise<void>((resolve) => {
    let calls = 0;
    const clock = new FrameClock(3, 6, (index, dueMs) => {
      due[index].push(dueMs);
      calls += 1;
      if (calls === 30) {
        clock.close();
        resolve();
      }
    });
  });
  const start = due[0][0];
  for (const [index, times] of due.entries()) {
    t.equal(times.length, 10);
    for (const [frame, time] of times.entries()) {
      t.ok(Math.abs(time - (start + frame * 6 + index * 2)) < 1e-6);
    }
  }
});

t.test('figures of a window are differences, players and heap are as they are', async (t) => {
  const before = { ...NO_SERVER_FIGURES, messagesIn: 10, cpuUs: 100, players: 3 };
  const now = { ...NO_SERVER_FIGURES, messagesIn: 25, cpuUs: 400, players: 4, heapUsedBytes: 9 };
  const { messagesIn, cpuUs, players, heapUsedBytes } = since(before, now);
  t.same([messagesIn, cpuUs, players, heapUsedBytes], [15, 300, 4, 9]);
  const pauses = addPauses({ count: 1, max: 2, total: 2 }, { count: 2, max: 1, total: 1.5 });
  t.same(pauses, { count: 3, max: 2, total: 3.5 });
  t.same(addPauses(NO_PAUSES, NO_PAUSES), NO_PAUSES);
});

const RTT = { samples: 1, p50: 1, p99: 2, p999: 2, max: 3 };
const PLAYERS = {
  players: 2,
  snapshots: 0,
  events: 7,
  packetsIn: 90,
  packetsLostIn: 10,
  resends: 4,
  tcpRetransmits: 6,
  cpuUs: 5,
  gcPauseMs: NO_PAUSES,
  rttUs: RTT,
};
const SERVER = {
  ...NO_SERVER_FIGURES,
  messagesIn: 40,
  messagesOut: 60,
  bytesIn: 1000,
  bytesOut: 3000,
  packetsIn: 100,
  resends: 1,
  tcpRetransmits: 5,
  cpuUs: 200,
  elapsedUs: 1000,
};

t.test('a wire is reported per message, loss and resends of both ends together', async (t) => {
  const sent = { digests: ['1:a', '1:b'], refused: 0, drained: true };
  const result = { server: SERVER, players: PLAYERS, sent, received: ['1:a', '1:b'] };
  t.match(wireReport('udp', result, false), {
    players: 2,
    bytesPerMessage: 40,
    serverCpuNsPerMessage: 2000,
    lossRatio: 0.05,
    resends: 5,
    serverCpuRatio: 0.2,
    eventsPerPlayer: 3.5,
    eventsAgree: true,
    rttUs: RTT,
  });
  t.equal(wireReport('json-ws', result, true).resends, 11, 'the kernel counts for TCP');
  t.equal(wireReport('json-ws', result, false).resends, 0, 'outside it counts other programs too');
});

t.test('events agree only when all were accepted, delivered and equal', async (t) => {
  const agree = (sent: object, received: string[]): boolean => {
    const all = { digests: ['1:a', '1:b'], refused: 0, drained: true, ...sent };
    const result = { server: SERVER, players: PLAYERS, sent: all, received };
    return wireReport('udp', result, false).eventsAgree;
  };
  t.equal(agree({}, ['1:a', '1:b']), true);
  t.equal(agree({}, ['1:b', '1:a']), false);
  t.equal(agree({}, ['1:a']), false);
  t.equal(agree({ refused: 1 }, ['1:a', '1:b']), false);
  t.equal(agree({ drained: false }, ['1:a', '1:b']), false);
});

t.test('small helpers', async (t) => {
  t.equal(median([3, 1, 2]), 2);
  t.equal(median([4, 1, 2, 3]), 2.5);
  t.ok(Number.isNaN(median([])));
  t.ok(tcpRetransmits() >= 0);
});
