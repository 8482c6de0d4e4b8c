/**
 * What a whole evening needs: a launch server, the game server that its fleet has, which asks it who
 * players are, and a leaderboard on which others stand already.
 */
import { Client } from '../src/index.js';
import type { GameServerOptions } from '../src/server/index.js';
import { FakeLaunch } from './launch/fake-server.js';
import type { Messages } from './messages.js';
import { openPlayground, type Playground } from './playground.js';
import type { LaunchFace } from './runner.js';

export interface MatchWorld extends Playground {
  readonly launch: LaunchFace;
}

const FLEET = 'arena';
/** Players may submit to the first one only. */
const LEADERBOARDS = [{ id: 1, clientSubmissions: true }, { id: 2 }];
/** Above and below whoever plays. */
const RIVAL_SCORES = [1_000_000, 900_000, 1];

/** @param where `null`: loopback; else an address of a private namespace, as closed as loopback */
export async function openMatchWorld(
  where: string | null,
  options: GameServerOptions<Messages>,
): Promise<MatchWorld> {
  const host = where ?? '127.0.0.1';
  const { allowedOrigins = [] } = options.ws || {};
  const launch = await FakeLaunch.start({ host, leaderboards: LEADERBOARDS, allowedOrigins });
  const backend = new Client({ apiKey: launch.secretKey, baseUrl: launch.url });
  const verifySession = backend.server.sessionVerifier();
  const playground = await openPlayground(where, { ...options, verifySession });
  const { address, udpPort, close } = playground;
  // As the contract has it: host and port. Off the loopback that would mean TLS.
  const told = where === null ? new URL(address).host : address;
  launch.matchmaker.fleets.set(FLEET, { address: told, protocolHint: 'tcpudp' });
  for (const score of RIVAL_SCORES) {
    const { player_id: rival } = launch.accounts.anonymous();
    await backend.server.submitScore(rival, LEADERBOARDS[0].id, score);
  }
  const { url, publishableKey } = launch;
  return {
    address,
    udpPort,
    launch: { url, publishableKey },
    async close() {
      const served = await close();
      await launch.close();
      return served;
    },
  };
}
