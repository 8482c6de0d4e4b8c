import t, { type Test } from 'tap';
import { TX_DISCONNECT } from '../../src/addon/layout.js';
import { counterOf, type Flow, openClient } from '../teardown/peers.js';
import { DRIVERS, type Setup } from './drivers.js';
import { close, connect, numbered, openWorld } from './world.js';

const FLOWS = 12;

async function comeAndGo(t: Test, setup: Setup): Promise<void> {
  const world = await openWorld(setup, FLOWS);
  const { server, client, flows } = world;
  const stats = new Float64Array(32);
  for (const { slot, generation } of server.opened) {
    t.ok(server.endpoint.flowStats(slot, generation, stats), 'the flow is found by its slot');
    t.match(server.endpoint.flowAddress(slot, generation), /^127\.8\.0\.\d+:\d+$/);
  }
  // Half of the clients leave, with a last word.
  for (const flow of flows.slice(0, FLOWS / 2)) {
    client.send(flow, numbered(1));
    disconnect(client.endpoint, flow);
  }
  client.endpoint.flush();
  await server.until(() => server.closed.length === FLOWS / 2);
  t.equal(server.payloads.length, FLOWS / 2, 'what was said before the end came before it');
  for (const { reason } of server.closed) t.equal(reason, 1);
  const gone = new Set(server.closed.map(({ slot }) => slot));
  for (const { slot, generation } of server.opened) {
    const isGone = gone.has(slot);
    t.equal(server.endpoint.flowAddress(slot, generation) === null, isGone);
  }
  // The others go on, and new ones take the free slots under other generations.
  const before = new Map(server.opened.map(({ slot, generation }) => [slot, generation]));
  for (let id = 0; id < FLOWS / 2; id++) connect(world, 100 + id);
  await server.until(() => server.opened.length === FLOWS + FLOWS / 2);
  for (const { slot, generation } of server.opened.slice(FLOWS)) {
    t.not(before.get(slot), generation, 'a slot is never the same flow twice');
  }
  for (const flow of flows.slice(FLOWS / 2)) client.send(flow, numbered(2));
  client.endpoint.flush();
  await server.until(() => server.payloads.length === FLOWS);
  close(world);
}

function disconnect(endpoint: Parameters<typeof counterOf>[0], flow: Flow): void {
  endpoint.txReserve(0, flow.slot);
  endpoint.txCommit(TX_DISCONNECT, flow.slot, flow.generation, 0);
}

async function replace(t: Test, setup: Setup): Promise<void> {
  const world = await openWorld(setup, FLOWS);
  const { server } = world;
  const second = openClient({ host: '0.0.0.0', maxFlows: FLOWS });
  // From other addresses: with threads, some of these flows live on another one than the first.
  const again = { ...world, client: second };
  for (let id = 0; id < FLOWS; id++) connect(again, id);
  await second.until(() => second.opened.length === FLOWS);
  await server.until(() => server.replaced.length === FLOWS);
  t.equal(server.opened.length, FLOWS * 2);
  const names = ({ slot, generation }: Flow) => `${slot}/${generation}`;
  t.same(
    new Set(server.replaced.map(names)),
    new Set(server.opened.slice(0, FLOWS).map(names)),
    'the older flows were replaced',
  );
  // As the runtime does: the replaced flow is disconnected.
  for (const flow of server.replaced) disconnect(server.endpoint, flow);
  server.endpoint.flush();
  await world.client.until(() => world.client.closed.length === FLOWS);
  t.equal(second.closed.length, 0);
  second.endpoint.close();
  close(world);
}

async function stale(t: Test, setup: Setup): Promise<void> {
  const world = await openWorld(setup, FLOWS);
  const { server, client } = world;
  for (const { slot, generation } of server.opened) {
    server.send({ slot, generation: generation + 1 }, numbered(1));
  }
  for (const flow of server.opened) server.send(flow, numbered(2));
  server.endpoint.flush();
  await client.until(() => client.payloads.length === FLOWS);
  t.same(new Set(client.payloads.map((payload) => payload[0])), new Set([2]));
  t.equal(counterOf(server.endpoint, 'tx-stale-generation'), FLOWS);
  t.equal(server.endpoint.drops()['tx-stale-generation'], FLOWS);
  close(world);
}

for (const [name, setup] of Object.entries(DRIVERS)) {
  t.test(`${name}: flows come and go, and their slots with them`, (t) => comeAndGo(t, setup));
  t.test(`${name}: a client that comes again replaces itself`, (t) => replace(t, setup));
  t.test(`${name}: stale generations reach nobody and are counted`, (t) => stale(t, setup));
}
