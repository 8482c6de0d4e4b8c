/**
 * The UDP path dies in the middle of a program. The program goes on over WebSocket, and its transcript
 * is the one of a client without the option.
 */
import t from 'tap';
import { differences } from './compare.js';
import { Network } from './network.js';
import { PROGRAMS } from './programs/index.js';
import { DEATHS, runWhileUdpDies } from './udp-death.js';

const network = Network.loopback();
t.teardown(() => network.end());

t.test('UDP dies in mid-program: one fallback per connection, the same transcript', async (t) => {
  const names = Object.keys(PROGRAMS).filter((name) => !PROGRAMS[name].notWhenUdpDies);
  const runs = names.map(async (name) => {
    const off = await network.run(name, 'json-ws');
    const on = DEATHS.map((datagrams) => runWhileUdpDies(network, name, datagrams));
    return { name, off, on: await Promise.all(on) };
  });
  let died = 0;
  for (const { name, off, on } of await Promise.all(runs)) {
    const { rules, rulesWhenUdpDies } = PROGRAMS[name];
    for (const [i, run] of on.entries()) {
      t.same(
        differences(off, run, rulesWhenUdpDies ?? rules),
        [],
        `${name}, ${DEATHS[i]} datagrams`,
      );
      if (run.fallbacks.includes('udp-lost')) died++;
      for (const reason of run.fallbacks) {
        t.ok(reason === 'udp-lost' || reason === 'handshake-timeout', `${name}: ${reason}`);
      }
    }
  }
  t.ok(died > names.length, `${died} runs lost their path in the middle`);
});
