/**
 * The path of both wires, which goes wrong in all the ways that paths do:
 *
 *   player ── UDP ──▶ front ──▶ a socket of its own at a loopback address ──▶ server
 *                                loses a share; rebinds to another port or address; goes dark
 *   player ── TCP ──▶ front ──▶ server         WebSockets are cut without a goodbye
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Prng } from '../../src/util/prng.js';
import type { PathFigures, PathSetup } from './messages.js';

/** Of both directions: the handshake, NX and the session's beginning are over. */
const SETTLED_DATAGRAMS = 40;
/** From the server: it has said more than a session's beginning. */
const SETTLED_BYTES = 16_384;
/** A client that says nothing for so long is gone. */
const IDLE_MS = 15_000;
const SWEEP_MS = 1000;
/** Longer than netcode's timeout of 5 s: the session has to be resumed. */
const DARK_MS = 6500;
const BUFFER_BYTES = 1 << 20;

interface UdpClient {
  back: UdpSocket;
  address: string;
  readonly port: number;
  readonly host: string;
  datagrams: number;
  heardMs: number;
  darkUntilMs: number;
}

interface Stream {
  readonly near: Socket;
  readonly far: Socket;
  isWebSocket: boolean;
}

export interface Disturbance {
  rebinds: number;
  cuts: number;
  blackouts: number;
}

export class NoisyPath {
  httpPort = 0;
  udpPort = 0;
  readonly #front: UdpSocket;
  readonly #server: Server;
  readonly #random: Prng;
  readonly #lossPer65536: number;
  readonly #clients = new Map<string, UdpClient>();
  readonly #streams = new Set<Stream>();
  readonly #counts: PathFigures = {
    kind: 'path',
    datagrams: 0,
    lost: 0,
    rebinds: 0,
    cuts: 0,
    blackouts: 0,
  };
  #timers: NodeJS.Timeout[] = [];
  readonly #sweeper = setInterval(() => this.#sweep(), SWEEP_MS);

  private constructor(front: UdpSocket, server: Server, { seed, lossRatio }: PathSetup) {
    this.#front = front;
    this.#server = server;
    this.#random = new Prng(seed);
    this.#lossPer65536 = Math.round(lossRatio * 65_536);
    front.on('message', (datagram, { address, port }) => {
      this.#handleDatagram(datagram, address, port);
    });
    server.on('connection', (near) => this.#handleStream(near));
  }

  static async open(setup: PathSetup): Promise<NoisyPath> {
    const front = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES });
    front.bind(0, '127.0.0.1');
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await Promise.all([once(front, 'listening'), once(server, 'listening')]);
    return new NoisyPath(front, server, setup);
  }

  get udpAddress(): string {
    return `127.0.0.1:${this.#front.address().port}`;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  figures(): PathFigures {
    return { ...this.#counts };
  }

  /** So many a second, at even times, each of a player taken at random. */
  disturb({ rebinds, cuts, blackouts }: Disturbance): void {
    const every = (perSecond: number, act: () => void) => {
      if (perSecond > 0) this.#timers.push(setInterval(act, 1000 / perSecond));
    };
    every(rebinds, () => this.#rebind());
    every(cuts, () => this.#cut());
    every(blackouts, () => this.#darken());
  }

  calm(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    for (const client of this.#clients.values()) client.darkUntilMs = 0;
  }

  close(): void {
    this.calm();
    clearInterval(this.#sweeper);
    this.#front.close();
    for (const { back } of this.#clients.values()) back.close();
    for (const { near, far } of this.#streams) {
      near.destroy();
      far.destroy();
    }
    this.#server.close();
  }

  #handleDatagram(datagram: Buffer, host: string, port: number): void {
    const name = `${host}:${port}`;
    let client = this.#clients.get(name);
    if (client === undefined) {
      const address = this.#newAddress();
      const heardMs = performance.now();
      const back = createSocket('udp4');
      client = { back, address, host, port, datagrams: 0, heardMs, darkUntilMs: 0 };
      this.#bind(client);
      this.#clients.set(name, client);
    }
    client.heardMs = performance.now();
    if (this.#passes(client)) client.back.send(datagram, this.udpPort, '127.0.0.1');
  }

  #passes(client: UdpClient): boolean {
    client.datagrams++;
    this.#counts.datagrams++;
    const isDark = client.darkUntilMs > 0 && performance.now() < client.darkUntilMs;
    if (!isDark && !this.#random.chance(this.#lossPer65536, 65_536)) return true;
    this.#counts.lost++;
    return false;
  }

  #bind(client: UdpClient): void {
    const { back, address } = client;
    back.on('error', () => {}); // a full buffer, an address that may not send: lost
    back.on('message', (datagram) => {
      if (this.#passes(client)) this.#front.send(datagram, client.port, client.host);
    });
    back.bind(0, address);
  }

  /** In 127.64.0.0/10, away from those of loads and floods. */
  #newAddress(): string {
    const random = this.#random;
    return `127.${64 + random.below(64)}.${random.below(256)}.${1 + random.below(250)}`;
  }

  /** Every second time the address changes as well. */
  #rebind(): void {
    const client = this.#settledClient();
    if (client === null) return;
    client.back.close();
    client.back = createSocket('udp4');
    if (this.#random.chance(1, 2)) client.address = this.#newAddress();
    this.#bind(client);
    this.#counts.rebinds++;
  }

  #darken(): void {
    const client = this.#settledClient();
    if (client === null) return;
    client.darkUntilMs = performance.now() + DARK_MS;
    this.#counts.blackouts++;
  }

  #settledClient(): UdpClient | null {
    const nowMs = performance.now();
    return this.#oneOf(
      [...this.#clients.values()].filter(({ datagrams, heardMs, darkUntilMs }) => {
        const isAlive = nowMs - heardMs < SWEEP_MS && nowMs > darkUntilMs;
        return isAlive && datagrams > SETTLED_DATAGRAMS;
      }),
    );
  }

  #cut(): void {
    const stream = this.#oneOf(
      [...this.#streams].filter((one) => one.isWebSocket && one.far.bytesRead > SETTLED_BYTES),
    );
    if (stream === null) return;
    stream.near.destroy();
    stream.far.destroy();
    this.#counts.cuts++;
  }

  #oneOf<T>(list: readonly T[]): T | null {
    return list.length === 0 ? null : list[this.#random.below(list.length)];
  }

  #sweep(): void {
    const untilMs = performance.now() - IDLE_MS;
    for (const [name, { back, heardMs }] of this.#clients) {
      if (heardMs > untilMs) continue;
      back.close();
      this.#clients.delete(name);
    }
  }

  #handleStream(near: Socket): void {
    const far = connect(this.httpPort, '127.0.0.1');
    const stream: Stream = { near, far, isWebSocket: false };
    this.#streams.add(stream);
    near.once('data', (head: Buffer) => {
      stream.isWebSocket = head.subarray(0, 16).toString('latin1') === 'GET /v1/game/ws?';
    });
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#streams.delete(stream);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
  }
}
