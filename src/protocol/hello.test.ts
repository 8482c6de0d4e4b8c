/** How soon PARAMS come through when packets of the first second are lost. */
import t from 'tap';
import { VirtualPair } from '../../test/support/virtual-net.js';

const RTT_US = 40_000;

t.test('PARAMS come every 100 ms in the first second', async (t) => {
  for (const darkUs of [50_000, 350_000, 700_000, 950_000]) {
    const pair = new VirtualPair();
    pair.link.blackholes.push({ fromUs: 0, toUs: darkUs });
    pair.run(darkUs);
    t.notOk(pair.client.ready);
    pair.run(100_000 + RTT_US + 2_000);
    t.ok(pair.client.ready, `${darkUs} µs`);
  }
});

t.test('a peer that never answers is asked less and less often', async (t) => {
  const pair = new VirtualPair();
  pair.link.blackholes.push({ fromUs: 0, toUs: Number.MAX_SAFE_INTEGER });
  pair.run(10_000_000);
  t.ok(pair.client.packetsOut <= 22, `${pair.client.packetsOut} in 10 s`);
  const before = pair.client.packetsOut;
  pair.run(10_000_000);
  t.equal(pair.client.packetsOut - before, 10);
});
