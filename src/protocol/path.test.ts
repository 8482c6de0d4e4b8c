import t from 'tap';
import { type End, numbered, VirtualPair } from '../../test/support/virtual-net.js';
import { RATE_START } from '../util/limits.js';
import { MODE_RELIABLE_ORDERED, ProtocolStats } from './protocol.js';

const MESSAGES = 400;
/** Ten packets per round trip, of 100 ms before it is known. */
const START = Math.max(RATE_START, 125_000);

function statsOf(end: End): ProtocolStats {
  const stats = new ProtocolStats();
  end.protocol.stats(0, stats);
  return stats;
}

function sendAll(pair: VirtualPair, from: End, count: number): void {
  for (let i = 0; i < count; i++) {
    pair.sendPatiently(from, 0, MODE_RELIABLE_ORDERED, numbered(i, 900));
  }
}

/** Both ends have measured 40 ms, and the server's window has grown. */
function warm(): VirtualPair {
  const pair = new VirtualPair({ link: { delayUs: 20_000 } });
  pair.connect();
  sendAll(pair, pair.server, MESSAGES);
  pair.run(2_000_000);
  return pair;
}

t.test('another address begins with an unknown round trip and the first rate', async (t) => {
  const pair = warm();
  const { server } = pair;
  const before = statsOf(server);
  t.ok(before.srttUs >= 40_000 && before.rateBytesPerS > START);
  server.protocol.pathChanged(0, pair.nowUs, false);
  const after = statsOf(server);
  t.equal(after.srttUs, 0, 'unmeasured');
  t.equal(after.rateBytesPerS, START);
  sendAll(pair, server, 100);
  pair.run(1_000_000);
  t.ok(statsOf(server).srttUs >= 40_000, 'and is measured again');
  t.equal(pair.client.delivered.length, MESSAGES + 100);
});

t.test('another port of the same address changes neither', async (t) => {
  const pair = warm();
  const before = statsOf(pair.server);
  pair.server.protocol.pathChanged(0, pair.nowUs, true);
  t.same(statsOf(pair.server), before);
  pair.server.protocol.checkInvariants();
});

t.test('acknowledgements of what the old path carried are no round trips of the new', async (t) => {
  const pair = warm();
  const { server } = pair;
  sendAll(pair, server, 20);
  pair.run(10_000); // on the way
  server.protocol.pathChanged(0, pair.nowUs, false);
  pair.link.delayUs = 2_000;
  const acked = () => statsOf(server).inFlightPackets === 0;
  t.ok(pair.runUntil(acked, 1_000_000));
  t.equal(statsOf(server).srttUs, 0, 'all of them were sent before');
  sendAll(pair, server, 20);
  pair.run(1_000_000);
  const { srttUs } = statsOf(server);
  t.ok(srttUs > 0 && srttUs < 20_000, `${srttUs} µs on the new path`);
});

t.test('what the old path lost does not lower the new rate', async (t) => {
  const pair = warm();
  const { server } = pair;
  pair.link.blackholes.push({ fromUs: pair.timeUs, toUs: pair.timeUs + 30_000 });
  sendAll(pair, server, 24);
  pair.run(30_000);
  server.protocol.pathChanged(0, pair.nowUs, false);
  sendAll(pair, server, 40);
  pair.run(2_000_000);
  const stats = statsOf(server);
  t.ok(stats.lost >= 20, `${stats.lost} lost`);
  t.ok(stats.rateBytesPerS >= START);
  t.equal(pair.client.delivered.length, MESSAGES + 64, 'and everything arrived');
});

t.test('a flow that does not speak yet has no path to change', async (t) => {
  const pair = new VirtualPair();
  pair.server.protocol.pathChanged(0, pair.nowUs, false);
  pair.connect();
  t.throws(() => pair.server.protocol.pathChanged(99, pair.nowUs, false), /slot/);
  pair.server.protocol.freeFlow(0);
  pair.server.protocol.pathChanged(0, pair.nowUs, false);
});
