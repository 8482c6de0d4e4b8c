import { TransportError } from '../util/errors.js';

/**
 * Opens UDP on the number of the HTTP listener, unless the options say another. Where the system chose
 * that number and UDP has another owner there, any free one will do: clients learn it from tokens.
 */
export function openOnUdpPort<T>(
  asked: { http: number; udp: number | null },
  httpPort: number,
  open: (port: number) => T,
): T {
  try {
    return open(asked.udp ?? httpPort);
  } catch (error) {
    const isTaken = error instanceof TransportError && error.code === 'address-in-use';
    if (!isTaken || asked.http !== 0 || asked.udp !== null) throw error;
    return open(0);
  }
}
