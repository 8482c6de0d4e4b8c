import t from 'tap';
import { ratio } from '../random.js';
import {
  DARK_ONE_WAY,
  FATE_CARRIED,
  FATE_LOST,
  FATE_LOST_IN_BURST,
  FATE_ONE_WAY,
  FATE_QUEUE_FULL,
  Link,
} from './link.js';
import { bursts, CLEAR, calm, type LinkProfile, PROFILES, pathOf } from './profile.js';

const PACKETS = 100_000;

function linkOf(changes: Partial<LinkProfile>, seed = 1): Link {
  return new Link(seed, 'test', { ...CLEAR, ...changes });
}

/** Offers packets 1 ms apart; the fates. */
function offerAll(link: Link, count = PACKETS, bytes = 100): number[] {
  return Array.from({ length: count }, (_, index) => link.offer(index * 1000, bytes));
}

t.test('a clear link is time and nothing else', async (t) => {
  const link = linkOf({ delayUs: 5_000 });
  for (let index = 0; index < 100; index++) {
    t.equal(link.offer(index, 1200), FATE_CARRIED);
    t.equal(link.arriveUs, index + 5_000);
    t.equal(link.copyUs, -1);
    t.equal(link.corruptBit, -1);
  }
});

t.test('losses, copies and flipped bits come as often as the ratio says', async (t) => {
  const link = linkOf({ loss: ratio(20, 100), duplicate: ratio(1, 10), corrupt: ratio(1, 20) });
  let corrupt = 0;
  for (let index = 0; index < PACKETS; index++) {
    const isCarried = link.offer(index * 1000, 50) === FATE_CARRIED;
    if (!isCarried || link.corruptBit < 0) continue;
    corrupt += 1;
    if (link.corruptBit >= 400) t.fail('a bit outside of the packet');
  }
  const carried = link.counters[FATE_CARRIED];
  t.ok(Math.abs(link.counters[FATE_LOST] - 20_000) < 500, `${link.counters[FATE_LOST]} lost`);
  t.ok(Math.abs(link.copies - carried / 10) < 400, `${link.copies} copies`);
  t.ok(Math.abs(corrupt - carried / 20) < 300, `${corrupt} corrupt`);
});

t.test('Gilbert–Elliott loses the ratio in bursts of the mean length', async (t) => {
  const fates = offerAll(linkOf({ burst: bursts(5, 100, 10) }), 1_000_000);
  let [lost, runs, before] = [0, 0, FATE_CARRIED];
  for (const fate of fates) {
    if (fate === FATE_LOST_IN_BURST) lost += 1;
    if (fate === FATE_LOST_IN_BURST && before === FATE_CARRIED) runs += 1;
    before = fate;
  }
  t.ok(Math.abs(lost - 50_000) < 2_000, `${lost} lost`);
  t.ok(Math.abs(lost / runs - 10) < 0.5, `bursts of ${lost / runs}`);
});

t.test('a burst that is bounded ends there', async (t) => {
  const fates = offerAll(linkOf({ burst: bursts(30, 100, 2, 3) }));
  let [run, longest] = [0, 0];
  for (const fate of fates) {
    run = fate === FATE_LOST_IN_BURST ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  t.equal(longest, 3);
});

t.test('jitter keeps the order; reordering does not', async (t) => {
  for (const reorder of [0, 25]) {
    const link = linkOf({ jitterUs: 30_000, reorder: ratio(reorder, 100), reorderUs: 30_000 });
    let [last, passed] = [0, 0];
    for (let index = 0; index < 10_000; index++) {
      link.offer(index * 1000, 100);
      if (link.arriveUs < last) passed += 1;
      last = Math.max(last, link.arriveUs);
      if (link.arriveUs < index * 1000 + CLEAR.delayUs) t.fail('faster than the delay');
    }
    t.equal(passed > 0, reorder > 0);
  }
});

t.test(
  'a limited link sends one after the other and drops what its queue cannot hold',
  async (t) => {
    const rate = { delayUs: 1_000, rateBitsPerS: 1_000_000 };
    // 97 B and 28 B of headers are 1 ms of the link.
    const byPackets = linkOf({ ...rate, queuePackets: 5 });
    const fates = Array.from({ length: 8 }, () => byPackets.offer(0, 97));
    t.same(fates, [...Array(5).fill(FATE_CARRIED), ...Array(3).fill(FATE_QUEUE_FULL)]);
    t.equal(byPackets.arriveUs, 6_000);
    t.equal(byPackets.offer(1_000, 97), FATE_CARRIED, 'one has left');
    const byBytes = linkOf({ ...rate, queueBytes: 300 });
    t.same(
      [0, 0, 0].map((atUs) => byBytes.offer(atUs, 97)),
      [0, 0, FATE_QUEUE_FULL],
    );
    t.equal(byBytes.offer(10_000, 97), FATE_CARRIED);
    t.equal(byBytes.arriveUs, 12_000, 'an idle link sends at once');
  },
);

t.test('a dark link carries nothing and says why', async (t) => {
  const link = linkOf({});
  link.dark = DARK_ONE_WAY;
  t.equal(link.offer(0, 100), FATE_ONE_WAY);
  link.dark = 0;
  t.equal(link.offer(0, 100), FATE_CARRIED);
});

t.test('pauses hold packets back and let them go together', async (t) => {
  const link = linkOf({ pauseEveryUs: 100_000, pauseUs: 20_000 });
  let held = 0;
  let last = 0;
  for (let index = 0; index < 10_000; index++) {
    link.offer(index * 1000, 100);
    if (link.arriveUs > index * 1000 + CLEAR.delayUs) held += 1;
    if (link.arriveUs < last) t.fail('passed another');
    last = link.arriveUs;
  }
  t.ok(held > 500 && held < 3_000, `${held} of 10000 were held back`);
});

t.test('a draw of one concern does not move the others', async (t) => {
  const plain = offerAll(linkOf({ loss: ratio(1, 10) }), 5_000);
  const more = linkOf({
    loss: ratio(1, 10),
    jitterUs: 5_000,
    duplicate: ratio(1, 2),
    corrupt: ratio(1, 2),
    reorder: ratio(1, 2),
    reorderUs: 1_000,
  });
  t.same(offerAll(more, 5_000), plain);
});

t.test('every named profile says where its numbers are from, and calms down', async (t) => {
  for (const [name, path] of Object.entries(PROFILES)) {
    t.equal(path.name, name);
    t.ok(path.source.length > 20);
    const quiet = calm(path);
    const link = new Link(3, name, quiet.up);
    const fates = new Set(offerAll(link, 2_000));
    t.same([...fates], [FATE_CARRIED], name);
    t.equal(quiet.up.rateBitsPerS, path.up.rateBitsPerS);
  }
  t.throws(() => pathOf({ loss: ratio(2, 1) }), RangeError);
});
