/**
 * What the types of the game API promise, checked by `tsc` alone: nothing here runs. Where typing is
 * lost, to `any` or to `unknown`, a line stops compiling or an expected error does not come.
 */
import {
  Input,
  type InputView,
  Snapshot,
  type SnapshotValue,
} from '../../src/messages/generated/index.js';
import { createRegistry, type MessagesOf } from '../../src/messages/index.js';
import type { Client, SendResult } from '../../src/sdk/index.js';
import { GameServer, type Player } from '../../src/server/index.js';

const registry = createRegistry({ Input, Snapshot });
type Registered = MessagesOf<typeof registry>;
type WithChat = Registered & { chat: string };
interface ByHand {
  Input: { inputs: never[] };
  chat: string;
}

/** True for equal types only; `any` equals itself alone. */
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_same: Same<A, B>): void {}

export async function clientInfersFromTheRegistry(client: Client, snapshot: SnapshotValue) {
  const game = await client.dialGame('localhost:7777', { registry });
  same<SendResult, ReturnType<typeof game.send>>(true);
  game.send('Snapshot', snapshot, { key: 1 });
  // @ts-expect-error a name that the registry does not know
  game.send('Snapshott', snapshot);
  // @ts-expect-error the value of another type
  game.send('Input', snapshot);
  // @ts-expect-error an option that does not exist
  game.send('Snapshot', snapshot, { expires: 1 });
  game.on('Snapshot', (value, meta) => {
    same<typeof value, SnapshotValue>(true);
    same<typeof meta.channel, number>(true);
    // @ts-expect-error no such field
    value.tock;
  });
  game.onView('Snapshot', (view) => {
    same<typeof view.tick, number>(true);
    same<number, typeof view.playersLength>(true);
    // @ts-expect-error views have lengths and accessors, no arrays
    view.players.length = 0;
    // @ts-expect-error views are read only
    view.tick = 1;
  });
  game.onView('Input', (view: InputView) => view.inputsLength);
  game.onView<InputView>('Input', (view) => view.inputsLength);
  // @ts-expect-error the view of another type
  game.onView<InputView>('Snapshot', (view) => view.inputsLength);
  // @ts-expect-error a name that the registry does not know
  game.onView('chat', () => {});
  const message = await game.readMessage();
  // @ts-expect-error not before the type is known
  message.value.tick;
  if (message.type === 'Snapshot') same<typeof message.value, SnapshotValue>(true);
  for await (const { type } of game) same<typeof type, 'Input' | 'Snapshot'>(true);
}

export async function serverInfersFromTheRegistry(snapshot: SnapshotValue) {
  const server = await GameServer.listen({ registry, dev: true });
  server.on('Input', (player, value) => {
    same<number, (typeof value.inputs)[number]['seq']>(true);
    player.send('Snapshot', snapshot);
    // @ts-expect-error the value of another type
    player.send('Snapshot', value);
  });
  server.onView('Input', (player, view) => {
    same<typeof view.inputsLength, number>(true);
    same<typeof player.id, string>(true);
    // @ts-expect-error no such accessor
    view.inputsCount;
  });
  // @ts-expect-error a name that the registry does not know
  server.onView('chat', () => {});
  server.room('match').broadcast('Snapshot', snapshot);
  // @ts-expect-error no value
  server.room('match').broadcast('Snapshot', {});
  // @ts-expect-error a name that the registry does not know
  server.broadcast('chat', 'hello');
  for (const player of server.room('match').players()) player.send('Snapshot', snapshot);
  server.onJoin((player) => {
    // @ts-expect-error a name that the registry does not know
    player.send('chat', 'hello');
  });
}

export async function jsonTypesJoinTheRegistered(client: Client) {
  const server = await GameServer.listen<WithChat>({ registry, dev: true });
  const game = await client.dialGame<WithChat>('localhost:7777', { registry });
  server.on('chat', (_player, text) => same<typeof text, string>(true));
  server.onView('Snapshot', (_player, view) => same<typeof view.tick, number>(true));
  game.onView('Snapshot', (view) => same<typeof view.tick, number>(true));
  game.send('chat', 'hello');
  // @ts-expect-error the value of another type
  game.send('chat', 5);
  // @ts-expect-error not registered: there is no view
  game.onView('chat', () => {});
}

export async function explicitMessagesGoOn(client: Client) {
  const game = await client.dialGame<ByHand>('localhost:7777');
  game.send('chat', 'hello');
  // @ts-expect-error the value of another type
  game.send('chat', 5);
  game.onView<InputView>('Input', (view) => same<typeof view.inputsLength, number>(true));
  const server = await GameServer.listen<ByHand>({ dev: true });
  server.onView<InputView>('Input', (_player, view) => same<typeof view, InputView>(true));
  const other = createRegistry({ Snapshot });
  // @ts-expect-error a registry of other messages
  await client.dialGame<ByHand>('localhost:7777', { registry: other });
  // @ts-expect-error the same name with another value
  await client.dialGame<{ Snapshot: string }>('localhost:7777', { registry: other });
}

export async function nothingKnownIsJson(client: Client, player: Player<Registered>) {
  const game = await client.dialGame('localhost:7777');
  game.send('anything', { at: 'all' });
  game.on('anything', (value) => same<typeof value, unknown>(true));
  same<Parameters<typeof player.send>[0], 'Input' | 'Snapshot'>(true);
}
