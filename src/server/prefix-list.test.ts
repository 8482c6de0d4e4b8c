import t from 'tap';
import { SimRings } from '../addon/sim-rings.js';
import { PrefixList } from './prefix-list.js';

t.test('the edges of a prefix are in it and their neighbours are not', async (t) => {
  const list = new PrefixList(['192.0.2.64/26', '2001:db8:5::/48', '198.51.100.7', 'fe80::/10']);
  for (const inside of [
    '192.0.2.64',
    '192.0.2.127',
    '::ffff:192.0.2.100',
    '::ffff:c000:264',
    '198.51.100.7',
    '2001:db8:5::',
    '2001:DB8:5:ffff:ffff:ffff:ffff:ffff',
    'fe80::1%eth0',
  ]) {
    t.ok(list.contains(inside), inside);
  }
  for (const outside of [
    '192.0.2.63',
    '192.0.2.128',
    '198.51.100.6',
    '198.51.100.8',
    '2001:db8:4:ffff::',
    '2001:db8:6::',
    '::192.0.2.100',
    '::1',
    '',
    'unknown',
    '192.0.2.64:80',
  ]) {
    t.notOk(list.contains(outside), outside);
  }
});

t.test('whole families, nested and neighbouring prefixes, in any order', async (t) => {
  const all = new PrefixList(['0.0.0.0/0', '255.255.255.255', '::/0', 'ffff::/16']);
  for (const inside of ['0.0.0.0', '255.255.255.255', '::', 'ffff::ffff']) {
    t.ok(all.contains(inside), inside);
  }
  t.notOk(new PrefixList(['0.0.0.0/0']).contains('::1'));
  t.notOk(new PrefixList(['::/0']).contains('192.0.2.1'));
  const nested = new PrefixList(['10.1.0.0/24', '10.0.0.0/15', '10.0.5.0/24', '10.2.0.0/16']);
  for (const inside of ['10.0.0.0', '10.0.6.0', '10.1.255.255', '10.2.255.255']) {
    t.ok(nested.contains(inside), inside);
  }
  t.notOk(nested.contains('10.3.0.0'));
  t.notOk(nested.contains('9.255.255.255'));
  t.notOk(new PrefixList([]).contains('10.0.0.1'));
});

t.test('reads and refuses what the addon does, with its words', async (t) => {
  const sizes = { rxCapacity: 64, txCapacity: 64, rxArenaBytes: 16_384, txArenaBytes: 16_384 };
  const rings = new SimRings(
    {
      role: 'server',
      seed: 1,
      startUs: 0,
      unixS: 0,
      maxPayloadBytes: 1200,
      tickIntervalUs: 0,
      maxFlows: 8,
      protocolId: 1n,
      privateKey: new Uint8Array(32),
    },
    sizes,
  );
  const outcome = (set: () => void): string => {
    try {
      set();
      return 'taken';
    } catch (error) {
      return (error as Error).message;
    }
  };
  for (const text of [
    '192.0.2.0/24',
    '192.0.2.7',
    '0.0.0.0/0',
    '2001:db8::/32',
    '::ffff:192.0.2.0/120',
    '::ffff:0:0/96',
    '64:ff9b::192.0.2.0/120',
    '1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:192.0.2.1',
    '::1',
    '::/0',
    '',
    '/8',
    '10.0.0/8',
    '10.0.0.256/8',
    '010.0.0.0/8',
    'fe80::1%eth0',
    'example.org/8',
    ' 10.0.0.0/8',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/+8',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '10.0.0.0/1e1',
    '10.0.0.0/300',
    '::/129',
    '::ffff:0:0/95',
    '::ffff:192.0.2.7/120',
    '10.1.2.3/8',
    '2001:db8::1/64',
  ]) {
    const native = outcome(() => rings.setAdmission({ blocked: ['10.0.0.0/8', text] }));
    const ours = outcome(() => new PrefixList(['10.0.0.0/8', text], 'admission.blocked'));
    t.equal(ours.replace('ggscale: ', ''), native.replace('ggscale: ', ''), text);
  }
});
