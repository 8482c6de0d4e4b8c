/**
 * Players on WebSocket: JSON text frames over `ws`, admitted by one-time ticket.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { BODY_BYTES_MAX } from '../messages/types.js';
import { AckBatch } from '../session/ack-batch.js';
import {
  CLOSE_ABNORMAL,
  CLOSE_GOING_AWAY,
  CLOSE_POLICY_VIOLATION,
  closeInfoOf,
} from '../session/close-codes.js';
import { JsonPeer, type JsonPeerContext } from '../session/json-peer.js';
import { jsonStats, type StreamFigures } from '../session/json-stats.js';
import { RESUME_FIRST_MESSAGE_MS, SESSION_ACK_DELAY_MS } from '../session/limits.js';
import type { TextSocket } from '../session/peer-context.js';
import type { ConnectionStats } from '../session/types.js';
import { joinHostPort, plainAddress } from './addresses.js';
import { createHello, createSession } from './hello.js';
import type { ListenerHost } from './host.js';
import { type AnyPeer, PlayerEntry, type PlayerLink } from './player-entry.js';
import { Problem } from './problem.js';
import type { TickTimes } from './tick-times.js';
import type { Admitted } from './tickets.js';

/** A frame is a body and its envelope; what is larger closes with 1009. */
const FRAME_BYTES_MAX = BODY_BYTES_MAX + 1024;
/** Both ends look for a dead peer this often; two silent rounds end the connection. */
const PING_INTERVAL_MS = 10_000;
const RETRY_AFTER_CAPACITY_S = 5;
/** How long a closing server waits for its clients' goodbyes; then their sockets are cut. */
const CLOSE_WAIT_MS = 1000;
/** Above this many bytes in the socket, a ping is not answered: the peer does not read. */
const PONG_BACKLOG_BYTES = 64 * 1024;

interface Connection {
  /** The client's address, also where a proxy stands in between. */
  source: string;
  socket: WebSocket;
  stream: Socket;
  /** Bytes that were on the stream before the first frame: the HTTP upgrade. */
  readBefore: number;
  writtenBefore: number;
  framesIn: number;
  framesOut: number;
  isAlive: boolean;
  /** It broke RFC 6455: its end is no accident. */
  isBroken: boolean;
  /** The player of a link that has not said `$resume` yet, as its ticket tells. */
  awaits: string | null;
}

export class WsListener implements PlayerLink {
  readonly wire = 'json-ws' as const;
  readonly #host: ListenerHost;
  readonly #server: WebSocketServer;
  readonly #connections = new Map<JsonPeer<PlayerEntry>, Connection>();
  readonly #context: JsonPeerContext<PlayerEntry>;
  readonly #pings: NodeJS.Timeout;
  #ackTimer: NodeJS.Timeout | null = null;
  #onEmpty: (() => void) | null = null;

