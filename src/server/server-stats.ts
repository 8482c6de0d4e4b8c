import type { LinkStats } from '../session/connection-stats.js';
import type { ServerStats, WireTotals } from './types.js';

function emptyTotals(): WireTotals {
  return {
    messagesIn: 0,
    messagesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    packetsIn: 0,
    packetsOut: 0,
    packetsLostIn: 0,
    resends: 0,
  };
}

export function emptyStats(): ServerStats {
  return {
    players: { udp: 0, 'json-ws': 0, suspended: 0 },
    udp: emptyTotals(),
    'json-ws': emptyTotals(),
    drops: {},
    nativeMs: 0,
  };
}

/** Adds one connection's figures to its wire's totals. */
export function addConnection(stats: ServerStats, connection: LinkStats): void {
  const totals = stats[connection.wire];
  totals.messagesIn += connection.messagesIn;
  totals.messagesOut += connection.messagesOut;
  totals.bytesIn += connection.bytesIn;
  totals.bytesOut += connection.bytesOut;
  totals.packetsIn += connection.packetsIn;
  totals.packetsOut += connection.packetsOut;
  totals.packetsLostIn += connection.packetsLostIn;
  totals.resends += connection.resends;
}

/** Those who left and those who are here. Drops are the caller's to add. */
export function collectStats(
  departed: ServerStats,
  connections: readonly LinkStats[],
): ServerStats {
  const stats = structuredClone(departed);
  for (const connection of connections) {
    stats.players[connection.wire]++;
    addConnection(stats, connection);
  }
  return stats;
}
