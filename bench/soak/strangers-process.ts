/** Strangers in a process of their own: garbage by UDP, HTTP and WebSocket at steady rates. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import { Prng } from '../../src/util/prng.js';
import { endWithMain } from '../churn/answering.js';
import { SourceAddresses } from '../churn/udp-wire.js';
import { FRAMES, LAST_FRAMES, REQUESTS, randomBytes, randomDatagram } from './garbage.js';
import { GarbageFlow } from './garbage-flow.js';
import type { StrangersCommand, StrangersFigures, StrangersSetup } from './messages.js';

/** 127.41.0.0 and up: nobody else's. */
const FIRST_NETWORK = 40 << 8;
const NETWORKS = 64;
const UDP_SOCKETS = 16;
const BATCH_MS = 10;
/** Who does not answer, or is not answered, goes. */
const PATIENCE_MS = 2000;
const LET_IN_MS = 30_000;

class Strangers {
  readonly figures: StrangersFigures = {
    kind: 'strangers',
    datagrams: 0,
    requests: 0,
    sockets: 0,
    payloads: 0,
    errors: {},
  };
  readonly #setup: StrangersSetup;
  readonly #random: Prng;
  readonly #addresses = new SourceAddresses(FIRST_NETWORK, NETWORKS);
  readonly #udp: UdpSocket[] = [];
  readonly #open = new Set<Socket | WebSocket>();
  readonly #flows = new Set<GarbageFlow>();
  readonly #timers: NodeJS.Timeout[] = [];
  #players = 0;
  #isResting = false;

  constructor(setup: StrangersSetup) {
    this.#setup = setup;
    this.#random = new Prng(setup.seed);
    for (let at = 0; at < UDP_SOCKETS; at++) {
      const socket = createSocket('udp4');
      socket.on('error', () => {});
      socket.bind(0, this.#addresses.next());
      this.#udp.push(socket);
    }
    const perBatch = Math.ceil((setup.datagrams * BATCH_MS) / 1000);
    this.#every(BATCH_MS, () => this.#sendDatagrams(perBatch));
    this.#every(1000 / setup.requests, () => this.#request());
    this.#every(1000 / setup.players, () => void this.#speakGarbage());
  }

  /** Not before somebody was let in on either wire: a busy machine takes its time. */
  async rest(): Promise<void> {
    const untilMs = performance.now() + LET_IN_MS;
    const { figures } = this;
    while (figures.sockets === 0 || figures.payloads === 0) {
      if (performance.now() > untilMs) break;
      await new Promise((resolve) => setTimeout(resolve, BATCH_MS));
    }
    this.#isResting = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const socket of this.#udp) socket.close();
    for (const flow of this.#flows) flow.close();
    this.#flows.clear();
    for (const one of this.#open) {
      if (one instanceof WebSocket) one.terminate();
      else one.destroy();
    }
  }

  #every(ms: number, act: () => void): void {
    this.#timers.push(setInterval(act, ms));
  }

  #sendDatagrams(howMany: number): void {
    const { udpPort } = this.#setup;
    for (let sent = 0; sent < howMany; sent++) {
      const socket = this.#udp[this.#random.below(UDP_SOCKETS)];
      socket.send(randomDatagram(this.#random), udpPort, '127.0.0.1', () => {});
      this.figures.datagrams++;
    }
  }

  #request(): void {
    const localAddress = this.#addresses.next();
    const socket = connect({ host: '127.0.0.1', port: this.#setup.httpPort, localAddress });
    this.#keep(socket, () => socket.destroy());
    socket.on('error', () => {});
    socket.resume();
    const isNoise = this.#random.chance(1, 4);
    const request = REQUESTS[this.#random.below(REQUESTS.length)];
    socket.write(isNoise ? randomBytes(this.#random, 512) : Buffer.from(request, 'latin1'));
    this.figures.requests++;
  }

  /** Somebody with a good ticket, who then talks nonsense: on WebSocket, or on UDP. */
  async #speakGarbage(): Promise<void> {
    const { httpPort } = this.#setup;
    const number = this.#players++;
    const answer = await fetch(`http://127.0.0.1:${httpPort}/v1/game/ticket`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'X-Session-Token': `stranger-${number % 1000}`,
        Connection: 'close',
      },
      body: '{}',
    }).catch(() => null);
    if (answer?.status !== 200) return;
    const { ticket, connectToken } = (await answer.json()) as Record<string, string>;
    if (this.#isResting) return;
    if (number % 2 === 0) this.#speakFrames(ticket, number);
    else this.#speakPayloads(Buffer.from(connectToken, 'base64'));
  }

  #speakPayloads(connectToken: Uint8Array): void {
    const flow = new GarbageFlow(connectToken, this.#random, () => this.figures.payloads++);
    this.#flows.add(flow);
    setTimeout(() => {
      if (this.#flows.delete(flow)) flow.close();
    }, PATIENCE_MS);
  }

  #speakFrames(ticket: string, number: number): void {
    const socket = new WebSocket(
      `ws://127.0.0.1:${this.#setup.httpPort}/v1/game/ws?ticket=${encodeURIComponent(ticket)}`,
      { localAddress: this.#addresses.next() },
    );
    this.#keep(socket, () => socket.terminate());
    socket.on('error', () => {});
    socket.on('open', () => {
      this.figures.sockets++;
      for (const frame of FRAMES) socket.send(frame);
      if (this.#random.chance(1, 4)) {
        // Below the frames as well: bytes that are none.
        (socket as unknown as { _socket: Socket })._socket.write(randomBytes(this.#random, 64));
      } else {
        socket.send(LAST_FRAMES[(number >> 1) % LAST_FRAMES.length]);
      }
    });
  }

  #keep(one: Socket | WebSocket, end: () => void): void {
    this.#open.add(one);
    const timer = setTimeout(end, PATIENCE_MS);
    one.on('close', () => {
      clearTimeout(timer);
      this.#open.delete(one);
    });
  }
}

function main(): void {
  endWithMain();
  let strangers: Strangers;
  process.on('uncaughtException', (error) => {
    strangers.figures.errors[`${error.stack}`] = 1;
  });
  process.on('message', (command: StrangersCommand) => {
    if (command.kind === 'garbage') {
      strangers = new Strangers(command.setup);
      process.send?.({ kind: 'ready' });
    } else if (command.kind === 'rest') {
      void strangers.rest().then(() => process.send?.(strangers.figures));
    } else process.disconnect();
  });
}

main();
