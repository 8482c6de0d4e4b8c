/** The oracles that only the native level has, against bugs that were planted for them. */
import t from 'tap';
import { NonceWatch } from '../../src/sim/native/native-oracle.js';
import { pathOf } from '../../src/sim/network/profile.js';
import { Violation } from '../../src/sim/oracle/violation.js';
import { nativeWorld } from '../../src/sim/scenarios/native-tools.js';

function sealed(
  type: number,
  sequence: readonly number[],
  cid: readonly number[] = [],
): Uint8Array {
  return Uint8Array.from([(sequence.length << 4) | type, ...cid, ...sequence, 9, 9, 9]);
}

function speaks(oracle: string, work: () => void): boolean {
  try {
    work();
    return false;
  } catch (error) {
    return error instanceof Violation && error.oracle === oracle;
  }
}

t.test('a nonce that comes twice under one key is seen', async (t) => {
  const watch = new NonceWatch();
  const see = (key: string, bytes: Uint8Array, nxKeys = 1): boolean =>
    speaks('nonce-reuse', () => watch.see(key, bytes, 0, nxKeys));
  t.notOk(see('up', sealed(5, [2])));
  t.notOk(see('up', sealed(5, [1])), 'in any order');
  t.notOk(see('down', sealed(5, [1])), 'the other direction has another key');
  t.ok(see('up', sealed(4, [1])), 'of any type');
  t.ok(see('up', sealed(5, [2, 0])), 'however it is written');
  t.notOk(see('down', sealed(5, [1]), 2), 'two keys that begin at 0');
  t.ok(see('down', sealed(5, [1]), 2));
  t.notOk(see('down', sealed(5, [0, 0, 0, 0, 9]), 2));
  t.ok(see('down', sealed(5, [0, 0, 0, 0, 9]), 2), 'those that begin at random have their own');
  const far = [1, 0, 0, 0, 0, 0, 0, 0x80];
  t.notOk(see('down', sealed(2, far)));
  t.notOk(see('up', sealed(1, [2, ...far.slice(1)])), 'one counter for all without a flow');
  t.ok(see('up', sealed(2, [2, ...far.slice(1)])));
  const cid = [0, 1, 2, 3, 4, 5, 6, 7];
  t.notOk(see('up', sealed(8, [1], cid)), 'NX has keys of its own');
  t.ok(see('up', sealed(9, [1], cid)));
  t.notOk(see('up', sealed(12, [1])), 'grease is not sealed');
  t.notOk(see('up', Uint8Array.from([0, 1, 2])), 'nor are requests');
});

t.test('a connection that nobody dialled, or two at once, are seen', async (t) => {
  const world = nativeWorld({ seed: 1, path: pathOf({ delayUs: 5_000 }) });
  world.run(1_000_000);
  const [server, client] = world.nodes;
  const userData = new Uint8Array(256);
  const opened = { slot: 1, clientId: 1n, address: '192.0.2.1:1', userData };
  new DataView(userData.buffer).setUint32(0, 7, true);
  t.ok(
    speaks('handshake', () => world.opened(server, opened)),
    'flow 7',
  );
  new DataView(userData.buffer).setUint32(0, 0, true);
  world.opened(server, opened);
  t.ok(
    speaks('handshake', () => server.turn()),
    'flow 0 twice',
  );
  t.ok(
    speaks('handshake', () => world.opened(client, { ...opened, slot: 0 })),
    'at the client',
  );
});
