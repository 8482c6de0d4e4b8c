/** A server behind relays, and a conversation that must survive what they do. */
import { GameEvent, type GameEventValue } from '../../src/messages/generated/index.js';
import { createRegistry } from '../../src/messages/index.js';
import {
  Client,
  type GameConnection,
  type HighPerformanceOptions,
  WithHighPerformanceTransport,
} from '../../src/sdk/index.js';
import type { GameServer, GameServerOptions, Player } from '../../src/server/index.js';
import { TcpRelay, UdpRelay } from '../support/relays.js';
import { listen, until } from './support.js';

export interface Messages {
  GameEvent: GameEventValue;
  [unregistered: string]: unknown;
}

const registry = createRegistry({ GameEvent });

export interface Place {
  server: GameServer<Messages>;
  tcp: TcpRelay;
  udp: UdpRelay;
  /** What the clients logged as warnings. */
  events: { event: string; reason: string; wire: string }[];
  /** Suspensions, resumptions and leaves, in order. */
  history: string[];
  dial(playerId: string, option?: HighPerformanceOptions | null): Promise<GameConnection<Messages>>;
}

interface Teardown {
  teardown(work: () => unknown): void;
}

/** Everything goes through the relays: tickets and WebSocket by TCP, the rest by UDP. */
export async function place(
  t: Teardown,
  options: GameServerOptions<Messages> = {},
): Promise<Place> {
  const tcp = await TcpRelay.open();
  const udp = await UdpRelay.open();
  const advertise = [udp.address];
  const server = await listen<Messages>({ registry, udp: { advertise }, ...options });
  tcp.serverPort = server.http.port;
  udp.serverPort = server.udp?.port ?? 0;
  const connections: GameConnection<Messages>[] = [];
  t.teardown(async () => {
    await server.close();
    await Promise.all(connections.map((connection) => connection.close()));
    await tcp.close();
    udp.close();
  });
  const events: Place['events'] = [];
  const history: string[] = [];
  server.onSuspend((player, { code }) => history.push(`${player.id} suspended ${code}`));
  server.onResume((player) => history.push(`${player.id} resumed on ${player.wire}`));
  server.onLeave((player, { code }) => history.push(`${player.id} left ${code}`));
  const logger = { info() {}, warn: (fields: object) => void events.push(fields as never) };
  return {
    server,
    tcp,
    udp,
    events,
    history,
    async dial(playerId, option = null) {
      const client = new Client(
        { apiKey: 'test', baseUrl: 'http://127.0.0.1:1', logger },
        ...(option === null ? [] : [WithHighPerformanceTransport(option)]),
      );
      const connection = await client.dialGame<Messages>(tcp.address, {
        sessionToken: playerId,
        registry,
      });
      connections.push(connection);
      return connection;
    },
  };
}

/**
 * Counts up in both directions all the time, in JSON and FlatBuffers, on three channels, and compares
 * what comes with what was sent.
 */
export class Conversation {
  readonly wrong: string[] = [];
  readonly sent: Record<string, number> = {};
  readonly came: Record<string, number> = {};
  fulls = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(server: GameServer<Messages>, connection: GameConnection<Messages>) {
    const id = connection.playerId;
    connection.on('text', (value) => this.#receiveText('down', value));
    connection.on('GameEvent', (value) => this.#receiveEvent('down', value));
    server.on('text', (player, value) => {
      if (player.id === id) this.#receiveText('up', value);
    });
    server.on('GameEvent', (player, value) => {
      if (player.id === id) this.#receiveEvent('up', value);
    });
    this.#timer = setInterval(() => {
      if (connection.state === 'open' || connection.state === 'reconnecting') {
        this.#say('up', connection);
      }
      const player = server.players.get(id);
      if (player !== undefined) this.#say('down', player);
    }, 2);
  }

  /** Both directions have got this many messages more. */
  async goOn(messages: number): Promise<void> {
    const goals = ['up text', 'up event', 'down text', 'down event'].map((key) => ({
      key,
      goal: (this.came[key] ?? 0) + messages,
    }));
    await until(() => goals.every(({ key, goal }) => (this.came[key] ?? 0) >= goal), 'some talk');
  }

  /** Stops talking and waits until everything that was accepted has come. */
  async finish(): Promise<void> {
    clearInterval(this.#timer);
    const isComplete = () =>
      Object.entries(this.sent).every(([key, count]) => this.came[key] === count);
    await until(() => isComplete() || this.wrong.length > 0, 'everything to arrive');
  }

  #say(way: string, to: Pick<Player<Messages>, 'send'>): void {
    this.#count(`${way} text`, (n) => to.send('text', { n, text: 'ä€'.repeat(n % 50) }));
    this.#count(`${way} event`, (n) => to.send('GameEvent', eventOf(n)));
  }

  #count(key: string, send: (n: number) => string): void {
    const n = this.sent[key] ?? 0;
    if (send(n) === 'full') this.fulls++;
    else this.sent[key] = n + 1;
  }

  #receiveText(way: string, value: unknown): void {
    const { n, text } = value as { n: number; text: string };
    this.#check(`${way} text`, n, text === 'ä€'.repeat(n % 50));
  }

  #receiveEvent(way: string, value: GameEventValue): void {
    const isSame = JSON.stringify(value) === JSON.stringify(eventOf(value.tick));
    this.#check(`${way} event`, value.tick, isSame);
  }

  #check(key: string, n: number, isSame: boolean): void {
    const due = this.came[key] ?? 0;
    if (n !== due || !isSame) this.wrong.push(`${key} ${n}, due ${due}`);
    this.came[key] = due + 1;
  }
}

function eventOf(tick: number): GameEventValue {
  return GameEvent.normalize({ tick, actor: tick & 0xffff, x: tick / 3, y: -tick }, false);
}
