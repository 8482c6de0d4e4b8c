import t from 'tap';
import { binaryAddress } from './uws-request.js';

t.test('addresses of 4 and 16 bytes read as node:net writes them', async (t) => {
  const cases: [number[], string][] = [
    [[127, 0, 0, 1], '127.0.0.1'],
    [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7], '192.0.2.7'],
    [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], '::1'],
    [[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xa, 0xbc], '2001:db8::abc'],
    [[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8], 'fe80::102:304:506:708'],
    [[], ''],
  ];
  for (const [bytes, text] of cases) {
    t.equal(binaryAddress(new Uint8Array(bytes).buffer), text);
  }
});
