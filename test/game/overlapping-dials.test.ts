/**
 * One player dials again before its dial before is through. The server orders them: whom it let in last
 * has the place, and every other one is told so, whatever it had come to, and does not come again.
 */
import t, { type Test } from 'tap';
import {
  Client,
  type GameConnection,
  GameDialError,
  WithHighPerformanceTransport,
} from '../../src/sdk/index.js';
import type { GameServer } from '../../src/server/index.js';
import { UdpRelay } from '../support/relays.js';
import { askTicket, openWebSocket } from './raw-support.js';
import { dial, listen, until } from './support.js';

type Outcome = PromiseSettledResult<GameConnection<Record<string, unknown>>>;

const FALLBACKS = ['json', 'error'] as const;
/** More than a dial takes, both directions together: the last holds begin when it is through. */
const DATAGRAMS = 16;
const NETCODE_RESPONSE = 3;
/** Nothing here may end because the machine is busy. */
const HANDSHAKE_MS = 20_000;

class Player {
  /** The `transport.fallback` events of all dials. */
  readonly fallbacks: object[] = [];
  readonly #server: GameServer;
  readonly #client: Client;

  constructor(server: GameServer, fallback: (typeof FALLBACKS)[number]) {
    this.#server = server;
    const logger = { info() {}, warn: (fields: object) => this.fallbacks.push(fields) };
    const options = { apiKey: 'test', baseUrl: 'http://127.0.0.1:1', logger };
    this.#client = new Client(
      options,
      WithHighPerformanceTransport({ fallback, handshakeTimeoutMs: HANDSHAKE_MS }),
    );
  }

  dial(sessionToken: string | (() => Promise<string>) = 'anna') {
    const { host, port } = this.#server.http;
    return this.#client.dialGame(`http://${host}:${port}`, { sessionToken });
  }
}

/** A dial over UDP that waits in a relay, begun and not through. */
class HeldDial {
  readonly server: GameServer;
  readonly relay: UdpRelay;
  readonly player: Player;
  readonly older: Promise<GameConnection<Record<string, unknown>>>;
  /** Its address was proven to the server before it was held. */
  isIn = false;
  readonly #whenHeld: Promise<void>;

  private constructor(server: GameServer, relay: UdpRelay, player: Player, passed: number) {
    this.server = server;
    this.relay = relay;
    this.player = player;
    let count = 0;
    relay.onDatagram = (datagram, isToServer) => {
      const isResponse = isToServer && (datagram[0] & 15) === NETCODE_RESPONSE;
      if (isResponse && count < passed) this.isIn = true;
      count++;
    };
    this.#whenHeld = relay.holdAfter(passed);
    this.older = player.dial();
    this.older.catch(() => {});
  }

  /** @param passed datagrams of both directions, until the rest is held */
  static async begin(fallback: (typeof FALLBACKS)[number], passed: number): Promise<HeldDial> {
    const relay = await UdpRelay.open();
    const server = await listen({ udp: { advertise: [relay.address] } });
    relay.serverPort = server.udp?.port ?? 0;
    const held = new HeldDial(server, relay, new Player(server, fallback), passed);
    await held.#whenHeld;
    return held;
  }

  async end(t: Test): Promise<void> {
    t.same(this.player.fallbacks, []);
    await this.server.close();
    this.relay.close();
  }
}

/** Waits for the end of all but one, which then is answered over UDP; returns its number. */
async function oneRemains(t: Test, server: GameServer, outcomes: Outcome[]): Promise<number> {
  const games = outcomes.map((end) => (end.status === 'fulfilled' ? end.value : null));
  for (const end of outcomes) {
    if (end.status === 'rejected') t.match(end.reason, { code: 'replaced' });
    if (end.status === 'rejected') t.type(end.reason, GameDialError);
  }
  await until(() => games.filter((game) => game?.state === 'open').length <= 1, 'the others');
  const winner = games.findIndex((game) => game?.state === 'open');
  for (const [number, game] of games.entries()) {
    if (number !== winner && game !== null) t.match(await game.closed, { code: 1000, reason: '' });
  }
  const game = games[winner] as GameConnection<Record<string, unknown>>;
  server.on('ping', (player) => player.send('pong', null));
  game.send('ping', null);
  t.equal((await game.readMessage()).type, 'pong');
  t.equal(server.players.size, 1);
  t.equal(server.players.get('anna')?.wire, 'udp');
  return winner;
}

for (const fallback of FALLBACKS) {
  t.test(`fallback ${fallback}: of two dials at once one remains`, async (t) => {
    for (let round = 0; round < 5; round++) {
      const server = await listen();
      const player = new Player(server, fallback);
      const outcomes = await Promise.allSettled([player.dial(), player.dial()]);
      await oneRemains(t, server, outcomes);
      t.same(player.fallbacks, []);
      await server.close();
    }
  });

  t.test(`fallback ${fallback}: of five dials at once one remains`, async (t) => {
    const server = await listen();
    const player = new Player(server, fallback);
    const isFirstIn = new Promise<string>((resolve) => server.onJoin(() => resolve('anna')));
    const dials = [player.dial(), player.dial(), player.dial(), player.dial()];
    dials.push(player.dial(() => isFirstIn)); // four unused tickets are the most of a player
    await oneRemains(t, server, await Promise.allSettled(dials));
    t.same(player.fallbacks, []);
    await server.close();
  });

  t.test(`fallback ${fallback}: a dial in every phase of another one`, async (t) => {
    for (let passed = 0; passed < DATAGRAMS; passed++) {
      const held = await HeldDial.begin(fallback, passed);
      const newer = held.player.dial();
      await newer;
      held.relay.release();
      const outcomes = await Promise.allSettled([held.older, newer]);
      const winner = await oneRemains(t, held.server, outcomes);
      t.equal(winner, held.isIn ? 1 : 0, `held after ${passed} datagrams`);
      await held.end(t);
    }
  });
}

t.test('a WebSocket that is let in while a UDP dial is under way is the newer one', async (t) => {
  for (let passed = 0; passed < DATAGRAMS; passed++) {
    const held = await HeldDial.begin('json', passed);
    const newer = await dial(held.server, 'json-ws', 'anna');
    held.relay.release();
    const [end] = await Promise.allSettled([held.older]);
    if (!held.isIn) {
      t.equal(end.status, 'fulfilled', 'its address was proven last');
      t.match(await newer.closed, { code: 1000, reason: '' });
    } else {
      if (end.status === 'rejected') t.match(end.reason, { code: 'replaced' });
      else t.match(await end.value.closed, { code: 1000, reason: '' });
      t.equal(newer.state, 'open');
    }
    t.equal(held.server.players.get('anna')?.wire, held.isIn ? 'json-ws' : 'udp');
    await held.end(t);
  }
});

t.test('a dial that falls back does not pass one that came after it', async (t) => {
  const server = await listen();
  const { body: older } = await askTicket(server, 'anna');
  const newer = await dial(server, 'udp', 'anna');
  t.equal(await openWebSocket(server, older.ticket).ended, '1000 ');
  t.equal(newer.state, 'open');
  t.equal(server.players.get('anna')?.wire, 'udp');
  await server.close();
});
