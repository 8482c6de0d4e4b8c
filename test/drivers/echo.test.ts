import t, { type Test } from 'tap';
import type { Peer } from '../teardown/peers.js';
import { DRIVERS, type Setup } from './drivers.js';
import { close, counters, numberOf, openWorld, Sender } from './world.js';

const FLOWS = 40;
const MESSAGES = 10_000;
const WINDOW = 256;

/** Per flow: the number that must come next. */
function expectInOrder(t: Test, peer: Peer, what: string): Map<number, number> {
  const next = new Map<number, number>();
  peer.onPayload = ({ slot }, payload) => {
    const number = numberOf(payload);
    const expected = next.get(slot) ?? 0;
    if (number !== expected) t.equal(number, expected, `${what}, slot ${slot}`) || t.bailout();
    next.set(slot, number + 1);
  };
  return next;
}

async function echo(t: Test, setup: Setup): Promise<void> {
  const world = await openWorld(setup, FLOWS);
  const { server, client } = world;
  const sender = new Sender(world, MESSAGES, WINDOW);
  server.echo = true;
  const atServer = expectInOrder(t, server, 'at the server');
  const atClient = expectInOrder(t, client, 'at the client');
  const take = client.onPayload as NonNullable<Peer['onPayload']>;
  client.onPayload = (flow, payload) => {
    sender.answered++;
    take(flow, payload);
  };
  client.onTurn = () => sender.pump();
  sender.pump();
  client.endpoint.flush();
  await client.until(() => sender.answered === MESSAGES);
  const perFlow = new Map(world.flows.map(({ slot }) => [slot, MESSAGES / FLOWS]));
  t.same(atClient, perFlow, 'every message came back, once and in order');
  t.same([...atServer.values()], [...perFlow.values()], 'and had been there so');
  t.equal(new Set(server.opened.map(({ slot }) => slot)).size, FLOWS, 'slots are distinct');

  const of = counters(server.endpoint);
  const { grease = 0, ...drops } = server.endpoint.drops();
  t.equal(
    Object.values(drops).reduce((sum, count) => sum + count, 0),
    0,
    'nothing was lost',
  );
  t.equal(of('payloads-in'), MESSAGES);
  t.equal(of('payloads-out'), MESSAGES);
  t.equal(of('datagrams-in'), of('payloads-in') + of('consumed') + grease);
  t.equal(of('socket-datagrams-in'), of('datagrams-in'));
  t.equal(of('socket-datagrams-out'), of('datagrams-out'));
  t.equal(of('opened'), FLOWS);
  t.equal(server.endpoint.features().driver, setup.driver);
  t.equal(server.endpoint.features().threads, setup.threads ?? 0);
  close(world);
}

for (const [name, setup] of Object.entries(DRIVERS)) {
  t.test(`${name}: ten thousand messages are echoed exactly once`, (t) => echo(t, setup));
}
