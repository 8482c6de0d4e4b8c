/**
 * Many players over WebSocket: the production JsonPeer over `ws`, from source addresses of their own
 * (a port lasts for a minute after its connection, and an address has 28,000).
 */
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { AckBatch } from '../../src/session/ack-batch.js';
import { closeInfoOf } from '../../src/session/close-codes.js';
import { JsonPeer, type JsonPeerContext } from '../../src/session/json-peer.js';
import { SESSION_ACK_ROUND_MS } from '../../src/session/limits.js';
import type { SourceAddresses } from './udp-wire.js';
import type { Visitor } from './visitor.js';
import { type LoadWire, type Ticket, visitContext } from './wires.js';

export class WsWire implements LoadWire {
  readonly #url: URL;
  readonly #addresses: SourceAddresses;
  readonly #context: JsonPeerContext<Visitor>;
  readonly #sockets = new Map<Visitor, WebSocket>();
  #begun = 0;

  constructor(origin: string, addresses: SourceAddresses) {
    this.#url = new URL(origin);
    this.#addresses = addresses;
    const acks: AckBatch<{ flushAck(): void }> = new AckBatch(() => {
      setTimeout(() => acks.flush(), SESSION_ACK_ROUND_MS);
    });
    this.#context = {
      ...(visitContext() as Omit<JsonPeerContext<Visitor>, 'acks'>),
      acks,
      onDrained: () => {},
      nowMs: () => performance.now(),
      onClockSample: null,
      serverTimeMs: null,
    };
  }

  connect(visitor: Visitor, { ticket }: Ticket): void {
    const socket = new WebSocket(this.#target(ticket), {
      perMessageDeflate: false,
      autoPong: false, // a silent player's process is frozen; nobody else lives until the first ping
      localAddress: this.#addresses.next(),
    });
    const peer = new JsonPeer<Visitor>(
      this.#context,
      visitor,
      {
        send: (text) => socket.send(text),
        close: (code, reason) => socket.close(code, reason),
        get bufferedAmount() {
          return socket.bufferedAmount;
        },
      },
      'awaits-server',
    );
    visitor.peer = peer;
    this.#sockets.set(visitor, socket);
    socket.on('open', () => visitor.handleReady(peer));
    socket.on('message', (data: Buffer) => peer.handleText(data.toString('utf8')));
    socket.on('error', () => {}); // a 'close' event follows
    socket.on('close', (code, reason) => {
      if (this.#sockets.get(visitor) === socket) this.#sockets.delete(visitor);
      peer.handleGone();
      visitor.handleClosed(peer, closeInfoOf(code, reason.toString('utf8')));
    });
  }

  cut(visitor: Visitor): boolean {
    this.#sockets.get(visitor)?.terminate();
    return true;
  }

  /** Half of an upgrade, or all of it, and nobody there for the answer. */
  begin({ ticket }: Ticket): void {
    const isWhole = this.#begun++ % 2 === 0;
    const { hostname, port, host } = this.#url;
    const socket = connect({
      host: hostname,
      port: Number(port),
      localAddress: this.#addresses.next(),
    });
    socket.on('error', () => {});
    const { pathname, search } = this.#target(ticket);
    const head =
      `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\n` +
      'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
    socket.write(isWhole ? head : head.slice(0, 60), () => socket.resetAndDestroy());
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.terminate();
  }

  #target(ticket: string): URL {
    const url = new URL('/v1/game/ws', this.#url);
    url.protocol = 'ws:';
    url.searchParams.set('ticket', ticket);
    return url;
  }
}
