/** The SDK in headless Chromium against the real server: the same values, order and ends as in Node. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import type { ConnectionStats } from '../../src/sdk/index.js';
import { dial, until } from '../game/support.js';
import { WORKLOAD_TYPES as TYPES } from '../messages/workload-types.js';
import { openBrowser, SKIP } from './chromium.js';
import { type Game, type Name, place, registry } from './place.js';

const browser = await openBrowser(t);

/** The golden vectors, as a program gives them. */
function givenOf(name: Name): unknown[] {
  const file = name.replace(/(?!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
  const url = new URL(`../vectors/messages/${file}.json`, import.meta.url);
  const { vectors } = JSON.parse(readFileSync(url, 'utf8'));
  return vectors.map(({ given }: { given: unknown }) => given);
}

t.test('typed values are those that Node sees, both ways', { skip: SKIP }, async (t) => {
  const { server, run } = await place(t, browser);
  const there: Record<string, unknown[]> = { anna: [], bert: [] };
  const names = Object.keys(TYPES) as Name[];
  for (const name of names) {
    server.on(name, (player, value) => {
      there[player.id].push([name, value]);
      player.send('echo', [name, value]); // reliable: none gives way
      player.send(name, value);
    });
  }
  const node = await dial<Game>(server, 'json-ws', 'bert', registry);
  await run("await dial('anna')");
  const back: unknown[] = [];
  for (const name of [...names, 'echo']) node.on(name, (value) => back.push([name, value]));
  let sent = 0;
  for (const name of names) {
    for (const given of givenOf(name)) {
      sent++;
      node.send(name, given);
      await run(`game.send('${name}', ${JSON.stringify(given)})`);
    }
  }
  t.ok(sent > 22, `${sent} values`);
  await until(() => back.length === 2 * sent, 'all of them');
  const received = await run(`while (received.length < ${2 * sent}) await turn();
    return received;`);
  t.same(there.anna, there.bert, 'at the server');
  t.same(received, back, 'at the client');
  await node.close();
});

t.test(
  'reliable messages stay in order, text of every length in UTF-8',
  { skip: SKIP },
  async (t) => {
    const { server, run, player } = await place(t, browser);
    const got: unknown[] = [];
    server.on('n', (_player, n) => got.push(n));
    await run("await dial('anna')");
    const text = "'aé€😀'.repeat(n % 7)";
    await run(`for (let n = 0; n < 3000; n++) {
      while (game.send('n', [n, ${text}]) === 'full') await game.writable();
    }
    await game.drained();`);
    const sent = await run<unknown[]>(
      `return Array.from({ length: 3000 }, (_, n) => [n, ${text}])`,
    );
    t.same(got, sent, 'at the server');
    for (const value of sent) {
      while (player().send('n', value) === 'full') await player().writable();
    }
    await player().drained();
    t.same(await run('return received.map(([, value]) => value)'), sent, 'in the page');
  },
);

t.test('a message of nearly 256 KiB passes, a larger one is refused', { skip: SKIP }, async (t) => {
  const { server, run, player } = await place(t, browser);
  server.on('echo', (player, value) => player.send('echo', value));
  await run("await dial('anna')");
  const big = "'€'.repeat(87_370) + 'x'"; // 262,111 B, with its frame 262,139
  t.equal(
    await run(`game.send('echo', ${big});
      while (received.length < 1) await turn();
      return received[0][1] === ${big};`),
    true,
  );
  t.match(await run(`return failure(() => game.send('echo', '€'.repeat(87_400)))`), {
    name: 'MessageError',
    code: 'message-too-large',
  });
  t.throws(() => player().send('echo', '€'.repeat(87_400)), { code: 'message-too-large' });
});

t.test(
  'bytes, frames and messages are counted as the server counts them',
  { skip: SKIP },
  async (t) => {
    const { server, run, player } = await place(t, browser);
    server.on('echo', (player, value) => player.send('echo', value));
    await run("await dial('anna')");
    await run(`for (const length of [1, 40, 125, 126, 400, 22_000]) game.send('echo', '€'.repeat(length));
    while (received.length < 6) await turn();`);
    const differences = async () => {
      const here = await run<ConnectionStats>('return game.stats()');
      const there = player().stats();
      return [
        here.bytesOut - there.bytesIn,
        here.bytesIn - there.bytesOut,
        here.packetsOut - there.packetsIn,
        here.messagesOut - there.messagesIn,
        here.messagesIn - there.messagesOut,
      ];
    };
    let different = await differences();
    // Clock exchanges come in between now and then.
    for (let tries = 0; tries < 200 && different.some((by) => by !== 0); tries++) {
      different = await differences();
    }
    t.same(different, [0, 0, 0, 0, 0]);
    t.match(await run('return game.stats()'), { wire: 'json-ws', messagesIn: 6, messagesOut: 6 });
    await run('while (!(game.stats().rttMs > 0)) await turn();');
  },
);

t.test('the page knows the server time within its own bound', { skip: SKIP }, async (t) => {
  const { server, run } = await place(t, browser, { tickHz: 60 });
  await run("await dial('anna'); while (!(game.serverTimeError() < 1000)) await turn();");
  const beforeMs = server.nowMs();
  const { nowMs, errorMs, tick } = await run<Record<string, number>>(
    'return { nowMs: game.serverTime(), errorMs: game.serverTimeError(), tick: game.tickToSend() }',
  );
  const afterMs = server.nowMs();
  t.ok(nowMs >= beforeMs - errorMs, `${nowMs} ms is after ${beforeMs} ms − ${errorMs} ms`);
  t.ok(nowMs <= afterMs + errorMs, `${nowMs} ms is before ${afterMs} ms + ${errorMs} ms`);
  t.ok(tick >= Math.floor(nowMs * 0.06) - 1, 'an input is for a tick to come');
});

t.test('close codes and reasons arrive at the other end, both ways', { skip: SKIP }, async (t) => {
  const { server, run, player, leaves } = await place(t, browser);
  for (const code of [1000, 3000, 4999]) {
    await run(`await dial('anna'); await game.close(${code}, 'grüße €')`);
    await until(() => leaves.length === 1, 'the leave');
    t.same(leaves.pop(), { code, reason: 'grüße €', wasClean: true }, 'from the page');
    t.match(await run('return ended'), { code, wasClean: true });
    await run("await dial('anna')");
    player().close(code, 'grüße €');
    t.same(await run('return ended'), { code, reason: 'grüße €', wasClean: true }, 'to the page');
    leaves.pop();
  }
  await run("await dial('anna')");
  for (const code of [1001, 1006, 4006, 70_000]) {
    t.match(await run(`return failure(() => game.close(${code}))`), { name: 'RangeError' });
  }
  t.match(await run("await game.send('n', 1); return game.state"), 'open');
  await server.close();
  t.match(await run('return ended'), { code: 1001, wasClean: true });
  t.match(await run("return failure(() => game.send('n', 1))"), { name: 'ErrConnectionClosed' });
});

t.test('with the UDP option a page falls back once, and says why', { skip: SKIP }, async (t) => {
  const { server, run } = await place(t, browser);
  server.on('echo', (player, value) => player.send('echo', value));
  await run("await dial('anna', {}); game.send('echo', 1);");
  t.same(await run('while (received.length < 1) await turn(); return received'), [['echo', 1]]);
  t.same(await run('return warnings'), [
    { event: 'transport.fallback', reason: 'unsupported-platform', wire: 'json-ws' },
  ]);
  t.match(await run("return failure(() => game.switchTo('udp'))"), {
    name: 'TransportError',
    code: 'unsupported-platform',
  });
  t.match(await run("return failure(() => dial('bert', { fallback: 'error' }))"), {
    name: 'GameDialError',
    code: 'unsupported-platform',
  });
  t.same([...server.players.keys()], ['anna']);
});
