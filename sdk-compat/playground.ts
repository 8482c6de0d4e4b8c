/**
 * The game server that the programs talk to: one set of handlers for both wires. It does what a
 * program asks for, and keeps a diary of what it saw of each player.
 */
import {
  GameServer,
  type GameServerOptions,
  type Player,
  type SendOptions,
} from '../src/server/index.js';
import { type Messages, registry, TYPES } from './messages.js';

/** What the server counted and reported. */
export interface Served {
  messagesIn: { udp: number; 'json-ws': number };
  joins: number;
  errors: string[];
}

export interface Playground {
  /** 0 without UDP. */
  readonly udpPort: number;
  readonly address: string;
  close(): Promise<Served>;
}

export interface Burst {
  type: keyof Messages & string;
  values: unknown[];
  options?: SendOptions;
}

interface Said {
  type: string;
  value: unknown;
  options: SendOptions | undefined;
}

const SNAPSHOT_MS = 5;
const BOOMERANG = {
  netId: 1,
  ownerNetId: 2,
  state: 3,
  x: 0.1,
  y: -0.1,
  vx: 1,
  vy: 2,
  distance: 3,
  charge: 0.5,
};

/** @param where `null`: loopback; else an address of a private namespace, as closed as loopback */
export async function openPlayground(
  where: string | null,
  options: GameServerOptions<Messages> = {},
): Promise<Playground> {
  const server = await GameServer.listen<Messages>({
    registry,
    logLevel: 'silent',
    ticketsPerSecondPerAddress: 1000,
    ...(where === null
      ? { dev: true }
      : {
          host: where,
          trustProxy: true,
          verifySession: (token) => (token === '' ? null : { playerId: token }),
        }),
    ...options,
  });
  const game = new Game(server);
  const { host, port } = server.http;
  return {
    address: `http://${host}:${port}`,
    udpPort: server.udp?.port ?? 0,
    async close() {
      game.end();
      const stats = server.stats();
      await server.close();
      return {
        messagesIn: { udp: stats.udp.messagesIn, 'json-ws': stats['json-ws'].messagesIn },
        joins: game.joins,
        errors: game.errors,
      };
    },
  };
}

/** A diary is one message: of a long text its length is kept, and whether it is all one character. */
function shortened(value: unknown): unknown {
  const { padding } = (value ?? {}) as { padding?: unknown };
  if (typeof padding !== 'string') return value;
  const isWhole = padding === padding.charAt(0).repeat(padding.length);
  return { ...(value as object), padding: [padding.length, isWhole] };
}

class Game {
  readonly errors: string[] = [];
  joins = 0;
  readonly #server: GameServer<Messages>;
  readonly #outboxes = new WeakMap<Player<Messages>, Said[]>();
  readonly #diaries = new Map<string, unknown[]>();
  readonly #readers: { reader: Player<Messages>; of: string }[] = [];
  readonly #receipts = new Map<string, unknown[]>();
  readonly #timers = new Map<Player<Messages>, NodeJS.Timeout>();