  constructor(host: ListenerHost) {
    this.#host = host;
    this.#server = new WebSocketServer({
      noServer: true,
      maxPayload: FRAME_BYTES_MAX,
      perMessageDeflate: false,
      clientTracking: false,
      autoPong: false,
    });
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
      onConfirmed: (peer) => peer.owner.session.handleConfirmed(peer),
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

  /** @throws Problem when the ticket is refused or the server is busy or full */
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer, url: URL, source: string): void {
    const admitted = this.#host.tickets.consume(url.searchParams.get('ticket') ?? '');
    if (admitted === null) throw new Problem(401, 'unauthenticated', 'ticket refused');
    if (!admitted.isResume) {
      this.#host.refuseIfBusy(admitted.playerId);
      if (this.#host.isFull(admitted.playerId)) {
        throw new Problem(503, 'server-full', 'no room for another player', RETRY_AFTER_CAPACITY_S);
      }
    }
    this.#server.handleUpgrade(request, stream, head, (socket) => {
      this.#open(socket, stream as Socket, admitted, source);
    });
  }

  /** Ends the players whose address is blocked. */
  endBlocked(isBlocked: (address: string) => boolean): void {
    for (const [peer, { source }] of [...this.#connections]) {
      if (isBlocked(source)) this.#handleBroken(peer, CLOSE_POLICY_VIOLATION, 'blocked');
    }
  }

  get ticks(): TickTimes | null {
    return this.#host.ticks;
  }

  nowMs(): number {
    return this.#host.nowMs();
  }

  stats(peer: AnyPeer): ConnectionStats {
    const connection = this.#connections.get(peer as JsonPeer<PlayerEntry>);
    return jsonStats(
      peer as JsonPeer<PlayerEntry>,
      connection === undefined ? NO_FIGURES : figuresOf(connection),
    );
  }

  watchDrained(peer: AnyPeer): void {
    (peer as JsonPeer<PlayerEntry>).watchDrained();
  }

  /** Call after every player has been ended. Sockets that do not answer the close are cut. */
  async close(): Promise<void> {
    this.#server.close();
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

  #open(socket: WebSocket, stream: Socket, admitted: Admitted, source: string): void {
    const connection: Connection = {
      source,
      socket,
      stream,
      readBefore: stream.bytesRead,
      writtenBefore: stream.bytesWritten,
      framesIn: 0,
      framesOut: 0,
      isAlive: true,
      isBroken: false,
      awaits: admitted.isResume ? admitted.playerId : null,
    };
    const onWritten = () => peer.handleSocketDrained();
    const peer: JsonPeer<PlayerEntry> = new JsonPeer(
      this.#context,
      null as never, // until a player is there, below or with `$resume`
      textSocketOf(connection, onWritten),
      admitted.isResume ? 'awaits-resume' : 'linked',
    );
    this.#connections.set(peer, connection);
    this.#listen(peer, connection);
    if (admitted.isResume) this.#awaitResume(peer, connection);
    else this.#join(peer, addressOf(stream), admitted.playerId);
  }

  #listen(peer: JsonPeer<PlayerEntry>, connection: Connection): void {
    const { socket } = connection;
    socket.on('message', (data: RawData, isBinary: boolean) => {
      connection.isAlive = true;
      connection.framesIn++;
      if (isBinary) this.#handleBroken(peer, CLOSE_POLICY_VIOLATION, 'text frames only');
      else peer.handleText((data as Buffer).toString('utf8'));
    });
    socket.on('pong', () => {
      connection.isAlive = true;
    });
    socket.on('ping', (data: Buffer) => {
      connection.isAlive = true;
      if (socket.bufferedAmount <= PONG_BACKLOG_BYTES) socket.pong(data);
    });
    // A 'close' event always follows.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      connection.isBroken = error.code?.startsWith('WS_ERR_') ?? false;
    });
    socket.on('close', (code: number, reason: Buffer) => {
      this.#handleClose(peer, connection, code, reason.toString('utf8'));
    });
  }

  #join(peer: JsonPeer<PlayerEntry>, address: string, playerId: string): void {
    const { handleEnd } = this.#host;
    const player = new PlayerEntry(playerId, address, this, true, handleEnd);
    peer.owner = player;
    player.begin(createSession(peer));
    peer.sendControl('$hello', createHello(player, this.#host));
    this.#host.admit(player);
  }

  /** The socket of a ticket for resuming: it says nothing before its client's `$resume`. */
  #awaitResume(peer: JsonPeer<PlayerEntry>, connection: Connection): void {
    setTimeout(() => {
      if (connection.awaits !== null) peer.close(CLOSE_POLICY_VIOLATION, 'no $resume');
    }, RESUME_FIRST_MESSAGE_MS).unref();
  }

  #handleResume(peer: JsonPeer<PlayerEntry>, payload: unknown): void {
    const connection = this.#connections.get(peer);
    if (connection === undefined || connection.awaits === null) return;
    const playerId = connection.awaits;
    connection.awaits = null;
    const clock = () => ({ serverTimeMs: this.#host.nowMs() });
    const address = addressOf(connection.stream);
    this.#host.resume(peer, { playerId, address, link: this, clock }, payload);
  }

  #handleBroken(peer: JsonPeer<PlayerEntry>, code: number, reason: string): void {
    const player: PlayerEntry | null = peer.owner;
    if (player !== null && player.peer === peer) player.end(code, reason);
    else peer.close(code, reason);
  }

  #handleClose(
    peer: JsonPeer<PlayerEntry>,
    connection: Connection,
    code: number,
    reason: string,
  ): void {
    connection.awaits = null;
    const player: PlayerEntry | null = peer.owner;
    peer.handleGone();
    if (player !== null) {
      const isGoodbye = code !== CLOSE_ABNORMAL || connection.isBroken;
      this.#host.handleLinkDown(player, peer, closeInfoOf(code, reason), isGoodbye);
    }
    this.#connections.delete(peer);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  #armAcks(): void {
    this.#ackTimer = setTimeout(() => this.#context.acks.flush(), SESSION_ACK_DELAY_MS);
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

function figuresOf(connection: Connection): StreamFigures {
  const { stream, readBefore, writtenBefore, framesIn, framesOut } = connection;
  return {
    bytesIn: stream.bytesRead - readBefore,
    bytesOut: stream.bytesWritten - writtenBefore,
    framesIn,
    framesOut,
  };
}

function addressOf(stream: Socket): string {
  return joinHostPort(plainAddress(stream.remoteAddress ?? ''), stream.remotePort ?? 0);
}

/** `onWritten`: the kernel took a frame. The stream's 'drain' comes only above its own mark. */
function textSocketOf(connection: Connection, onWritten: () => void): TextSocket {
  const { socket } = connection;
  return {
    send(text) {
      connection.framesOut++;
      socket.send(text, onWritten);
    },
    close(code, reason) {
      socket.close(code, reason);
    },
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
  };
}
