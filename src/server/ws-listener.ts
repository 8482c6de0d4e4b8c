/**
 * Players on WebSocket: JSON text frames over `ws`, admitted by one-time ticket.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { BODY_BYTES_MAX } from '../messages/types.js';
import { AckBatch } from '../session/ack-batch.js';
import { CLOSE_POLICY_VIOLATION, closeInfoOf } from '../session/close-codes.js';
import {
  JsonPeer,
  type JsonPeerContext,
  jsonStats,
  type StreamFigures,
  type TextSocket,
} from '../session/json-peer.js';
import { SESSION_ACK_DELAY_MS } from '../session/limits.js';
import type { ConnectionStats } from '../session/types.js';
import { joinHostPort, plainAddress } from './addresses.js';
import { createHello } from './hello.js';
import type { ListenerHost } from './host.js';
import { PlayerEntry, type PlayerLink } from './player-entry.js';
import { Problem } from './problem.js';
import type { TickTimes } from './tick-times.js';

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
}

export class WsListener implements PlayerLink {
  readonly wire = 'json-ws' as const;
  readonly #host: ListenerHost;
  readonly #server: WebSocketServer;
  readonly #connections = new Map<PlayerEntry, Connection>();
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
      onBroken: (player, code, reason) => player.end(code, reason),
      onHello: null,
      onLead: null,
      onReceipt: (player, receipt, outcome) => host.handleReceipt(player, receipt, outcome),
      nowMs: () => host.nowMs(),
      onClockSample: null,
      serverTimeMs: () => host.nowMs(),
    };
    this.#pings = setInterval(() => this.#pingAll(), PING_INTERVAL_MS);
    this.#pings.unref();
  }

  /** @throws Problem when the ticket is refused or the server is busy or full */
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer, url: URL, source: string): void {
    const playerId = this.#host.tickets.consume(url.searchParams.get('ticket') ?? '');
    if (playerId === null) throw new Problem(401, 'unauthenticated', 'ticket refused');
    this.#host.refuseIfBusy(playerId);
    if (this.#host.isFull(playerId)) {
      throw new Problem(503, 'server-full', 'no room for another player', RETRY_AFTER_CAPACITY_S);
    }
    this.#server.handleUpgrade(request, stream, head, (socket) => {
      this.#open(socket, stream as Socket, playerId, source);
    });
  }

  /** Ends the players whose address is blocked. */
  endBlocked(isBlocked: (address: string) => boolean): void {
    for (const [player, { source }] of [...this.#connections]) {
      if (isBlocked(source)) player.end(CLOSE_POLICY_VIOLATION, 'blocked');
    }
  }

  get ticks(): TickTimes | null {
    return this.#host.ticks;
  }

  nowMs(): number {
    return this.#host.nowMs();
  }

  stats(player: PlayerEntry): ConnectionStats {
    const connection = this.#connections.get(player);
    return jsonStats(
      player.peer as JsonPeer<PlayerEntry>,
      connection === undefined ? NO_FIGURES : figuresOf(connection),
    );
  }

  watchDrained(player: PlayerEntry, callback: () => void): void {
    (player.peer as JsonPeer<PlayerEntry>).watchDrained(callback);
  }

  /** Call after every player has been ended. Sockets that do not answer the close are cut. */
  async close(): Promise<void> {
    this.#server.close();
    clearInterval(this.#pings);
    if (this.#ackTimer !== null) clearTimeout(this.#ackTimer);
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

  #open(socket: WebSocket, stream: Socket, playerId: string, source: string): void {
    const address = joinHostPort(plainAddress(stream.remoteAddress ?? ''), stream.remotePort ?? 0);
    const connection: Connection = {
      source,
      socket,
      stream,
      readBefore: stream.bytesRead,
      writtenBefore: stream.bytesWritten,
      framesIn: 0,
      framesOut: 0,
      isAlive: true,
    };
    const player = new PlayerEntry(playerId, address, this, (entry, info) => {
      this.#host.release(entry, info);
    });
    const onWritten = () => peer.handleSocketDrained();
    const peer: JsonPeer<PlayerEntry> = new JsonPeer(
      this.#context,
      player,
      textSocketOf(connection, onWritten),
    );
    player.peer = peer;
    this.#connections.set(player, connection);
    socket.on('message', (data: RawData, isBinary: boolean) => {
      connection.isAlive = true;
      connection.framesIn++;
      if (isBinary) player.end(CLOSE_POLICY_VIOLATION, 'text frames only');
      else peer.handleText((data as Buffer).toString('utf8'));
    });
    socket.on('pong', () => {
      connection.isAlive = true;
    });
    socket.on('ping', (data: Buffer) => {
      connection.isAlive = true;
      if (socket.bufferedAmount <= PONG_BACKLOG_BYTES) socket.pong(data);
    });
    socket.on('error', () => {}); // a 'close' event always follows
    socket.on('close', (code: number, reason: Buffer) => {
      this.#handleClose(player, peer, code, reason.toString('utf8'));
    });
    peer.sendControl('$hello', createHello(playerId, this.#host));
    this.#host.admit(player);
  }

  #handleClose(player: PlayerEntry, peer: JsonPeer<PlayerEntry>, code: number, reason: string) {
    this.#host.release(player, closeInfoOf(code, reason));
    peer.handleClosed();
    this.#connections.delete(player);
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
