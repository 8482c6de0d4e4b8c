/**
 * A UDP relay between one client and one server: it loses and repeats a seeded share of what passes, and
 * can be cut, which is a partition without sleeping. What passes keeps its order.
 */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { Prng } from '../../src/util/prng.js';

export interface Impairment {
  /** Of a thousand datagrams. */
  readonly lost: number;
  readonly repeated: number;
}

export class Relay {
  /** Of both directions. */
  readonly counts = { passed: 0, lost: 0, repeated: 0 };
  readonly #front: Socket = createSocket('udp4');
  readonly #back: Socket = createSocket('udp4');
  readonly #serverPort: number;
  readonly #random: Prng;
  #impairment: Impairment;
  #clientPort = 0;
  #isCut = false;

  private constructor(serverPort: number, impairment: Impairment, seed: number) {
    this.#serverPort = serverPort;
    this.#impairment = impairment;
    this.#random = new Prng(seed);
    this.#front.on('message', (datagram, from) => {
      this.#clientPort = from.port;
      this.#pass(datagram, this.#back, this.#serverPort);
    });
    this.#back.on('message', (datagram) => this.#pass(datagram, this.#front, this.#clientPort));
  }

  /** Listens on an ephemeral loopback port in front of a server on loopback. */
  static async open(
    serverAddress: string,
    impairment: Impairment = { lost: 0, repeated: 0 },
    seed = 1,
  ): Promise<Relay> {
    const relay = new Relay(Number(serverAddress.split(':').pop()), impairment, seed);
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

  impair(impairment: Impairment): void {
    this.#impairment = impairment;
  }

  /** From now on everything arrives, once. */
  mend(): void {
    this.impair({ lost: 0, repeated: 0 });
    this.#isCut = false;
  }

  /** From now on everything is lost, both ways. */
  cut(): void {
    this.#isCut = true;
  }

  close(): void {
    this.#front.close();
    this.#back.close();
  }

  #pass(datagram: Buffer, out: Socket, port: number): void {
    const { lost, repeated } = this.#impairment;
    if (this.#isCut || this.#random.chance(lost, 1000)) {
      this.counts.lost++;
      return;
    }
    this.counts.passed++;
    out.send(datagram, port, '127.0.0.1');
    if (!this.#random.chance(repeated, 1000)) return;
    this.counts.repeated++;
    out.send(datagram, port, '127.0.0.1');
  }
}
