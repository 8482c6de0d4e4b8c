/** Validation of the `ws` part of GameServerOptions. */
import { badOption } from '../util/errors.js';
import { oneOf, refuseUnknown } from '../util/option-checks.js';
import { isWildcard } from './addresses.js';
import type { TlsMaterial, UdpSettings } from './options.js';
import { isOrigin } from './origins.js';
import type { WsEngine, WsListenOptions } from './types.js';

const KNOWN = new Set(['allowedHosts', 'allowedOrigins', 'engine']);
const ENGINES = ['auto', 'ws', 'uws'] as const;
const ORIGINS_MAX = 256;

/** @throws TransportError bad-option */
export function readWs(ws: WsListenOptions): void {
  refuseUnknown('ws.', ws, KNOWN);
  const hosts: unknown = ws.allowedHosts ?? [];
  if (!Array.isArray(hosts) || !hosts.every((name) => typeof name === 'string')) {
    throw badOption('ws.allowedHosts', hosts, 'an array of strings');
  }
  const { allowedOrigins = [] } = ws;
  if (Array.isArray(allowedOrigins) && allowedOrigins.length <= ORIGINS_MAX) {
    const wrong = allowedOrigins.find((origin) => !isOrigin(origin));
    if (wrong === undefined) return;
  }
  throw badOption(
    'ws.allowedOrigins',
    allowedOrigins,
    `at most ${ORIGINS_MAX} exact origins, such as https://play.example`,
  );
}

/** uWebSockets.js has no key but from a file, and does not tell which address a request came to. */
export function readEngine(
  ws: WsListenOptions | null,
  host: string,
  tls: TlsMaterial | null,
  udp: UdpSettings | null,
): WsEngine {
  if (ws === null) return 'ws';
  const engine = oneOf('ws.engine', ws.engine ?? 'auto', ENGINES);
  const isUnaddressed = udp !== null && udp.advertise.length === 0 && isWildcard(host);
  if (engine !== 'uws') return tls !== null || isUnaddressed ? 'ws' : engine;
  if (tls !== null) {
    throw badOption('ws.engine', engine, "'auto' or 'ws' with `tls`; or a TLS proxy in front");
  }
  if (isUnaddressed) {
    throw badOption('ws.engine', engine, `'auto' or 'ws' on ${host} without udp.advertise`);
  }
  return engine;
}

/** An empty list says as much as none. */
export function originsOf(origins: readonly string[] | undefined): ReadonlySet<string> | null {
  return origins === undefined || origins.length === 0 ? null : new Set(origins);
}

export function hostsOf(host: string, extra: string[] | undefined): Set<string> {
  const hosts = new Set(['127.0.0.1', 'localhost', '[::1]', host.toLowerCase()]);
  for (const name of extra ?? []) hosts.add(name.toLowerCase());
  return hosts;
}
