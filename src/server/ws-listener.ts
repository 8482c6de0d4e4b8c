/**
 * Players on WebSocket: JSON text frames, admitted by one-time ticket. Which library carries the
 * sockets is the front's matter.
 */
import { AckBatch } from '../session/ack-batch.js';
import {
  CLOSE_ABNORMAL,
  CLOSE_GOING_AWAY,
  CLOSE_NORMAL,
  CLOSE_POLICY_VIOLATION,
  closeInfoOf,
} from '../session/close-codes.js';
import type { LinkStats } from '../session/connection-stats.js';
import { JsonPeer, type JsonPeerContext } from '../session/json-peer.js';
import { jsonStats, type StreamFigures } from '../session/json-stats.js';
import { RESUME_FIRST_MESSAGE_MS, SESSION_ACK_ROUND_MS } from '../session/limits.js';
import type { CloseInfo } from '../session/types.js';
import { createHello, createSession } from './hello.js';
import type { ListenerHost } from './host.js';
import type { Entrance } from './http-face.js';
import { type AnyPeer, PlayerEntry, type PlayerLink } from './player-entry.js';
import { Problem } from './problem.js';
import type { ServerSocket } from './server-socket.js';
import type { TickTimes } from './tick-times.js';
import type { Admitted } from './tickets.js';

/** Both ends look for a dead peer this often; two silent rounds end the connection. */
const PING_INTERVAL_MS = 10_000;
/** How long a closing server waits for its clients' goodbyes; then their sockets are cut. */
const CLOSE_WAIT_MS = 1000;

interface Connection {
  /** The client's address, also where a proxy stands in between. */
  source: string;
  socket: ServerSocket;
  /** Something came since the last ping. */
  isAlive: boolean;
  /** The ticket of a link that has not said `$resume` yet. */
  awaits: Admitted | null;
  /** Runs while it awaits that. */
  patience: NodeJS.Timeout | undefined;
}

export class WsListener implements PlayerLink {
  readonly wire = 'json-ws' as const;
  readonly #host: ListenerHost;
  readonly #connections = new Map<JsonPeer<PlayerEntry>, Connection>();
  readonly #context: JsonPeerContext<PlayerEntry>;
  readonly #pings: NodeJS.Timeout;
  #ackTimer: NodeJS.Timeout | null = null;
  #onEmpty: (() => void) | null = null;

  constructor(host: ListenerHost) {
    this.#host = host;
    this.#context = {
      registry: host.registry,
      dispatcher: host.dispatcher,
      drops: host.drops,
      acks: new AckBatch(() => this.#armAcks()),
      onUnhandled: null,
      onBroken: (peer, code, reason) => this.#handleBroken(peer, code, reason),
      onHello: null,
      onLead: null,
      onResumed: null,
      onResume: (peer, payload) => this.#handleResume(peer, payload),
      onConfirmed: (peer) => peer.owner.serverSession.handleConfirmed(peer),
      onReceipt: (peer, receipt, outcome) => host.handleReceipt(peer.owner, receipt, outcome),
      onDrained: (peer) => peer.owner?.handleDrained(peer),
      onClosed: null,
      nowMs: () => host.nowMs(),
      onClockSample: null,
      serverTimeMs: () => host.nowMs(),
    };
    this.#pings = setInterval(() => this.#pingAll(), PING_INTERVAL_MS);
    this.#pings.unref();
  }

  /** Uses a ticket up. @throws Problem when it is refused or the server is busy or full */
  admit(ticket: string): Admitted {
    const admitted = this.#host.tickets.consume(ticket);
    if (admitted === null) throw new Problem(401, 'unauthenticated', 'ticket refused');
    const refusal = admitted.isResume ? null : this.#host.refusal(admitted.session.playerId);
    if (refusal !== null) throw refusal;
    return admitted;
  }

  /** Takes the socket of who was admitted, before anything is read from it. */
  open(socket: ServerSocket, { admitted, source }: Entrance): void {
    const awaits = admitted.isResume ? admitted : null;
    const connection: Connection = { source, socket, isAlive: true, awaits, patience: undefined };
    const peer: JsonPeer<PlayerEntry> = new JsonPeer(
      this.#context,
      null as never, // until a player is there, below or with `$resume`
      socket,
      admitted.isResume || admitted.isOvertaken ? 'awaits-resume' : 'linked',
    );
    this.#connections.set(peer, connection);
    this.#listen(peer, connection);
    if (admitted.isResume) this.#awaitResume(peer, connection);
    else if (admitted.isOvertaken) peer.close(CLOSE_NORMAL, '');
    else this.#join(peer, socket.address, admitted);
  }

