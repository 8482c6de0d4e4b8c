/** A server and clients over real loopback sockets, for tests of both wires. */
import type { Registry } from '../../src/messages/types.js';
import { Client, type GameConnection, WithHighPerformanceTransport } from '../../src/sdk/index.js';
import {
  GameServer,
  type GameServerOptions,
  type Logger,
  type WsEngine,
} from '../../src/server/index.js';
import type { Wire } from '../../src/session/types.js';

export const WIRES: readonly Wire[] = ['json-ws', 'udp'];

/** Standard output is the test runner's: a log line in the middle of its lines would break them. */
const LOGGER: Logger = {
  info() {},
  warn() {},
  error: (fields, message) => console.error(message, fields),
};

/** What carries WebSockets; test/game/engines.test.ts runs files again with `uws`. */
export const ENGINE = (process.env.GGSCALE_TEST_WS_ENGINE ?? 'ws') as WsEngine;

/** A development server on free ports. Give `udp` options to change its UDP side. */
export function listen<R extends object = Record<string, unknown>>(
  options: GameServerOptions<R> = {},
): Promise<GameServer<R>> {
  const logger = options.logLevel === undefined ? { logger: LOGGER } : {};
  const ws = options.ws === false ? false : { engine: ENGINE, ...options.ws };
  return GameServer.listen<R>({ dev: true, ...logger, ...options, ws });
}

/** Dials as `playerId`; the wire is the only difference, and falling back is an error. */
export function dial<R extends object>(
  server: GameServer<R>,
  wire: Wire,
  playerId: string,
  registry?: Registry<Partial<R>>,
): Promise<GameConnection<R>> {
  const option = WithHighPerformanceTransport({ fallback: 'error' });
  const client = new Client(
    { apiKey: 'test', baseUrl: 'http://127.0.0.1:1' },
    ...(wire === 'udp' ? [option] : []),
  );
  const { host, port } = server.http;
  const address = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return client.dialGame<R>(address, {
    sessionToken: playerId,
    ...(registry === undefined ? {} : { registry }),
  });
}

/** How a handler may fail with a message. */
export const FAILURES: Readonly<Record<string, (message: string) => unknown>> = {
  'throws at once': (message) => {
    throw new Error(message);
  },
  'throws later': async (message) => {
    await null;
    throw new Error(message);
  },
};

/** Resolves when `condition` holds, looked at once per turn of the event loop, at most 20 s. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const start = performance.now();
  while (!condition()) {
    if (performance.now() - start > 20_000) throw new Error(`waited 20 s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
