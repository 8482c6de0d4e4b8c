import { isIP } from 'node:net';

/** The canonical form of an IP address: `::ffff:127.0.0.1` is `127.0.0.1`. */
export function plainAddress(address: string): string {
  const lower = address.toLowerCase();
  return lower.startsWith('::ffff:') && isIP(lower.slice(7)) === 4 ? lower.slice(7) : lower;
}

/** `host:port`, with brackets around IPv6. */
export function joinHostPort(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

export function isLoopback(address: string): boolean {
  if (isIP(address) === 4) return address.startsWith('127.');
  return address === '::1' || address === 'localhost';
}

/** True for 0.0.0.0 and ::, which no client can connect to. */
export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

/** Addresses for a token: as configured, else bound, else where the HTTP request came to. */
export function advertisedAddresses(
  advertise: string[],
  bound: { host: string; port: number } | null,
  localAddress: string,
): string[] {
  if (advertise.length > 0 || bound === null) return advertise;
  return [joinHostPort(isWildcard(bound.host) ? localAddress : bound.host, bound.port)];
}
