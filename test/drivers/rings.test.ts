import t, { type Test } from 'tap';
import { counterOf } from '../teardown/peers.js';
import { DRIVERS, type Setup } from './drivers.js';
import { close, numbered, numberOf, openWorld } from './world.js';

const FLOWS = 8;

async function slowReader(t: Test, setup: Setup): Promise<void> {
  const rings = { rxCapacity: 16, rxArenaBytes: 16_384 };
  const world = await openWorld({ ...setup, rings }, FLOWS);
  const { server, client, flows } = world;
  const perFlow = 100;
  const got = new Map<number, number[]>();
  server.onPayload = ({ slot }, payload) => {
    const numbers = got.get(slot);
    if (numbers === undefined) got.set(slot, [numberOf(payload)]);
    else numbers.push(numberOf(payload));
  };
  let count = 0;
  server.onTurn = () => {
    count = [...got.values()].reduce((sum, numbers) => sum + numbers.length, 0);
  };
  for (let number = 0; number < perFlow; number++) {
    for (const flow of flows) client.send(flow, numbered(number));
    client.endpoint.flush();
  }
  await server.until(() => count === perFlow * FLOWS);
  const expected = Array.from({ length: perFlow }, (_, number) => number);
  for (const numbers of got.values()) t.same(numbers, expected);
  t.ok(counterOf(server.endpoint, 'rx-ring-full') > 0, 'datagrams waited in the socket');
  t.equal(counterOf(server.endpoint, 'rx-overflow'), 0, 'and none was lost');
  close(world);
}

async function eagerWriter(t: Test, setup: Setup): Promise<void> {
  const rings = { txCapacity: 16, txArenaBytes: 16_384 };
  const world = await openWorld({ ...setup, rings }, FLOWS);
  const { server, client } = world;
  const total = 2_000;
  let sent = 0;
  const sendOne = () =>
    server.send(server.opened[sent % FLOWS], numbered(Math.floor(sent / FLOWS)));
  // Sends whatever has room. When a flush makes none, nothing but the wake for room lets it go on.
  server.onTurn = () => {
    for (; sent < total; sent++) {
      if (sendOne()) continue;
      server.endpoint.flush();
      if (!sendOne()) return;
    }
  };
  server.turn(0);
  await client.until(() => client.payloads.length === total);
  const numbers = client.payloads.map(numberOf).sort((a, b) => a - b);
  t.equal(numbers[0], 0);
  t.equal(numbers[total - 1], total / FLOWS - 1);
  t.equal(counterOf(server.endpoint, 'payloads-out'), total);
  close(world);
}

for (const [name, setup] of Object.entries(DRIVERS)) {
  t.test(`${name}: a full rx ring loses nothing`, (t) => slowReader(t, setup));
  t.test(`${name}: a full tx ring holds nobody up`, (t) => eagerWriter(t, setup));
}
