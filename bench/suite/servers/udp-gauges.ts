/** What a GameServer tells of itself in the words of the suite. */
import type { GameServer } from '../../../src/server/index.js';
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

/** Not `stats()`: to go through 100,000 players is a stall that the run would be about. */
export function udpGauges(server: Pick<GameServer, 'drops' | 'players'>): Partial<ServerMark> {
  return { drops: server.drops(), connections: server.players.size };
}
