/** `--serve`: one server with both listeners, for players from outside. */

import { type GameMessages, gameRegistry } from '../../examples/brawler/game/messages.js';
import { GameServer } from '../../src/server/index.js';
import { Matches } from './matches.js';
import type { ServeOptions } from './options.js';

/** The protocol id of the server when none is given: "ggscale" and a version byte. */
const PROTOCOL_ID = 0x67677363616c6501n;

/**
 * Prints the ready line, the only line on stdout that starts with `{`.
 *
 * @throws TransportError address-in-use, permission-denied, addon-missing …
 */
export async function serve(options: ServeOptions): Promise<GameServer<GameMessages>> {
  const protocolId = options.protocolId ?? PROTOCOL_ID;
  const server = await GameServer.listen<GameMessages>({
    port: options.wsPort,
    registry: gameRegistry(),
    tickHz: options.rateHz,
    dev: true,
    udp: {
      ...(options.udpPort === null ? {} : { port: options.udpPort }),
      ...(options.privateKey === null ? {} : { privateKey: options.privateKey }),
      protocolId,
    },
    logger: {
      info() {},
      warn: (fields, message) => console.error(message, JSON.stringify(fields)),
      error: (fields, message) => console.error(message, JSON.stringify(fields)),
    },
  });
  if (options.echoForeign) server.onRawPayload((flow, bytes) => flow.send(bytes));
  new Matches(server, options.seed, options.rateHz).play();
  const { http, udp } = server;
  const ready = {
    ready: true,
    host: http.host,
    wsPort: http.port,
    udpPort: udp?.port ?? null,
    protocolId: `0x${protocolId.toString(16)}`,
    echoForeign: options.echoForeign,
    pid: process.pid,
  };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  return server;
}
