import t from 'tap';
import { addLinkStats, type LinkStats, StatsWindow } from './connection-stats.js';

function linkStats(given: Partial<LinkStats> = {}): LinkStats {
  return {
    wire: 'udp',
    rttMs: Number.NaN,
    rttVarMs: Number.NaN,
    jitterMs: 0,
    messagesIn: 0,
    messagesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    packetsIn: 0,
    packetsOut: 0,
    packetsLostIn: 0,
    resends: 0,
    droppedOut: 0,
    queuedBytes: 0,
    queueAgeMs: 0,
    packetsTrackedOut: 0,
    packetsLostOut: 0,
    ...given,
  };
}

t.test('the first look is over the time since the connection opened', async (t) => {
  const window = new StatsWindow(1000);
  const link = linkStats({ messagesIn: 5, messagesOut: 10, bytesIn: 100, bytesOut: 400 });
  const stats = window.read(null, link, 1500, true);
  t.equal(stats.messagesInPerSecond, 10);
  t.equal(stats.messagesOutPerSecond, 20);
  t.equal(stats.bytesInPerSecond, 200);
  t.equal(stats.bytesOutPerSecond, 800);
  t.equal(new StatsWindow(0).read(null, link, 0, true).bytesInPerSecond, 0, 'no time, no rate');
});

t.test('looked at often, rates are those of two to four seconds', async (t) => {
  const window = new StatsWindow(0);
  // 100 messages a second for 10 s, then silence.
  for (let ms = 100; ms <= 20_000; ms += 100) {
    const messagesIn = Math.min(ms, 10_000) / 10;
    const { messagesInPerSecond } = window.read(null, linkStats({ messagesIn }), ms, true);
    if (ms <= 10_000) t.ok(Math.abs(messagesInPerSecond - 100) < 1e-9, `${ms} ms`);
    else if (ms < 12_000) t.ok(messagesInPerSecond > 0, `${ms} ms: some of it is recent`);
    else if (ms > 14_000) t.equal(messagesInPerSecond, 0, `${ms} ms: nothing of it is`);
  }
});

t.test('after an hour without a look the next ones do not speak of that hour', async (t) => {
  const window = new StatsWindow(0);
  const hour = 3_600_000;
  const first = window.read(null, linkStats({ messagesIn: 3600 }), hour, true);
  t.equal(first.messagesInPerSecond, 1);
  const second = window.read(null, linkStats({ messagesIn: 3650 }), hour + 500, true);
  t.equal(second.messagesInPerSecond, 100);
});

t.test('loss is a share of what was sent recently, 0 to 1', async (t) => {
  const window = new StatsWindow(0);
  const counts = { packetsIn: 90, packetsLostIn: 10, packetsTrackedOut: 50, packetsLostOut: 10 };
  const stats = window.read(null, linkStats(counts), 1000, true);
  t.equal(stats.lossIn, 0.1);
  t.equal(stats.lossOut, 0.2);
  t.equal(stats.quality, 0.2, 'the worse direction: 1 ∕ (1 + 2²)');
  window.read(null, linkStats(counts), 3000, true);
  const later = { packetsIn: 190, packetsLostIn: 10, packetsTrackedOut: 50, packetsLostOut: 15 };
  const next = window.read(null, linkStats(later), 5000, true);
  t.equal(next.lossIn, 0, 'what was lost before is not recent');
  t.equal(next.lossOut, 0, 'nothing was sent');
  const odd = window.read(
    null,
    linkStats({ ...later, packetsTrackedOut: 52, packetsLostOut: 25 }),
    5100,
    true,
  );
  t.equal(odd.lossOut, 1, 'losses are told later than what was sent');
});

t.test('across a resume counts add up, rates go on, and loss is that of the link', async (t) => {
  const window = new StatsWindow(0);
  const udp = linkStats({
    messagesOut: 100,
    bytesOut: 1000,
    packetsIn: 100,
    packetsLostIn: 100,
    packetsTrackedOut: 100,
    packetsLostOut: 50,
    queueAgeMs: 400,
  });
  t.equal(window.read(null, udp, 1000, true).lossIn, 0.5);
  const gap = window.read(null, udp, 1500, false);
  t.equal(gap.quality, 0, 'no link');
  const past = addLinkStats(null, udp);
  const ws = linkStats({ wire: 'json-ws', messagesOut: 20, bytesOut: 500, packetsIn: 5 });
  const stats = window.read(past, ws, 2000, true);
  t.match(stats, { wire: 'json-ws', messagesOut: 120, bytesOut: 1500, packetsIn: 105 });
  t.equal(stats.packetsLostIn, 100, 'counts are of all links');
  t.equal(stats.messagesOutPerSecond, 60, 'over both links');
  t.equal(stats.lossIn, 0);
  t.equal(stats.lossOut, 0);
  t.equal(stats.queueAgeMs, 0, "the state is the new link's");
  t.equal(stats.quality, 1);
  const back = linkStats({ packetsIn: 8, packetsLostIn: 2 });
  t.equal(window.read(addLinkStats(past, ws), back, 2500, true).lossIn, 0.2, 'a third link');
});