  constructor(server: GameServer<Messages>) {
    this.#server = server;
    server.onError((error, where) => this.errors.push(`${where}: ${(error as Error).message}`));
    server.onJoin((player) => {
      this.joins++;
      this.#write(player.id, 'joined');
    });
    server.onLeave((player, { code, reason, wasClean }) => {
      clearInterval(this.#timers.get(player));
      this.#write(player.id, 'left', code, reason, wasClean);
      this.#tellReaders();
    });
    server.onReceipt((player, receipt, what) => {
      this.#receipts.get(player.id)?.push([receipt, what]);
    });
    for (const type of Object.keys(TYPES)) {
      server.on(type, (player, value) => this.#say(player, type, value));
    }
    this.#answerRequests();
  }

  end(): void {
    for (const timer of this.#timers.values()) clearInterval(timer);
  }

  #answerRequests(): void {
    const server = this.#server;
    server.on('echo', (player, value) => this.#say(player, 'echo', value));
    server.on('note', (player, value) => this.#write(player.id, 'note', shortened(value)));
    server.on('burst', (player, burst) => this.#burst(player, burst as Burst));
    server.on('diary of', (reader, of) => {
      this.#readers.push({ reader, of: of as string });
      this.#tellReaders();
    });
    server.on('close me', (player, how) => {
      const { code, reason } = how as { code?: number; reason?: string };
      player.close(code, reason);
    });
    server.on('close all', (_player, how) => {
      const { code, reason } = how as { code?: number; reason?: string };
      void server.close(code, reason);
    });
    server.on('fail', () => {
      throw new Error('as asked');
    });
    server.on('enter', (player, room) => {
      server.room(room as string).join(player);
      this.#say(player, 'entered', room);
    });
    server.on('exit', (player, room) => {
      server.room(room as string).leave(player);
      this.#say(player, 'exited', room);
    });
    server.on('shout', (player, shout) => {
      const { room, text } = shout as { room?: string; text: string };
      const to = room === undefined ? server : server.room(room);
      const heard = to.broadcast('shout', { from: player.id, text });
      this.#say(player, 'heard by', heard);
    });
    server.on('receipts', (player, bursts) => void this.#report(player, bursts as Burst[]));
    server.on('snapshots', (player, padding) => this.#stream(player, padding as number));
    server.on('busy', (_player, busy) => {
      server.setAdmission({ busy: busy as boolean, retryAfterS: 0 });
    });
  }

  /** In order, however slow the player is; `full` means that nothing was taken. */
  #say(player: Player<Messages>, type: string, value: unknown, options?: SendOptions): void {
    const outbox = this.#outboxes.get(player) ?? [];
    this.#outboxes.set(player, outbox);
    outbox.push({ type, value, options });
    if (outbox.length === 1) void this.#flush(player, outbox);
  }

  async #flush(player: Player<Messages>, outbox: Said[]): Promise<void> {
    while (outbox.length > 0 && !player.hasLeft) {
      const { type, value, options } = outbox[0];
      if (player.send(type, value, options) === 'full') await player.writable();
      else outbox.shift();
    }
    outbox.length = 0;
  }

  #burst(player: Player<Messages>, { type, values, options }: Burst): void {
    for (const value of values) this.#say(player, type, value, options);
  }

  async #report(player: Player<Messages>, bursts: Burst[]): Promise<void> {
    const receipts: unknown[] = [];
    this.#receipts.set(player.id, receipts);
    for (const burst of bursts) this.#burst(player, burst);
    await player.drained();
    this.#say(player, 'receipts', receipts);
  }

  /** A snapshot every few milliseconds, whether the player keeps up or not; a second call ends it. */
  #stream(player: Player<Messages>, copies: number): void {
    const running = this.#timers.get(player);
    if (running !== undefined) {
      clearInterval(running);
      return;
    }
    let tick = 0;
    const boomerangs = Array.from({ length: copies }, () => BOOMERANG);
    const timer = setInterval(() => {
      const value = TYPES.Snapshot.normalize({ tick: ++tick, boomerangs }, false);
      player.send('Snapshot', value);
      if (tick % 20 === 0) this.#say(player, 'tick is', tick);
    }, SNAPSHOT_MS);
    this.#timers.set(player, timer);
  }

  #write(playerId: string, ...what: unknown[]): void {
    const diary = this.#diaries.get(playerId) ?? [];
    this.#diaries.set(playerId, diary);
    diary.push(what);
  }

  /** Who asks for the diary of a player gets it once that player has left. */
  #tellReaders(): void {
    for (const entry of [...this.#readers]) {
      if (this.#server.players.has(entry.of)) continue;
      this.#readers.splice(this.#readers.indexOf(entry), 1);
      this.#say(entry.reader, 'diary', this.#diaries.get(entry.of) ?? []);
      this.#diaries.delete(entry.of);
    }
  }
}
