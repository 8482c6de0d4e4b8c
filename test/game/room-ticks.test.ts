import t from 'tap';
import type { Wire } from '../../src/session/types.js';
import { type Place, place } from './resume-support.js';
import { dial, listen, until, WIRES } from './support.js';

interface Game {
  [type: string]: unknown;
}

t.test('a room ticks on an absolute schedule, measured with the real clock', async (t) => {
  const server = await listen<Game>({ udp: false });
  t.teardown(() => server.close());
  const stepMs = 10;
  const beforeMs = server.nowMs();
  const lateMs: number[] = [];
  let ticks = 0;
  let skipped = 0;
  let last = -1;
  const remove = server.room('arena').onTick(1000 / stepMs, (info) => {
    ticks++;
    skipped += info.skipped;
    last = info.tick;
    t.equal(info.stepMs, stepMs);
    // The schedule began after `beforeMs`: no tick may be before this, however many there were.
    lateMs.push(info.nowMs - beforeMs - (info.tick + 1) * stepMs);
  });
  await until(() => last >= 100, '100 ticks');
  remove();
  t.ok(Math.min(...lateMs) >= 0, 'never early');
  t.equal(ticks + skipped, last + 1, 'each tick ran or is told as skipped');
  lateMs.sort((a, b) => a - b);
  const median = lateMs[lateMs.length >> 1].toFixed(2);
  t.comment(`late: median ${median} ms, longest ${lateMs.at(-1)?.toFixed(2)} ms`);
  const endMs = server.nowMs() - beforeMs;
  t.ok((last + 1) * stepMs <= endMs, 'no tick of the future');
  const count = ticks;
  await new Promise((resolve) => setTimeout(resolve, 5 * stepMs));
  t.equal(ticks, count, 'removed');
});

t.test('what is not a rate or a handler is refused', async (t) => {
  const server = await listen<Game>({ udp: false });
  t.teardown(() => server.close());
  for (const hz of [0, 0.5, 1001, Number.NaN, '60', undefined] as never[]) {
    t.throws(() => server.room('a').onTick(hz, () => {}), {
      code: 'bad-option',
      message: /^ggscale: hz is .*, accepted: a number 1…1000$/,
    });
  }
  t.throws(() => server.room('a').onTick(60, 5 as never), { code: 'bad-option' });
});

/** Joins as `stalled` and hears nothing more: nothing it is sent is read, or acknowledged. */
const STALL: Record<Wire, (at: Place) => Promise<void>> = {
  'json-ws': async (at) => {
    await at.dial('stalled');
    at.tcp.stall('to-client');
  },
  udp: async (at) => {
    await at.dial('stalled', { fallback: 'error' });
    at.udp.silence(at.server.players.get('stalled')?.address ?? '');
  },
};

for (const stalledWire of WIRES) {
  t.test(
    `${stalledWire}: a client that takes nothing stalls neither ticks nor others`,
    async (t) => {
      const at = await place(t);
      const { server } = at;
      await STALL[stalledWire](at);
      const connections = await Promise.all(WIRES.map((wire) => dial(server, wire, wire)));
      await until(() => server.players.size === 3, 'all three');

      const padding = 'x'.repeat(16 * 1024);
      const accepted: Record<string, number[]> = { stalled: [], udp: [], 'json-ws': [] };
      const refused: Record<string, number> = { stalled: 0, udp: 0, 'json-ws': 0 };
      const received: Record<string, number[]> = { udp: [], 'json-ws': [] };
      for (const connection of connections) {
        connection.on('world', (value) => {
          received[connection.wire].push((value as { tick: number }).tick);
        });
      }
      let ticks = 0;
      let next = 0;
      const remove = server.room('arena').onTick(100, ({ tick, skipped }) => {
        ticks++;
        if (tick !== next + skipped) t.fail(`tick ${tick} after ${next - 1}, ${skipped} skipped`);
        next = tick + 1;
        for (const [id, player] of server.players) {
          if (player.send('world', { tick, padding }) === 'full') refused[id]++;
          else accepted[id].push(tick);
        }
      });
      await until(() => refused.stalled > 0, 'the stalled client to be full');
      const from = WIRES.map((wire) => received[wire].length);
      const ticksFrom = ticks;
      await until(
        () => WIRES.every((wire, i) => received[wire].length > from[i] + 50),
        'fifty ticks more for the others',
      );
      remove();
      t.ok(ticks - ticksFrom >= 50, `${ticks - ticksFrom} ticks beside a full client`);
      await Promise.all(connections.map(({ playerId }) => server.players.get(playerId)?.drained()));
      for (const wire of WIRES)
        t.same(received[wire], accepted[wire], `${wire}: whole and in order`);
      const kept = accepted.stalled.length;
      t.ok(kept < accepted.udp.length, `${kept} were accepted for the stalled one, then none`);
      await Promise.all(connections.map((connection) => connection.close()));
    },
  );
}

for (const wire of WIRES) {
  t.test(
    `${wire}: what a room says in its tick arrives without a tick of the server`,
    async (t) => {
      const server = await listen<Game>(wire === 'udp' ? {} : { udp: false });
      t.teardown(() => server.close());
      server.onJoin((player) => server.room('arena').join(player));
      server.room('arena').onTick(50, ({ tick }) => server.room('arena').broadcast('world', tick));
      const connection = await dial<Game>(server, wire, 'anna');
      const first = (await connection.readMessage()).value as number;
      for (let i = 1; i <= 5; i++) {
        const { value } = await connection.readMessage();
        t.ok((value as number) >= first + i);
      }
      await connection.close();
    },
  );
}
