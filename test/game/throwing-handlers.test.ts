/** What handlers throw beside those of messages: suspension, receipts, room ticks, the way down. */
import t from 'tap';
import type { Player } from '../../src/server/index.js';
import { place } from './resume-support.js';
import { dial, FAILURES, listen, until, WIRES } from './support.js';

for (const [how, fail] of Object.entries(FAILURES)) {
  t.test(
    `onSuspend and onResume: a handler that ${how} is told once, the session goes on`,
    async (t) => {
      const at = await place(t, { udp: false });
      const told: string[] = [];
      at.server.onError((error, where) => told.push(`${where}: ${(error as Error).message}`));
      at.server.onSuspend(() => fail('suspend') as undefined);
      at.server.onResume(() => fail('resume') as undefined);
      const seen: string[] = [];
      at.server.onSuspend(() => void seen.push('suspend'));
      at.server.onResume(() => void seen.push('resume'));
      at.server.on('echo', (player, value) => player.send('echo', value));
      const connection = await at.dial('anna');
      at.tcp.cut();
      await until(() => at.history.includes('anna resumed on json-ws'), 'the resumption');
      connection.send('echo', 1);
      t.equal((await connection.readMessage()).value, 1);
      t.same(seen, ['suspend', 'resume']);
      await until(() => told.length === 2, 'both errors');
      t.same(told, ['onSuspend: suspend', 'onResume: resume']);
    },
  );

  for (const wire of WIRES) {
    t.test(
      `${wire}: onReceipt and room ticks: who ${how} is told each time, the others go on`,
      async (t) => {
        const server = await listen(wire === 'udp' ? {} : { udp: false });
        t.teardown(() => server.close());
        const told: string[] = [];
        server.onError((error, where) => told.push(`${where}: ${(error as Error).message}`));
        const receipts: number[] = [];
        let ticks = 0;
        server.onReceipt((_player, receipt) =>
          receipt === 2 ? (fail('receipt 2') as undefined) : undefined,
        );
        server.onReceipt((_player, receipt) => void receipts.push(receipt));
        const connection = await dial(server, wire, 'anna');
        const [player] = server.players.values();
        for (const receipt of [1, 2, 3]) player.send('note', receipt, { receipt });
        await until(() => receipts.length === 3, 'all receipts');
        t.same(receipts.sort(), [1, 2, 3]);
        const remove = server
          .room('bad')
          .onTick(100, ({ tick }) => (tick === 1 ? (fail('tick 1') as undefined) : undefined));
        server.room('bad').onTick(100, () => void ticks++);
        await until(() => ticks > 3, 'ticks');
        remove();
        for (let i = 1; i <= 3; i++) t.equal((await connection.readMessage()).value, i);
        await until(() => told.length >= 1, 'the errors');
        t.equal(told[0], 'onReceipt: receipt 2');
        // Tick 1 may have been skipped by a late process.
        t.same(
          told.slice(1).filter((line) => line !== 'onTick of room bad: tick 1'),
          [],
        );
        t.ok(told.length <= 2, 'once each');
      },
    );

    t.test(
      `${wire}: an onLeave that ${how} holds up neither revocation, drain nor close`,
      async (t) => {
        const server = await listen(wire === 'udp' ? {} : { udp: false });
        t.teardown(() => server.close());
        const told: string[] = [];
        const left: string[] = [];
        server.onError((_error, where) => told.push(where));
        server.onLeave(() => fail('leave') as undefined);
        server.onLeave(({ id }: Player<Record<string, unknown>>) => void left.push(id));
        const names = ['anna', 'berta', 'carla'];
        const [anna] = await Promise.all(names.map((id) => dial(server, wire, id)));
        server.revoke('anna');
        t.match(await anna.closed, { code: 1008, reason: 'revoked' });
        await server.drain({ deadlineMs: 20 });
        t.same(left.sort(), names);
        await until(() => told.length === 3, 'each error');
        t.same(told, ['onLeave', 'onLeave', 'onLeave']);
      },
    );
  }
}

t.test('what is thrown is no reason to forget the others of the same message', async (t) => {
  const lines: object[] = [];
  const logger = { info() {}, warn() {}, error: (fields: object) => void lines.push(fields) };
  const server = await listen({ udp: false, logger });
  t.teardown(() => server.close());
  const told: unknown[] = [];
  const removeTeller = server.onError((error) => told.push(error));
  for (const thrown of [undefined, null, 'a word', 5, Object.create(null)]) {
    const remove = server.on('odd', () => {
      throw thrown;
    });
    let seen = 0;
    const removeCounter = server.on('odd', () => void seen++);
    const connection = await dial(server, 'json-ws', 'anna');
    connection.send('odd', 1);
    await until(() => seen === 1, 'the second handler');
    t.equal(told.at(-1), thrown);
    remove();
    removeCounter();
    await connection.close();
  }
  t.equal(told.length, 5);
  removeTeller();
  server.on('odd', () => {
    throw Object.create(null);
  });
  const connection = await dial(server, 'json-ws', 'anna');
  connection.send('odd', 1);
  await until(() => lines.length === 1, 'the log to tell of it');
  t.match(lines, [{ where: 'on odd', error: 'an object without a text' }]);
});
