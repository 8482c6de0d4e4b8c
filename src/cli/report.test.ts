import t from 'tap';
import { type Check, reportText, worstOf } from './report.js';
import { bufferCheck, featureChecks } from './udp-checks.js';

const GOOD = {
  recvmmsg: true,
  sendmmsg: true,
  gso: true,
  timestamps: true,
  rxqOverflow: true,
  packetInfo: true,
  steering: true,
  handshakeSocket: true,
};

t.test('a kernel that gives everything leaves nothing to say', async (t) => {
  const checks = featureChecks(GOOD, true);
  t.equal(worstOf(checks), 'ok');
  t.ok(checks.every(({ advice }) => advice.length === 0));
});

t.test(
  'each feature that is missing is told by its name, with its cost and what to do',
  async (t) => {
    for (const key of Object.keys(GOOD)) {
      const missed = featureChecks({ ...GOOD, [key]: false }, true).filter(
        ({ status }) => status !== 'ok',
      );
      t.equal(missed.length, 1, key);
      t.match(missed[0], { status: 'warning', detail: new RegExp(`no ${key}\\)$`) });
      t.ok(missed[0].advice.length > 0);
    }
    const missed = featureChecks(GOOD, false).filter(({ status }) => status !== 'ok');
    t.match(missed, [{ name: 'trains in', advice: [/UDP_GRO/] }]);
  },
);

t.test('a buffer for less than 50 ms comes with the setting that gives more', async (t) => {
  const features = { receiveBufferBytes: 3_456_000, sendBufferBytes: 3_456_000 };
  t.equal(bufferCheck({ ...features, receivePauseMs: 50 }, 1000).status, 'ok');
  const small = bufferCheck({ ...features, receivePauseMs: 25 }, 2000);
  t.equal(small.status, 'warning');
  t.match(small.detail, /3\.3 MiB in, 3\.3 MiB out: holds a pause of 25 ms with 2000 players/);
  t.match(small.advice[0], /rmem_max=6912000 net\.core\.wmem_max=6912000/);
  t.match(small.advice[2], /--flows 1000 /);
});

t.test('the report says the worst of it at the end', async (t) => {
  const check = (name: string, status: Check['status']): Check => {
    return { name, status, detail: 'what it is', advice: status === 'ok' ? [] : ['do this'] };
  };
  const text = (...checks: Check[]) =>
    reportText({
      version: '1.2.3',
      node: '20.0.0',
      platform: 'linux x64',
      kernel: '6.1',
      cpus: 2,
      status: worstOf(checks),
      checks,
    });
  t.match(text(check('one', 'ok')), /Everything is well\.\n$/);
  t.match(text(check('one', 'warning')), /one thing could be better\.\n$/);
  const all = text(check('one', 'ok'), check('second', 'warning'), check('third', 'failure'));
  t.equal(
    all,
    [
      '@ggscale/transport 1.2.3, Node 20.0.0, linux x64, kernel 6.1, 2 CPUs',
      '',
      '  ok    one     what it is',
      '  look  second  what it is',
      '                → do this',
      '  FAIL  third   what it is',
      '                → do this',
      '',
      'Does not work: third.',
      '',
    ].join('\n'),
  );
});