  /** Ends the players whose address is blocked. */
  endBlocked(isBlocked: (address: string) => boolean): void {
    for (const [peer, { source }] of [...this.#connections]) {
      if (isBlocked(source)) this.#handleBroken(peer, CLOSE_POLICY_VIOLATION, 'blocked');
    }
  }

  /** Ends the player's links that have no session yet. */
  revoke(playerId: string, reason: string): void {
    for (const [peer, { awaits }] of [...this.#connections]) {
      if (awaits?.session.playerId === playerId) peer.close(CLOSE_POLICY_VIOLATION, reason);
    }
  }

  get ticks(): TickTimes | null {
    return this.#host.ticks;
  }

  nowMs(): number {
    return this.#host.nowMs();
  }

  stats(peer: AnyPeer): LinkStats {
    const connection = this.#connections.get(peer as JsonPeer<PlayerEntry>);
    return jsonStats(
      peer as JsonPeer<PlayerEntry>,
      connection === undefined ? NO_FIGURES : connection.socket.figures,
    );
  }

  watchDrained(peer: AnyPeer): void {
    (peer as JsonPeer<PlayerEntry>).watchDrained();
  }

  /** Call after every player has been ended. Sockets that do not answer the close are cut. */
  async close(): Promise<void> {
    clearInterval(this.#pings);
    if (this.#ackTimer !== null) clearTimeout(this.#ackTimer);
    for (const [peer, { awaits }] of this.#connections) {
      if (awaits !== null) peer.close(CLOSE_GOING_AWAY, '');
    }
    if (this.#connections.size > 0) {
      // Cutting at once would reset the stream, and the goodbye would be lost with it.
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, CLOSE_WAIT_MS);
        this.#onEmpty = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    for (const { socket } of this.#connections.values()) socket.terminate();
    this.#connections.clear();
  }

  #listen(peer: JsonPeer<PlayerEntry>, connection: Connection): void {
    connection.socket.listen({
      handleText: (text) => {
        connection.isAlive = true;
        peer.handleText(text);
      },
      handleBinary: () => this.#handleBroken(peer, CLOSE_POLICY_VIOLATION, 'text frames only'),
      handleAlive: () => {
        connection.isAlive = true;
      },
      handleWritten: () => peer.handleSocketDrained(),
      handleClose: (code, reason, isBroken) => {
        const info = closeInfoOf(code, reason);
        const isGoodbye = info.code !== CLOSE_ABNORMAL || isBroken;
        this.#handleClose(peer, connection, info, isGoodbye);
      },
    });
  }

  #join(peer: JsonPeer<PlayerEntry>, address: string, admitted: Admitted): void {
    const { handleEnd } = this.#host;
    const player = new PlayerEntry(admitted.session, address, this, true, handleEnd);
    peer.owner = player;
    player.begin(createSession(peer));
    peer.sendControl('$hello', createHello(player, this.#host));
    this.#host.admit(player, admitted.verifiedMs);
  }

  /** The socket of a ticket for resuming: it says nothing before its client's `$resume`. */
  #awaitResume(peer: JsonPeer<PlayerEntry>, connection: Connection): void {
    connection.patience = setTimeout(() => {
      if (connection.awaits !== null) peer.close(CLOSE_POLICY_VIOLATION, 'no $resume');
    }, RESUME_FIRST_MESSAGE_MS).unref();
  }

  #handleResume(peer: JsonPeer<PlayerEntry>, payload: unknown): void {
    const connection = this.#connections.get(peer);
    if (connection === undefined || connection.awaits === null) return;
    const admitted = connection.awaits;
    connection.awaits = null;
    clearTimeout(connection.patience);
    const clock = () => ({ serverTimeMs: this.#host.nowMs() });
    const { address } = connection.socket;
    this.#host.resume(peer, { admitted, address, link: this, clock }, payload);
  }

  #handleBroken(peer: JsonPeer<PlayerEntry>, code: number, reason: string): void {
    const player: PlayerEntry | null = peer.owner;
    if (player !== null && player.peer === peer) player.end(code, reason);
    else peer.close(code, reason);
  }

  #handleClose(
    peer: JsonPeer<PlayerEntry>,
    connection: Connection,
    info: CloseInfo,
    isGoodbye: boolean,
  ): void {
    connection.awaits = null;
    clearTimeout(connection.patience);
    const player: PlayerEntry | null = peer.owner;
    peer.handleGone();
    if (player !== null) this.#host.handleLinkDown(player, peer, info, isGoodbye);
    this.#connections.delete(peer);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  #armAcks(): void {
    this.#ackTimer = setTimeout(() => this.#context.acks.flush(), SESSION_ACK_ROUND_MS);
  }

  #pingAll(): void {
    for (const connection of this.#connections.values()) {
      if (!connection.isAlive) {
        connection.socket.terminate();
        continue;
      }
      connection.isAlive = false;
      connection.socket.ping();
    }
  }
}

const NO_FIGURES: StreamFigures = { bytesIn: 0, bytesOut: 0, framesIn: 0, framesOut: 0 };
