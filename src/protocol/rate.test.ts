import t from 'tap';
import { numbered, VirtualPair } from '../../test/support/virtual-net.js';
import { BURST_BYTES } from '../util/limits.js';
import { MODE_RELIABLE_ORDERED } from './protocol.js';

function connected(): VirtualPair {
  const pair = new VirtualPair({ link: { delayUs: 20_000 } });
  pair.connect();
  pair.run(300_000);
  return pair;
}

t.test('the budget is what would leave at once, less what waits', async (t) => {
  const pair = connected();
  const { protocol } = pair.server;
  const whole = protocol.budget(0, pair.nowUs);
  t.ok(whole > 0 && whole <= BURST_BYTES, `${whole} B at rest`);
  for (let number = 0; number < 40; number += 1) {
    pair.send(pair.server, 0, MODE_RELIABLE_ORDERED, numbered(number, 1000));
  }
  t.equal(protocol.budget(0, pair.nowUs), 0, 'more waits than may leave');
  pair.run(2_000_000);
  t.ok(protocol.budget(0, pair.nowUs) >= whole, 'and it is back');
  protocol.freeFlow(0);
  t.equal(protocol.budget(0, pair.nowUs), 0, 'a free slot has none');
});
