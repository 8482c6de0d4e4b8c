import t from 'tap';
import { ResumeSecrets } from './resume-secrets.js';

function build(): ResumeSecrets {
  let count = 0;
  return new ResumeSecrets(() => `secret ${count++}`);
}

t.test('a secret is good until the client is known to have the next one', async (t) => {
  const secrets = build();
  t.ok(secrets.check('secret 0'));
  t.equal(secrets.use('secret 0'), 'secret 1');
  t.ok(secrets.check('secret 0'), 'the answer may have been lost');
  t.ok(secrets.check('secret 1'), 'or not');
  secrets.confirm();
  t.notOk(secrets.check('secret 0'), 'spent');
  t.ok(secrets.check('secret 1'));
});

t.test('an answer that was lost is void once another one is given', async (t) => {
  const secrets = build();
  secrets.use('secret 0');
  t.equal(secrets.use('secret 0'), 'secret 2');
  t.notOk(secrets.check('secret 1'));
  t.ok(secrets.check('secret 2'));
});

t.test('three wrong ones end it, for the right one too', async (t) => {
  const secrets = build();
  for (const wrong of ['', 'secret 00', 'secret 9']) {
    t.notOk(secrets.isExhausted);
    t.notOk(secrets.check(wrong));
  }
  t.ok(secrets.isExhausted);
  t.notOk(secrets.check('secret 0'));
});
