import { readFileSync } from 'node:fs';

/**
 * TCP segments sent again by the whole network namespace of this process, since it began; 0 where
 * the kernel does not tell. Only inside the forwarder's private namespaces is that one wire's own.
 */
export function tcpRetransmits(): number {
  try {
    const rows = readFileSync('/proc/self/net/snmp', 'latin1')
      .split('\n')
      .filter((line) => line.startsWith('Tcp:'))
      .map((line) => line.split(' '));
    const value = Number(rows[1]?.[rows[0]?.indexOf('RetransSegs') ?? -1]);
    return Number.isFinite(value) ? value : 0;
  } catch {
    return 0;
  }
}
