/**
 * The realtime sockets of the fake: one for each player counts, the newer one wins. Frames go from the
 * server to the client only; what comes in is kept and not answered.
 */

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Player } from './accounts.js';
import { type HttpAnswer, plainText } from './answers.js';
import { LIMITS } from './contract.js';

/** One accepted WebSocket, at the server's end. */
export interface FakeSocket {
  readonly playerId: number;
  /** Text frames of the client. The real server reads and ignores them. */
  readonly received: string[];
  /** Answers to pings so far. */
  readonly pongs: number;
  /** Resolves when there have been so many. */
  ponged(count: number): Promise<void>;
  readonly isOpen: boolean;
  /** A close frame came from the client, or the connection ended. */
  readonly closed: Promise<{ code: number; reason: string }>;
  /** One frame `{type, payload?}`. */
  push(type: string, payload?: unknown): void;
  /** A text frame as it is: for frames no server would send. */
  pushText(text: string): void;
  ping(): void;
  close(code?: number, reason?: string): void;
  /** The connection breaks: no close frame. */
  drop(): void;
}

export interface HubOptions {
  now: () => number;
  pingIntervalMs: number;
  socketsPerPlayerMax: number;
  every: (intervalMs: number, run: () => void) => () => void;
  /** Asked at each ping: false ends the socket without a close frame, as a revocation does. */
  isStillGood: (player: Player, epoch: number) => boolean;
}

export class RealtimeHub {
  /** All that were ever accepted, in order. */
  readonly sockets: FakeSocket[] = [];
  /** Of all players together; null: none. Beyond it: 503 with Retry-After. */
  tenantSocketsMax: number | null = null;
  readonly #options: HubOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: LIMITS.frameBytesMax,
    perMessageDeflate: false,
  });
  readonly #winners = new Map<number, WebSocket>();
  /** Slots: a replaced socket holds its own until it is closed. */
  readonly #open = new Map<WebSocket, number>();
  #awaiting: { count: number; resolve: () => void }[] = [];
  /** By the ticket's SHA-256: the ticket itself is not kept. */
  readonly #tickets = new Map<string, { player: Player; epoch: number; expiresAtMs: number }>();

  constructor(options: HubOptions) {
    this.#options = options;
  }

  createTicket(player: Player): { ticket: string; expires_in_seconds: number } {
    const ticket = randomBytes(LIMITS.realtimeTicketBytes).toString('base64url');
    this.#tickets.set(hashOf(ticket), {
      player,
      epoch: player.epoch,
      expiresAtMs: this.#options.now() + LIMITS.realtimeTicketTtlMs,
    });
    return { ticket, expires_in_seconds: LIMITS.realtimeTicketTtlMs / 1000 };
  }

  /** Uses the ticket up. Null: unknown, used, too old, of a revoked session. */
  redeemTicket(ticket: string): Player | null {
    const hash = hashOf(ticket);
    const entry = this.#tickets.get(hash);
    this.#tickets.delete(hash);
    if (entry === undefined || entry.expiresAtMs <= this.#options.now()) return null;
    return entry.epoch === entry.player.epoch ? entry.player : null;
  }

  /** What stands against one more socket of this player; null: nothing. */
  refusal(playerId: number): HttpAnswer | null {
    let ofPlayer = 0;
    for (const id of this.#open.values()) if (id === playerId) ofPlayer++;
    if (ofPlayer >= this.#options.socketsPerPlayerMax) {
      return plainText(503, 'too many connections for this user');
    }
    if (this.tenantSocketsMax !== null && this.#open.size >= this.tenantSocketsMax) {
      const headers = { 'Retry-After': String(LIMITS.tenantCapRetryAfterS) };
      return plainText(503, 'too many connections', headers);
    }
    return null;
  }

  accept(request: IncomingMessage, stream: Duplex, head: Buffer, player: Player): void {
    this.#server.handleUpgrade(request, stream, head, (socket) => {
      this.#register(socket, player.id);
      this.#ping(socket, player);
    });
  }

  /** False when the player has no socket: the event is lost, as with the real server. */
  push(playerId: number, type: string, payload?: unknown): boolean {
    const socket = this.#winners.get(playerId);
    if (socket === undefined) return false;
    socket.send(frameOf(type, payload));
    return true;
  }

  /** Resolves when so many sockets have been accepted since the start. */
  accepted(count: number): Promise<void> {
    if (this.sockets.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#awaiting.push({ count, resolve }));
  }

  end(): void {
    for (const socket of this.#open.keys()) socket.terminate();
    this.#server.close();
  }

  #register(socket: WebSocket, playerId: number): void {
    this.#winners.get(playerId)?.close(1000, '');
    this.#winners.set(playerId, socket);
    this.#open.set(socket, playerId);
    const received: string[] = [];
    let pongs = 0;
    socket.on('pong', () => pongs++);
    const ponged = async (count: number) => {
      while (pongs < count) await once(socket, 'pong');
    };
    socket.on('message', (data: Buffer) => received.push(data.toString('utf8')));
    socket.on('error', () => {}); // a close follows
    const closed = new Promise<{ code: number; reason: string }>((resolve) => {
      socket.on('close', (code, reason) => {
        this.#open.delete(socket);
        if (this.#winners.get(playerId) === socket) this.#winners.delete(playerId);
        resolve({ code, reason: reason.toString('utf8') });
      });
    });
    this.sockets.push({
      playerId,
      received,
      get pongs() {
        return pongs;
      },
      ponged,
      get isOpen() {
        return socket.readyState === socket.OPEN;
      },
      closed,
      push: (type, payload) => socket.send(frameOf(type, payload)),
      pushText: (text) => socket.send(text),
      ping: () => socket.ping(),
      close: (code = 1000, reason = '') => socket.close(code, reason),
      drop: () => socket.terminate(),
    });
    const { length } = this.sockets;
    for (const { count, resolve } of this.#awaiting) if (count <= length) resolve();
    this.#awaiting = this.#awaiting.filter(({ count }) => count > length);
  }

  /** An unanswered ping ends the socket at the next one. */
  #ping(socket: WebSocket, player: Player): void {
    const { epoch } = player;
    let isAnswered = true;
    socket.on('pong', () => {
      isAnswered = true;
    });
    const stop = this.#options.every(this.#options.pingIntervalMs, () => {
      if (!isAnswered || !this.#options.isStillGood(player, epoch)) {
        socket.terminate();
        return;
      }
      isAnswered = false;
      socket.ping();
    });
    socket.on('close', stop);
  }
}

function frameOf(type: string, payload: unknown): string {
  return JSON.stringify(payload === undefined ? { type } : { type, payload });
}

function hashOf(ticket: string): string {
  return createHash('sha256').update(ticket).digest('hex');
}
