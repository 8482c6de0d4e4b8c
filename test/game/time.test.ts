/** Server time, playout and input lead over real sockets, on both wires. */
import t from 'tap';
import { dial, listen, until, WIRES } from './support.js';

interface Messages {
  Input: { tick: number };
  Snapshot: { tick: number };
}

for (const wire of WIRES) {
  t.test(`${wire}: server time never goes back and is the server's`, async (t) => {
    const server = await listen<Messages>();
    t.teardown(() => server.close());
    const game = await dial(server, wire, 'p');
    let before = game.serverTime();
    let back = 0;
    let looks = 0;
    await until(() => {
      const now = game.serverTime();
      if (now < before) back += 1;
      before = now;
      looks += 1;
      return Number.isFinite(game.serverTimeError()) && looks > 50;
    }, 'an exchange of clocks');
    t.equal(back, 0);
    const off = Math.abs(game.serverTime() - server.nowMs());
    t.ok(off < 1000, `${off} ms off`);
    t.ok(game.serverTimeError() >= 0 && game.serverTimeError() < 1000);
    await game.close();
    t.ok(game.serverTime() >= before, 'and carries on after the end');
  });

  t.test(
    `${wire}: inputs are sent for ticks that they can reach, and the client learns`,
    async (t) => {
      const server = await listen<Messages>({ tickHz: 50 });
      t.teardown(() => server.close());
      let tick = 0;
      const margins: number[] = [];
      let laterMs = 0;
      server.onTick((info) => {
        tick = info.tick;
      });
      server.on('Input', (player, input, meta) => {
        margins.push(player.inputs.arrived(input.tick, meta.ageMs + laterMs));
        player.inputs.arrived(input.tick); // a copy
      });
      const game = await dial(server, wire, 'p');
      t.ok(game.inputLead() >= 0, 'a guess before anything was sent');
      let last = game.tickToSend();
      let back = 0;
      await until(() => {
        const wanted = game.tickToSend();
        if (wanted < last) back += 1;
        if (wanted !== last) game.send('Input', { tick: wanted });
        last = wanted;
        return margins.length >= 60;
      }, 'inputs');
      t.equal(back, 0);
      t.ok(Math.abs(last - tick) < 50, `sends for ${last}, the server is at ${tick}`);
      t.ok(game.inputLead() >= 0 && game.inputLead() < 1000, `${game.inputLead()} ms`);
      const { inputs } = [...server.players.values()][0];
      t.equal(inputs.count, margins.length, 'copies do not count');
      t.ok(inputs.late <= inputs.count);
      t.ok(margins.every(Number.isFinite));
      laterMs = -400; // as if everything came so much later
      await until(() => {
        const wanted = game.tickToSend();
        if (wanted !== last) game.send('Input', { tick: wanted });
        last = wanted;
        return game.inputLead() > 300;
      }, 'a longer lead');
      await game.close();
    },
  );

  t.test(`${wire}: without ticks there is nothing to lead`, async (t) => {
    const server = await listen<Messages>();
    t.teardown(() => server.close());
    let margin = 0;
    server.on('Input', (player, input) => {
      margin = player.inputs.arrived(input.tick);
    });
    const game = await dial(server, wire, 'p');
    t.ok(Number.isNaN(game.tickToSend()));
    t.ok(Number.isNaN(game.inputLead()));
    game.send('Input', { tick: 3 });
    await until(() => Number.isNaN(margin), 'an input');
    await game.close();
  });
}
