import t from 'tap';
import type { UdpSettings } from './options.js';
import { readEngine } from './ws-options.js';

const TLS = { key: 'key', cert: 'cert' };
const UDP = { advertise: [] as string[] } as UdpSettings;
const ADVERTISED = { advertise: ['192.0.2.1:7777'] } as UdpSettings;

t.test(
  'uWebSockets.js is left alone where it cannot serve, and refused when asked for',
  async (t) => {
    const uws = { engine: 'uws' } as const;
    t.equal(readEngine({}, '127.0.0.1', null, UDP), 'auto');
    t.equal(readEngine({}, '127.0.0.1', TLS, null), 'ws', 'a key is not written to a file');
    t.equal(readEngine({}, '0.0.0.0', null, UDP), 'ws', 'tokens must name an address');
    t.equal(readEngine({}, '0.0.0.0', null, ADVERTISED), 'auto');
    t.equal(readEngine({}, '::', null, null), 'auto');
    t.equal(readEngine(null, '127.0.0.1', null, UDP), 'ws');
    t.equal(readEngine(uws, '::', null, ADVERTISED), 'uws');
    t.throws(() => readEngine(uws, '127.0.0.1', TLS, null), {
      code: 'bad-option',
      message: /^ggscale: ws\.engine is "uws", accepted: .*`tls`/,
    });
    t.throws(() => readEngine(uws, '::', null, UDP), {
      code: 'bad-option',
      message: /^ggscale: ws\.engine is "uws", accepted: .*udp\.advertise/,
    });
  },
);
