/** T16: a client behind a NAT that takes another port stays on its I/O thread by connection id. */
import t, { type Test } from 'tap';
import { Nat } from '../support/nat.js';
import {
  counterOf,
  type Flow,
  openClient,
  openServer,
  type Peer,
  tokenFor,
} from '../teardown/peers.js';
import { DRIVERS, type Setup } from './drivers.js';
import { numbered } from './world.js';

const PLAYERS = 8;
const REBINDINGS = 3;
/** A client sends one packet per tick of this length, so packets count time. */
const TICK_US = 2_000;
/**
 * Packets from a rebinding to the first answer. Without loss it is the challenge and its answer, both
 * within a tick or two of each end; the rest is for a machine that has other things to do.
 */
const GAP_PACKETS_MAX = 250;

interface Player {
  nat: Nat;
  peer: Peer;
  flow: Flow;
  answers: number;
}

async function join(server: Peer, key: Uint8Array, id: number): Promise<Player> {
  const nat = await Nat.open(server.endpoint.address().port);
  const peer = openClient({ driver: 'tick', tickIntervalUs: TICK_US });
  const flow = peer.endpoint.connect(tokenFor(server, key, BigInt(id), [nat.address]));
  const player = { nat, peer, flow, answers: 0 };
  peer.onPayload = () => player.answers++;
  await peer.until(() => peer.opened.length === 1);
  return player;
}

/** Packets sent until `isDone`, one per tick. */
async function packetsUntil({ peer, flow }: Player, isDone: () => boolean): Promise<number> {
  let sent = 0;
  peer.onTurn = () => {
    if (isDone() || peer.endpoint.ticksDue === 0) return;
    sent++;
    peer.send(flow, numbered(sent));
  };
  await peer.until(isDone);
  peer.onTurn = () => {};
  return sent;
}

async function rebinding(t: Test, setup: Setup): Promise<void> {
  const { server, key } = openServer({ ...setup, maxFlows: 32 });
  server.echo = true;
  const players: Player[] = [];
  for (let id = 0; id < PLAYERS; id++) players.push(await join(server, key, id));
  await server.until(() => server.opened.length === PLAYERS);
  const confirmed = () => counterOf(server.endpoint, 'nx-confirmed') === PLAYERS;
  for (const player of players) {
    await packetsUntil(player, () => player.answers > 0);
    t.ok(player.answers > 0, 'the flow works');
  }
  await Promise.all(players.map((player) => packetsUntil(player, confirmed)));
  const threads = Math.max(1, setup.threads ?? 0);
  const used = new Set(server.opened.map(({ slot }) => slot % threads));
  t.comment(`${used.size} of ${threads} threads have players`);
  for (let round = 1; round <= REBINDINGS; round++) {
    const gaps = await Promise.all(
      players.map(async (player) => {
        await player.nat.rebind();
        const before = player.answers;
        return packetsUntil(player, () => player.answers > before);
      }),
    );
    t.ok(Math.max(...gaps) <= GAP_PACKETS_MAX, `gaps of ${gaps.join(', ')} packets`);
    const moved = () => server.migrated.length >= PLAYERS * round;
    await Promise.all(players.map((player) => packetsUntil(player, moved)));
  }
  t.equal(server.opened.length, PLAYERS, 'no flow began anew');
  t.equal(server.closed.length, 0, 'and none ended');
  const seen = server.opened.map(({ slot, generation }) =>
    server.endpoint.flowAddress(slot, generation),
  );
  t.same(new Set(seen), new Set(players.map(({ nat }) => nat.outside)), 'answered where they are');
  t.equal(server.migrated.length, PLAYERS * REBINDINGS);
  t.ok(
    server.migrated.every((aux) => aux === 1),
    'only the port changed',
  );
  for (const { nat, peer } of players) {
    peer.endpoint.close();
    nat.close();
  }
  server.endpoint.close();
}

for (const name of ['immediate', 'tick', 'threads 2', 'threads 4']) {
  t.test(`${name}: a client whose port changes goes on where it was`, (t) =>
    rebinding(t, DRIVERS[name]),
  );
}
