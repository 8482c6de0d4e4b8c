/**
 * A server of any driver and one client socket with many flows, each from an address of its own, so
 * that the server's threads share them. Payloads are numbered per flow.
 */
import type { Endpoint } from '../../src/addon/endpoint.js';
import {
  counterOf,
  type Flow,
  openClient,
  openServer,
  type Peer,
  tokenFor,
} from '../teardown/peers.js';
import type { Setup } from './drivers.js';

const BUFFER_BYTES = 2 << 20;
const PAYLOAD_BYTES = 64;

export interface World {
  server: Peer;
  client: Peer;
  key: Uint8Array;
  /** By client id: the client's flow, in the order of connecting. */
  flows: Flow[];
}

export async function openWorld(setup: Setup, flowCount: number): Promise<World> {
  const { server, key } = openServer({
    ...setup,
    receiveBufferBytes: BUFFER_BYTES,
    sendBufferBytes: BUFFER_BYTES,
    maxFlows: flowCount + 8,
  });
  const client = openClient({
    host: '0.0.0.0',
    maxFlows: flowCount + 8,
    receiveBufferBytes: BUFFER_BYTES,
    sendBufferBytes: BUFFER_BYTES,
  });
  const flows: Flow[] = [];
  for (let i = 0; i < flowCount; i++) flows.push(connect({ server, client, key }, i));
  await client.until(() => client.opened.length === flowCount);
  await server.until(() => server.opened.length === flowCount);
  return { server, client, key, flows };
}

/** Client `id` from its own address of the loopback network. */
export function connect({ server, client, key }: Omit<World, 'flows'>, id: number): Flow {
  const token = tokenFor(server, key, BigInt(id));
  return client.endpoint.connect(token, `127.8.${id >> 7}.${(id & 127) + 1}`);
}

export function numbered(number: number): Uint8Array {
  const payload = new Uint8Array(PAYLOAD_BYTES).fill(number & 0xff);
  new DataView(payload.buffer).setUint32(0, number, true);
  return payload;
}

export function numberOf(payload: Uint8Array): number {
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
}

/** Sends `total` numbered payloads over all flows in turn, `window` on the way at a time. */
export class Sender {
  sent = 0;
  answered = 0;
  readonly #world: World;
  readonly #total: number;
  readonly #window: number;

  constructor(world: World, total: number, window: number) {
    this.#world = world;
    this.#total = total;
    this.#window = window;
  }

  /** In a turn of the client, or before its flush. */
  pump(): void {
    const { client, flows } = this.#world;
    while (this.sent < this.#total && this.sent - this.answered < this.#window) {
      const flow = flows[this.sent % flows.length];
      if (!client.send(flow, numbered(Math.floor(this.sent / flows.length)))) return;
      this.sent++;
    }
  }
}

export function counters(endpoint: Endpoint): (name: string) => number {
  return (name) => counterOf(endpoint, name);
}

export function close({ server, client }: Pick<World, 'server' | 'client'>): void {
  client.endpoint.close();
  server.endpoint.close();
}
