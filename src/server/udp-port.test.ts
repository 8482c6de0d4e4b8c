import t from 'tap';
import { TransportError } from '../util/errors.js';
import { openOnUdpPort } from './udp-port.js';

/** What was tried; every port is taken but 0. */
function open(asked: { http: number; udp: number | null }, code = 'address-in-use') {
  const tried: number[] = [];
  const attempt = () =>
    openOnUdpPort(asked, 4000, (port) => {
      tried.push(port);
      if (port !== 0) throw new TransportError(code, 'no');
      return port;
    });
  return { tried, attempt };
}

t.test('a port that the system chose gives way when UDP has another owner there', async (t) => {
  const { tried, attempt } = open({ http: 0, udp: null });
  t.equal(attempt(), 0);
  t.same(tried, [4000, 0]);
});

t.test('a port that was asked for does not', async (t) => {
  for (const asked of [
    { http: 4000, udp: null },
    { http: 0, udp: 4001 },
  ]) {
    const { tried, attempt } = open(asked);
    t.throws(attempt, { code: 'address-in-use' });
    t.same(tried, [asked.udp ?? 4000]);
  }
});

t.test('other refusals are told at once', async (t) => {
  const { tried, attempt } = open({ http: 0, udp: null }, 'permission-denied');
  t.throws(attempt, { code: 'permission-denied' });
  t.same(tried, [4000]);
});
