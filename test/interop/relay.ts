/** A UDP relay between one client and one server that can be cut: a partition without sleeping. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

export class Relay {
  readonly #front: Socket = createSocket('udp4');
  readonly #back: Socket = createSocket('udp4');
  readonly #serverPort: number;
  #clientPort = 0;
  #isCut = false;

  private constructor(serverPort: number) {
    this.#serverPort = serverPort;
    this.#front.on('message', (datagram, from) => {
      this.#clientPort = from.port;
      if (!this.#isCut) this.#back.send(datagram, this.#serverPort, '127.0.0.1');
    });
    this.#back.on('message', (datagram) => {
      if (!this.#isCut) this.#front.send(datagram, this.#clientPort, '127.0.0.1');
    });
  }

  /** Listens on an ephemeral loopback port in front of a server on loopback. */
  static async open(serverAddress: string): Promise<Relay> {
    const relay = new Relay(Number(serverAddress.split(':').pop()));
    for (const socket of [relay.#front, relay.#back]) {
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
    }
    return relay;
  }

  /** What a client dials. */
  get address(): string {
    return `127.0.0.1:${this.#front.address().port}`;
  }

  /** From now on everything is lost, both ways. */
  cut(): void {
    this.#isCut = true;
  }

  close(): void {
    this.#front.close();
    this.#back.close();
  }
}
