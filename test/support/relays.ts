/** What stands between client and server in tests, and can be made to fail: a path of each wire. */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** After so many of both directions a client is in. */
const HANDSHAKE_DATAGRAMS = 14;

/** Passes datagrams on until it is told not to. Each client gets a socket of its own. */
export class UdpRelay {
  /** Where datagrams go; set once the server is there. */
  serverPort = 0;
  /** Datagrams of both directions vanish. */
  isBlackhole = false;
  /**
   * So many more pass; then, as soon as no client is in its handshake, the path is a black hole.
   */
  datagramsLeft = Number.POSITIVE_INFINITY;
  /** Sees every datagram, of both directions, before its fate. */
  onDatagram: ((datagram: Buffer, isToServer: boolean) => void) | null = null;
  /** Which single ones vanish; called for each. */
  loses: ((isToServer: boolean, datagram: Buffer) => boolean) | null = null;
  readonly #front: UdpSocket;
  readonly #backs = new Map<number, UdpSocket>();
  readonly #passed = new Map<number, number>();
  readonly #silent = new Set<number>();
  /** What the first client and the server say to each other waits from this datagram on. */
  #heldFrom = Number.POSITIVE_INFINITY;
  #held: (() => void)[] = [];
  #onHeld: (() => void) | null = null;

  private constructor(front: UdpSocket) {
    this.#front = front;
    front.on('message', (datagram, from) => {
      const back = this.#backOf(from);
      if (!this.#passes(datagram, true, from.port)) return;
      this.#send(from.port, () => back.send(datagram, this.serverPort, '127.0.0.1'));
    });
  }

  static async open(): Promise<UdpRelay> {
    const front = createSocket('udp4');
    front.bind(0, '127.0.0.1');
    await once(front, 'listening');
    return new UdpRelay(front);
  }

  get address(): string {
    return `127.0.0.1:${this.#front.address().port}`;
  }

  /** The client that the server knows by this address neither hears nor is heard any more. */
  silence(serverSees: string): void {
    for (const [port, back] of this.#backs) {
      if (serverSees.endsWith(`:${back.address().port}`)) this.#silent.add(port);
    }
  }

  /**
   * Lets so many datagrams of the first client pass, of both directions, and keeps what follows until
   * `release`. Resolves with the first one that is kept.
   */
  holdAfter(count: number): Promise<void> {
    this.#heldFrom = count;
    return new Promise((resolve) => {
      this.#onHeld = resolve;
    });
  }

  release(): void {
    this.#heldFrom = Number.POSITIVE_INFINITY;
    for (const send of this.#held.splice(0)) send();
  }

  close(): void {
    this.#front.close();
    for (const back of this.#backs.values()) back.close();
  }

  #passes(datagram: Buffer, isToServer: boolean, port: number): boolean {
    this.onDatagram?.(datagram, isToServer);
    this.#passed.set(port, (this.#passed.get(port) ?? 0) + 1);
    if (--this.datagramsLeft < 0) {
      this.isBlackhole ||= Math.min(...this.#passed.values()) > HANDSHAKE_DATAGRAMS;
    }
    if (this.isBlackhole || this.#silent.has(port)) return false;
    return this.loses?.(isToServer, datagram) !== true;
  }

  #send(port: number, send: () => void): void {
    const [first] = this.#backs.keys();
    if (port !== first || (this.#passed.get(port) ?? 0) <= this.#heldFrom) {
      send();
      return;
    }
    this.#held.push(send);
    this.#onHeld?.();
  }

  #backOf({ port, address }: RemoteInfo): UdpSocket {
    const known = this.#backs.get(port);
    if (known !== undefined) return known;
    const back = createSocket('udp4');
    back.on('message', (datagram) => {
      if (!this.#passes(datagram, false, port)) return;
      this.#send(port, () => this.#front.send(datagram, port, address));
    });
    this.#backs.set(port, back);
    return back;
  }
}

/** Passes streams on until it cuts them. */
export class TcpRelay {
  serverPort = 0;
  /** New connections are cut at once. */
  isDown = false;
  /** What is read of the server's streams; 0: nothing, until it changes. B/s. */
  bytesPerSecond = Number.POSITIVE_INFINITY;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Those of the clients, each with the one to the server. */
  readonly #fars = new Map<Socket, Socket>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (near) => {
      if (this.isDown) {
        near.destroy();
        return;
      }
      const far = connect(this.serverPort, '127.0.0.1');
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.setNoDelay(true);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#sockets.delete(socket);
          this.#fars.delete(near);
          near.destroy();
          far.destroy();
        });
      }
      this.#fars.set(near, far);
      near.pipe(far);
      this.#pass(far, near);
    });
  }

  /** As `pipe`, at the rate of the moment: a reader that is slow, or does not read at all. */
  #pass(from: Socket, to: Socket): void {
    from.on('data', (chunk: Buffer) => {
      to.write(chunk);
      if (this.bytesPerSecond === Number.POSITIVE_INFINITY) return;
      from.pause();
      const resume = () => {
        if (this.bytesPerSecond > 0) from.resume();
        else if (!from.destroyed) setTimeout(resume, 1);
      };
      const ms = this.bytesPerSecond > 0 ? (chunk.length / this.bytesPerSecond) * 1000 : 1;
      setTimeout(resume, ms);
    });
    from.on('end', () => to.end());
  }

  static async open(): Promise<TcpRelay> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpRelay(server);
  }

  get address(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Nothing is read any more from either side, or again: the buffers fill up. */
  set isStalled(isStalled: boolean) {
    for (const socket of this.#sockets) {
      if (isStalled) socket.pause();
      else socket.resume();
    }
  }

  /** Every stream that is open dies without a goodbye. */
  cut(): void {
    for (const socket of [...this.#sockets]) socket.destroy();
  }

  /** Open streams stand still in one direction, until `flow`. */
  stall(direction: 'to-server' | 'to-client' = 'to-server'): void {
    for (const [near, far] of this.#fars) {
      if (direction === 'to-server') far.cork();
      else near.cork();
    }
  }

  flow(): void {
    for (const [near, far] of this.#fars) {
      while (far.writableCorked > 0) far.uncork();
      while (near.writableCorked > 0) near.uncork();
    }
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
