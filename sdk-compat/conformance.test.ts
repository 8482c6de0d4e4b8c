/** Every program with the option off and on, on plain loopback. */
import t from 'tap';
import { differences } from './compare.js';
import { Network } from './network.js';
import { PROGRAMS } from './programs/index.js';

const network = Network.loopback();
t.teardown(() => network.end());

for (const [name, { rules }] of Object.entries(PROGRAMS)) {
  t.test(`2. ${name}: the same transcript with the option off and on`, async (t) => {
    const off = await network.run(name, 'json-ws');
    const on = await network.run(name, 'udp');
    if (process.env.SHOW) console.error(name, off, on);
    t.equal(off.failure, null);
    t.same(differences(off, on, rules), []);
    t.same({ off: off.fallbacks, on: on.fallbacks }, { off: [], on: [] });
    t.same(off.wires, ['json-ws']);
    t.ok(on.wires.includes('udp'), 'the option did something');
  });
}
