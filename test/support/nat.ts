import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** A NAT in front of a server: forgets its mapping on demand and goes on from another port. */
export class Nat {
  readonly #front: Socket;
  readonly #serverPort: number;
  #back: Socket | null = null;
  #client: RemoteInfo | null = null;

  private constructor(front: Socket, serverPort: number) {
    this.#front = front;
    this.#serverPort = serverPort;
    front.on('message', (datagram, from) => {
      this.#client = from;
      this.#back?.send(datagram, this.#serverPort, '127.0.0.1');
    });
  }

  static async open(serverPort: number): Promise<Nat> {
    const nat = new Nat(await bound(), serverPort);
    await nat.rebind();
    return nat;
  }

  get address(): string {
    return `127.0.0.1:${this.#front.address().port}`;
  }

  /** Where the server sees the client. */
  get outside(): string {
    return `127.0.0.1:${this.#back?.address().port}`;
  }

  async rebind(): Promise<void> {
    const back = await bound();
    back.on('message', (datagram) => {
      if (this.#client !== null) {
        this.#front.send(datagram, this.#client.port, this.#client.address);
      }
    });
    this.#back?.close();
    this.#back = back;
  }

  close(): void {
    this.#front.close();
    this.#back?.close();
  }
}
