/** What a GameServer tells of itself in the words of the suite. */
import type { GameServer, ServerStats } from '../../../src/server/index.js';
import type { Ready, ServerMark } from '../words.js';

export function udpReady(
  { http, udp }: Pick<GameServer, 'http' | 'udp'>,
  { hash }: { readonly hash: number },
): Ready {
  return {
    ready: `${udp?.host}:${udp?.port}`,
    tickets: `${http.host}:${http.port}`,
    registryHash: hash,
  };
}

export function udpGauges(server: { stats(): ServerStats }): Partial<ServerMark> {
  const { drops, players } = server.stats();
  return { drops, connections: players.udp };
}
