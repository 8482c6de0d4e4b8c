import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { UsageError } from '../command-line.js';
import { readOptions } from './options.js';

const KEY = 'ab'.repeat(32);

t.test('without arguments both wires play for twenty seconds', async (t) => {
  t.same(readOptions([], {}), {
    kind: 'match',
    durationS: 20,
    players: 16,
    rateHz: 60,
    lossRatio: 0,
    delayMs: 0,
    seed: 1,
    reportFile: null,
  });
});

t.test('every flag of a match', async (t) => {
  const file = join(t.testdir(), 'out.json');
  const args = '--duration 2.5 --players 12 --rate 30 --loss 0.02 --delay 25 --seed 7'.split(' ');
  t.same(readOptions([...args, '--report', file], {}), {
    kind: 'match',
    durationS: 2.5,
    players: 12,
    rateHz: 30,
    lossRatio: 0.02,
    delayMs: 25,
    seed: 7,
    reportFile: file,
  });
});

t.test('every flag of --serve', async (t) => {
  const ports = ['--udp-port', '4000', '--ws-port', '4001'];
  const rest = ['--private-key', KEY, '--protocol-id', '0x10', '--echo-foreign'];
  t.same(readOptions(['--serve', ...ports, ...rest], {}), {
    kind: 'serve',
    rateHz: 60,
    udpPort: 4000,
    wsPort: 4001,
    privateKey: KEY,
    protocolId: 16n,
    echoForeign: true,
    seed: 1,
  });
  const plain = readOptions(['--serve'], { GGSCALE_PRIVATE_KEY: KEY });
  t.match(plain, { udpPort: null, wsPort: 0, privateKey: KEY, protocolId: null });
  t.match(readOptions(['--serve', '--private-key', KEY], { GGSCALE_PRIVATE_KEY: 'no' }), {
    privateKey: KEY,
  });
  const largest = readOptions(['--serve', '--protocol-id', '18446744073709551615'], {});
  t.match(largest, { protocolId: (1n << 64n) - 1n });
});

t.test('what is wrong is said in one line, and the exit code is 2', async (t) => {
  const folder = t.testdir();
  mkdirSync(join(folder, 'd'));
  const wrong = [
    '--bogus',
    'extra',
    '--duration',
    '--duration 0',
    '--duration -1',
    '--duration 1e3',
    '--players 0',
    '--players 2.5',
    '--players many',
    '--players 2001',
    '--rate 0',
    '--rate 251',
    '--loss 1',
    '--loss x',
    '--delay -5',
    '--delay NaN',
    '--seed -1',
    `--report ${join(folder, 'd')}`,
    `--report ${join(folder, 'absent', 'x.json')}`,
    '--udp-port 4000',
    '--echo-foreign',
    '--serve --loss 0.1',
    '--serve --duration 3',
    '--serve --ws-port 65536',
    '--serve --protocol-id 18446744073709551616',
    '--serve --protocol-id -1',
  ];
  for (const line of wrong) {
    const error = caught(() => readOptions(line.split(' '), {}));
    t.ok(error instanceof UsageError, line);
    t.match(error, { exitCode: 2, message: /^[^\n]{10,}$/ }, line);
    t.notMatch((error as Error).message, /^error:/);
  }
});

t.test('a wrong key is refused without being repeated', async (t) => {
  for (const key of ['cafebabe', `${KEY}0`, 'g'.repeat(64)]) {
    const given = caught(() => readOptions(['--serve', '--private-key', key], {}));
    const inherited = caught(() => readOptions(['--serve'], { GGSCALE_PRIVATE_KEY: key }));
    for (const error of [given, inherited] as Error[]) {
      t.match(error, { exitCode: 2 });
      t.notOk(error.message.includes(key));
    }
  }
  t.equal(readOptions([], { GGSCALE_PRIVATE_KEY: 'no' }).kind, 'match', 'a match needs no key');
});

function caught(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return null;
}
