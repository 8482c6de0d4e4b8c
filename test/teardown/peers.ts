/**
 * What the tests of this folder share: a pair of endpoints on the loopback that answer their wakes
 * with a turn, and awaitable conditions instead of sleeps.
 */
import { Endpoint, type OnWake, type ServerConfig } from '../../src/addon/endpoint.js';
import {
  RX_CLOSED,
  RX_MIGRATED,
  RX_OPENED,
  RX_PAYLOAD,
  RX_REPLACED,
  TX_PAYLOAD,
} from '../../src/addon/layout.js';
import { createConnectToken, generateKey } from '../../src/addon/tokens.js';

export const PROTOCOL_ID = 0x1122334455667788n;

export interface Flow {
  slot: number;
  generation: number;
}

export interface Closed extends Flow {
  reason: number;
}

/** Answers every wake with one turn; payloads and events wait in arrays. */
export class Peer {
  readonly endpoint: Endpoint;
  readonly opened: Flow[] = [];
  readonly closed: Closed[] = [];
  readonly replaced: Flow[] = [];
  readonly payloads: Uint8Array[] = [];
  /** 1 where only the port of a client changed. */
  readonly migrated: number[] = [];
  /** Sends every payload back. */
  echo = false;
  /** Takes the payloads instead of the array. */
  onPayload: ((flow: Flow, payload: Uint8Array) => void) | null = null;
  /** Called inside the turn, before the flush. */
  onTurn: (reasons: number) => void = () => {};
  isReady = false;
  #waiting: { isDone: () => boolean; resolve: () => void }[] = [];

  constructor(open: (onWake: OnWake) => Endpoint) {
    this.endpoint = open((reasons) => this.turn(reasons));
  }

  turn(reasons: number): void {
    const { endpoint } = this;
    endpoint.drain();
    while (endpoint.rxPoll()) this.#handle();
    endpoint.rxRelease();
    this.onTurn(reasons);
    endpoint.flush();
    this.#waiting = this.#waiting.filter((waiter) => {
      if (!waiter.isDone()) return true;
      waiter.resolve();
      return false;
    });
  }

  /** Resolves after the turn in which the condition holds. */
  until(isDone: () => boolean): Promise<void> {
    if (isDone()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ isDone, resolve }));
  }

  /** Commits one payload; false when the ring is full. */
  send(flow: Flow, payload: Uint8Array): boolean {
    const at = this.endpoint.txReserve(payload.length, flow.slot);
    if (at < 0) return false;
    this.endpoint.bytes.set(payload, at);
    this.endpoint.txCommit(TX_PAYLOAD, flow.slot, flow.generation, payload.length);
    return true;
  }

  #handle(): void {
    const { kind, slot, generation, offset, length, aux0, bytes } = this.endpoint;
    if (kind === RX_OPENED) this.opened.push({ slot, generation });
    if (kind === RX_CLOSED) this.closed.push({ slot, generation, reason: aux0 });
    if (kind === RX_REPLACED) this.replaced.push({ slot, generation });
    if (kind === RX_MIGRATED) this.migrated.push(aux0);
    if (kind !== RX_PAYLOAD) return;
    const payload = bytes.slice(offset, offset + length);
    if (this.echo) this.send({ slot, generation }, payload);
    if (this.onPayload !== null) this.onPayload({ slot, generation }, payload);
    else if (!this.echo) this.payloads.push(payload);
  }
}

export function openServer(config: Partial<ServerConfig> = {}): { server: Peer; key: Uint8Array } {
  const key = config.privateKey ?? generateKey();
  const server = new Peer((onWake) =>
    Endpoint.openServer(
      { protocolId: PROTOCOL_ID, host: '127.0.0.1', ...config, privateKey: key },
      onWake,
    ),
  );
  return { server, key };
}

export function openClient(config: Parameters<typeof Endpoint.openClient>[0] = {}): Peer {
  return new Peer((onWake) => Endpoint.openClient({ host: '127.0.0.1', ...config }, onWake));
}

export function tokenFor(
  server: Peer,
  key: Uint8Array,
  clientId = 1n,
  addresses?: string[],
  timeoutSeconds = 5,
): Uint8Array {
  const { host, port, family } = server.endpoint.address();
  const own = family === 6 ? `[${host}]:${port}` : `${host}:${port}`;
  return createConnectToken({
    protocolId: PROTOCOL_ID,
    privateKey: key,
    clientId,
    serverAddresses: addresses ?? [own],
    expireSeconds: 30,
    timeoutSeconds,
    userData: new Uint8Array([1, 2, 3]),
  });
}

/** A server and a client that are connected with each other. */
export async function openPair(
  serverConfig: Partial<ServerConfig> = {},
  clientConfig: Parameters<typeof openClient>[0] = {},
): Promise<{ server: Peer; client: Peer; atServer: Flow; atClient: Flow; key: Uint8Array }> {
  const { server, key } = openServer(serverConfig);
  const client = openClient(clientConfig);
  const atClient = client.endpoint.connect(tokenFor(server, key));
  await Promise.all([
    client.until(() => client.opened.length > 0),
    server.until(() => server.opened.length > 0),
  ]);
  return { server, client, atServer: server.opened[0], atClient, key };
}

/** What `counterNames()` calls `name`. */
export function counterOf(endpoint: Endpoint, name: string): number {
  const names = endpoint.counterNames();
  const values = new Float64Array(names.length);
  endpoint.counters(values);
  const index = names.indexOf(name);
  if (index < 0) throw new Error(`no counter is called ${name}`);
  return values[index];
}
