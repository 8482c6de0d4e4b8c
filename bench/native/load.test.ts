/** The load against real servers of every wire, at a size that proves that it works. Nothing about time. */
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { LineProcess } from '../suite/line-process.js';
import type { LoadMark } from '../suite/words.js';
import { buildNative } from './build.js';
import {
  bareDatagrams,
  bareHttp,
  bareWebSocket,
  echoServer,
  matchServer,
  type Opened,
} from './load-servers.js';

const binary = await buildNative({ release: false });

async function start(t: Test, opening: Promise<Opened>, ...args: string[]): Promise<LineProcess> {
  const opened = await opening;
  t.teardown(() => opened.close());
  const load = new LineProcess('load', [binary, 'load', '--sleep', ...opened.args, ...args]);
  t.teardown(() => load.kill());
  t.match(await load.read(), { ready: true });
  return load;
}

/** A stretch has what was sent and came back within it, so it is longer than a round trip. */
const STRETCH_MS = 50;

/** What the load says here beyond what the suite reads. */
interface Mark extends LoadMark {
  snapshots: { received: number; missed: number; late: number };
  bulk: { messages: number; bytes: number };
  storm: { begun: number; completed: number; failed: number };
  wire: { packetsOut: number; bytesOut: number; packetsIn: number; bytesIn: number };
}

/** Marks until a figure of all marks together is reached; then the figures of the pause added. */
async function runUntil(
  load: LineProcess,
  count: number,
  of: (mark: Mark) => number = (mark) => mark.delivered,
) {
  const sum = { offered: 0, delivered: 0, reached: 0, timed: 0 };
  const add = (mark: Mark) => {
    sum.offered += mark.offered;
    sum.delivered += mark.delivered;
    sum.reached += of(mark);
    for (const [, times] of mark.rttNs.buckets) sum.timed += times;
  };
  load.say('run');
  while (sum.reached < count) {
    await pause(STRETCH_MS);
    add(await load.ask<Mark>('mark'));
  }
  const last = await load.ask<Mark>('pause');
  add(last);
  return { ...last, ...sum };
}

const wires = {
  'udp-rl1': () => echoServer(),
  'json-ws to a GameServer': () => echoServer({ ws: true }),
  'json-ws': bareWebSocket,
  'json-http': bareHttp,
  'json-dgram': bareDatagrams,
};

for (const [name, open] of Object.entries(wires)) {
  t.test(`${name}: closed loop, eight together, every echo once and as it was sent`, async (t) => {
    const load = await start(t, open(), '--flows', '12', '--window', '8', '--batch', '8');
    t.match(await load.ask('connect'), { closed: 0 });
    const told = await runUntil(load, 2_000);
    t.match(told, { strange: 0, duplicated: 0, open: 12, closed: 0 });
    t.ok(told.delivered <= told.offered);
    t.ok(told.wire.packetsOut > 0 && told.wire.bytesIn > told.delivered * 100);
    // The same flows go on after a rest.
    t.match(await runUntil(load, 100), { strange: 0, duplicated: 0, open: 12 });
  });

  t.test(`${name}: paced, all of it comes back`, async (t) => {
    const load = await start(t, open(), '--flows', '20', '--hz', '50');
    await load.ask('connect');
    const told = await runUntil(load, 300);
    t.match(told, { strange: 0, duplicated: 0, open: 20 });
    t.equal(told.timed, told.delivered, 'each is timed');
  });
}

for (const ws of [false, true]) {
  const wire = ws ? 'json-ws' : 'udp-rl1';
  t.test(`${wire}: a storm of connections, each with an echo and a goodbye`, async (t) => {
    const args = ['--flows', '50', '--storm', '200'];
    const load = await start(t, echoServer({ ws }), ...args);
    const told = await runUntil(load, 100);
    t.match(told, { strange: 0, open: 0, storm: { failed: 0 } });
    t.equal(told.storm.completed, told.storm.begun, 'nobody is left behind');
  });

  t.test(`${wire}: a game sends inputs, and checks what it is told`, async (t) => {
    const load = await start(t, matchServer({ ws }), '--game', '--flows', '8', '--hz', '60');
    t.match(await load.ask('connect'), { connected: 8 });
    const told = await runUntil(load, 200, ({ snapshots }) => snapshots.received);
    t.ok(told.delivered > 0, 'inputs are acknowledged');
    t.match(told, { strange: 0, open: 8, snapshots: { late: 0 } });
  });

  t.test(`${wire}: what is large arrives whole, beside a game`, async (t) => {
    const load = await start(t, matchServer({ ws }), '--game', '--flows', '2', '--hz', '30');
    await load.ask('connect');
    const told = await runUntil(load, 500_000, ({ bulk }) => bulk.bytes);
    t.match(told, { strange: 0, open: 2, snapshots: { late: 0 } });
  });

  t.test(`${wire}: who stops reading is not waited for`, async (t) => {
    const load = await start(t, echoServer({ ws }), '--flows', '6', '--stall', '2', '--hz', '50');
    await load.ask('connect');
    const told = await runUntil(load, 200);
    t.match(told, { strange: 0, open: 6 });
    t.ok(told.offered > 0 && told.delivered <= told.offered);
  });
}

t.test('udp-rl1: tokens made under the server’s key need no ticket', async (t) => {
  const key = '42'.repeat(32);
  const opening = echoServer({ udp: { privateKey: key } }).then((opened) => {
    const at = opened.args.indexOf('--tickets');
    opened.args.splice(at, 2, '--key', key);
    return opened;
  });
  const load = await start(t, opening, '--flows', '10');
  t.match(await load.ask('connect'), { connected: 10 });
  t.match(await runUntil(load, 100), { strange: 0, open: 10 });
});
