/** What happens to a page when its path, its server or the page itself goes: in headless Chromium. */
import t from 'tap';
import type { SnapshotValue } from '../../src/messages/generated/index.js';
import { until } from '../game/support.js';
import { openBrowser, SKIP } from './chromium.js';
import { place } from './place.js';

const browser = await openBrowser(t);

t.test(
  'a page whose connection is cut resumes, nothing lost or doubled',
  { skip: SKIP },
  async (t) => {
    const { server, relay, run, player, history } = await place(t, browser);
    const got: unknown[] = [];
    server.on('n', (_player, n) => got.push(n));
    await run("await dial('anna'); ");
    const anna = player();
    let sent = 0;
    const both = async (count: number) => {
      for (const end = sent + count; sent < end; sent++) {
        t.not(anna.send('n', sent), 'full');
        t.not(await run(`return game.send('n', ${sent})`), 'full');
      }
    };
    for (let round = 0; round < 3; round++) {
      await both(20);
      relay.cut();
      await both(20);
      await until(() => history.length === 2 * (round + 1), 'the resumption');
    }
    const wanted = Array.from({ length: sent }, (_, n) => n);
    await until(() => got.length >= sent, 'what the page sent');
    await run(`while (received.length < ${sent}) await turn();`);
    t.same(got, wanted);
    t.same(await run('return received.map(([, n]) => n)'), wanted);
    t.same(history.slice(0, 2), ['anna suspended 1006', 'anna resumed']);
    t.equal(await run('return game.state'), 'open');
  },
);

t.test(
  'a full page is told when to go on, once the server reads again',
  { skip: SKIP },
  async (t) => {
    const { server, relay, run } = await place(t, browser);
    const got: unknown[] = [];
    server.on('bulk', (_player, bulk) => got.push((bulk as number[])[0]));
    await run("await dial('anna')");
    relay.stall();
    const accepted = await run<number>(`let n = 0;
    while (game.send('bulk', [n, 'x'.repeat(50_000)]) !== 'full') n++;
    globalThis.isWritable = false;
    game.writable().then(() => (isWritable = true));
    return n;`);
    t.ok(accepted > 3, `${accepted} messages of 50 KB are kept`);
    t.equal(await run('return isWritable'), false);
    relay.flow();
    await run(`while (!isWritable) await turn();
    if (game.send('bulk', [${accepted}, '']) === 'full') throw new Error('full after writable');
    await game.drained();`);
    t.same(
      got,
      Array.from({ length: accepted + 1 }, (_, n) => n),
    );
  },
);

t.test(
  'a page that could not send sends its newest snapshot, not all of them',
  { skip: SKIP },
  async (t) => {
    const { server, relay, run } = await place(t, browser);
    const got: number[] = [];
    server.on('Snapshot', (_player, value) => got.push((value as SnapshotValue).tick));
    await run("await dial('anna')");
    relay.stall();
    // Kernel and browser take some MB; after that they wait, each in the place of the one before.
    const last = await run<number>(`let tick = 0;
      const player = { netId: 1, stateId: 0, direction: 1, health: 1, lives: 1, playerIndex: 0 };
      Object.assign(player, { flags: 0, lastSeq: 0, x: 1.5, y: 2.5, vx: 0, vy: 0 });
      const rest = { ackSeq: 0, matchState: 0, timeRemainingMs: 0, boomerangs: [] };
      rest.players = Array(8).fill(player);
      for (let waiting = 0; waiting < 100; ) {
        const result = game.send('Snapshot', { tick: ++tick, ...rest });
        waiting = result === 'queued' ? waiting + 1 : 0;
        if (result === 'queued') await turn();
      }
      for (let frames = 0; frames < 3; frames++) await new Promise(requestAnimationFrame);
      return tick;`);
    relay.flow();
    await until(() => got.at(-1) === last, 'the newest one');
    t.ok(got.length < last - 90, `${last - got.length} of ${last} gave way`);
    t.ok((await run<number>('return game.stats().droppedOut')) === last - got.length);
    t.same(
      got,
      [...new Set(got)].sort((a, b) => a - b),
      'in order, none twice',
    );
  },
);

t.test('a page that hears nothing goes on over a new connection', { skip: SKIP }, async (t) => {
  const { server, relay, run, player, history } = await place(t, browser, {}, (page) =>
    // Once a second becomes every 10 ms, so that 20 unanswered pings take no 20 seconds.
    page.evaluateOnNewDocument(`const plain = setInterval;
      globalThis.setInterval = (work, ms) => plain(work, ms / 100);`),
  );
  const got: unknown[] = [];
  server.on('n', (_player, n) => got.push(n));
  await run("await dial('anna')");
  relay.stall('to-client');
  player().send('n', 1);
  await run("game.send('n', 1)");
  await until(() => history.length === 2, 'the resumption');
  t.same(history, ['anna suspended 1006', 'anna resumed'], 'a link given up is no goodbye');
  player().send('n', 2);
  await run("game.send('n', 2); while (received.length < 2) await turn();");
  t.same(await run('return received'), [
    ['n', 1],
    ['n', 2],
  ]);
  await until(() => got.length === 2, 'what the page sent');
  t.same(got, [1, 2]);
});

t.test('a page that is closed leaves at once', { skip: SKIP }, async (t) => {
  const { page, run, leaves, history } = await place(t, browser);
  await run("await dial('anna')");
  await page.close();
  await until(() => leaves.length === 1, 'the leave');
  t.same(history, ['anna left 1001']);
});

t.test(
  'a page that goes unheard is suspended, and leaves when its time is over',
  {
    skip: SKIP,
  },
  async (t) => {
    const { relay, page, run, history } = await place(t, browser, { resumeWindowMs: 50 });
    await run("await dial('anna')");
    relay.isDown = true;
    relay.cut();
    await page.close();
    await until(() => history.length === 2, 'the leave');
    t.same(history, ['anna suspended 1006', 'anna left 1006']);
  },
);

t.test('a server that never says goodbye does not hold a page up', { skip: SKIP }, async (t) => {
  const { relay, run } = await place(t, browser);
  await run("await dial('anna')");
  relay.stall();
  relay.stall('to-client');
  t.match(await run("await game.close(3001, 'over'); return ended"), {
    code: 3001,
    reason: 'over',
  });
});

t.test('a page learns why there is no connection', { skip: SKIP }, async (t) => {
  const { relay, run } = await place(t, browser);
  t.match(await run("return failure(() => dial(''))"), {
    name: 'GGScaleError',
    code: 'unauthenticated',
  });
  relay.isDown = true;
  t.match(await run("return failure(() => dial('anna'))"), {
    name: 'RequestError',
    code: 'connect',
  });
});
