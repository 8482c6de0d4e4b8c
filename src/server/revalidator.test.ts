import t from 'tap';
import type { PlayerEntry } from './player-entry.js';
import { Revalidator } from './revalidator.js';
import { ServerOps } from './server-ops.js';
import type { Revalidate } from './types.js';

const TOKEN = 'an-access-token-of-the-game';

/** A hook under a clock that stands still unless it is moved. */
function place(revalidate: Revalidate) {
  const lines: { count: number; error: string }[] = [];
  const ends: string[] = [];
  const clock = { nowMs: 0 };
  const warn = (fields: object) => void lines.push(fields as never);
  const ops = new ServerOps({ info() {}, warn, error() {} }, null, 0, () => clock.nowMs);
  const revalidator = new Revalidator(revalidate, 20_000, {
    ops,
    nowMs: () => clock.nowMs,
    revoke: ({ id }, cause) =>
      void ends.push(`${id} ${cause} at ${Math.round(clock.nowMs / 1000)} s`),
  });
  const player = { id: 'anna', session: { playerId: 'anna', accessToken: TOKEN } };
  revalidator.add(player as unknown as PlayerEntry, 0);
  const run = async (toMs: number) => {
    for (; clock.nowMs < toMs; clock.nowMs += 100) {
      revalidator.poll();
      await null;
      await null;
      await null;
    }
  };
  return { lines, ends, run, revalidator, player };
}

const NO_ANSWERS: Record<string, () => unknown> = {
  'throws at once': () => {
    throw new Error(`no backend for ${TOKEN}`);
  },
  'throws later': async () => {
    await null;
    throw new Error(`no backend for ${TOKEN}`);
  },
  'never settles': () => new Promise(() => {}),
  'resolves garbage': async () => 'yes',
  'returns nothing': () => undefined,
  'returns null': () => null,
};

for (const [how, hook] of Object.entries(NO_ANSWERS)) {
  t.test(`a hook that ${how}: told now and then, and unverifiable in the end`, async (t) => {
    let asked = 0;
    const { lines, ends, run } = place(() => {
      asked++;
      return hook() as never;
    });
    await run(119_000);
    t.same(ends, []);
    t.equal(asked, 6);
    t.ok(lines.length >= 5 && lines.length <= 6, `${lines.length} lines`);
    for (const { error } of lines) t.notMatch(error, TOKEN, 'without what the session holds');
    await run(130_000);
    t.same(ends, ['anna unverifiable at 120 s']);
    await run(200_000);
    t.ok(asked <= 7, 'asked no more');
  });
}

t.test('the hook gets the session, and its word counts', async (t) => {
  const sessions: unknown[] = [];
  let isGood = true;
  const { ends, run, player, lines } = place(async (session) => {
    sessions.push(session);
    return isGood;
  });
  await run(60_000);
  t.equal(sessions.length, 3);
  t.equal(sessions[0], player.session);
  isGood = false;
  await run(80_000);
  t.match(ends, [/^anna revoked at/]);
  t.same(lines, []);
});

t.test('who has left during the question is not ended by its answer', async (t) => {
  let answer: (isGood: boolean) => void = () => {};
  const { ends, run, revalidator, player } = place(
    () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  );
  await run(14_000);
  revalidator.remove(player as unknown as PlayerEntry);
  answer(false);
  await run(40_000);
  t.same(ends, []);
});
