/** Every program with the option off and on, over real packets that get lost and delayed. */
import t, { type Test } from 'tap';
import { differences, type Run } from './compare.js';
import { IMPAIRMENTS, Network } from './network.js';
import { PROGRAMS } from './programs/index.js';
import { OPTIONS } from './runner.js';

for (const impairment of IMPAIRMENTS) {
  const { lossRatio, delayMs } = impairment;
  t.test(`${lossRatio * 100} % of packets lost and ${delayMs} ms each way`, async (t) => {
    const network = await Network.impaired(impairment).catch((error: Error) => error);
    if (network instanceof Error) {
      t.plan(0, `no layer-3 forwarder here: ${network.message}`);
      return;
    }
    t.teardown(() => network.end());
    const names = Object.keys(PROGRAMS);
    // All at once: they are waiting most of the time.
    const runs = await Promise.all(
      names.flatMap((name) => OPTIONS.map((option) => network.run(name, option))),
    );
    for (const [i, name] of names.entries()) compare(t, name, runs[2 * i], runs[2 * i + 1]);
    const counters = await network.end();
    t.ok((counters?.serverToPlayers.dropped ?? 0) > 0, 'packets of the server were lost');
    t.ok((counters?.playersToServer.dropped ?? 0) > 0, 'packets of the clients were lost');
  });
}

function compare(t: Pick<Test, 'test'>, name: string, off: Run, on: Run): void {
  t.test(`2. ${name}: the same transcript with the option off and on`, async (t) => {
    t.equal(off.failure, null);
    t.same(differences(off, on, PROGRAMS[name].rules), []);
    t.same({ off: off.fallbacks, on: on.fallbacks }, { off: [], on: [] });
    t.same(off.wires, ['json-ws']);
    t.ok(on.wires.includes('udp'), 'the option did something');
  });
}
