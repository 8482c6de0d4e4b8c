import t from 'tap';
import { BearerGate } from './bearer-gate.js';

const SECRET = '0123456789abcdef+/=';

t.test('the bearer opens, in any case of its scheme, and nothing else does', async (t) => {
  const gate = new BearerGate(SECRET);
  for (const header of [`Bearer ${SECRET}`, `bearer ${SECRET}`, `Bearer   ${SECRET} `]) {
    t.ok(gate.admits(header), header);
  }
  const refused = [undefined, '', SECRET, `Basic ${SECRET}`, 'Bearer', 'Bearer '];
  for (const header of [...refused, `Bearer ${SECRET.slice(1)}`, `Bearer ${SECRET}x`]) {
    t.notOk(gate.admits(header), String(header));
  }
});

t.test('without a bearer everybody is admitted', async (t) => {
  const gate = new BearerGate(null);
  t.ok(gate.admits(undefined));
  t.ok(gate.admits('Bearer whatever'));
});
