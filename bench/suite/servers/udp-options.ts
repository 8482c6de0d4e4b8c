/** What the suite's GameServers have in common: the key that the load knows, and room for it. */
import type { GameServerOptions } from '../../../src/server/index.js';
import { RATE_MAX } from './limits.js';
import { PRIVATE_KEY } from './udp-key.js';

export interface UdpServerArguments {
  host: string;
  flows: number;
  tickHz: number;
  driver: string;
  /** Flows faster than any player: a rate that cannot be reached, so that checking it still costs. */
  isFast: boolean;
}

/** Standard output is for the words' answers; ticks that were skipped are in the marks. */
const TO_STDERR = {
  info() {},
  warn() {},
  error: (fields: object, message: string) => console.error(message, JSON.stringify(fields)),
};

/**
 * Only the UDP listener; HTTP listens too, because a server mints tickets. Admission is at its
 * defaults, but the load comes from few networks, and see `isFast`.
 */
export function udpServerOptions<R extends object>(
  args: UdpServerArguments,
  registry: NonNullable<GameServerOptions<R>['registry']>,
): GameServerOptions<R> {
  return {
    host: args.host,
    registry,
    ws: false,
    maxPlayers: Math.max(4096, args.flows),
    ticketsPerSecondPerAddress: 10_000,
    ...(args.tickHz > 0 ? { tickHz: args.tickHz } : {}),
    logger: TO_STDERR,
    udp: {
      privateKey: PRIVATE_KEY,
      maxFlows: Math.max(4096, args.flows),
      ...(args.driver === '' ? {} : { driver: args.driver as 'auto' }),
    },
    admission: args.isFast ? { packetsPerFlow: RATE_MAX, bytesPerFlow: RATE_MAX } : {},
    // As in production: `dev` watches views. Loopback and namespaces are closed, which the server cannot
    // know.
    trustProxy: true,
    verifySession: (token: string) => ({ playerId: token }),
  };
}
