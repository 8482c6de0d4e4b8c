/** A good request of each operation that takes anything, and what has to be there for it. */
import type { Subject } from './check.js';
import type { Operation } from './contract.js';
import { call, post } from './test-support.js';

export interface Example {
  body?: object;
  /** For the one parameter in the path. */
  param?: string;
  /** With its `?`. */
  query?: string;
}

const ADDRESS = { ip: '203.0.113.10', port: 7777 };

async function queue({ launch, player }: Subject): Promise<Example> {
  // A second player never comes, so it stays as it is.
  const lone = { mode: 'match_only', min_count: 2, max_count: 2 };
  const { body } = await post(launch, '/v1/matchmaker/tickets', lone, player);
  const active = body?.id ?? body?.errors?.[0]?.value;
  return { param: String(active) };
}

async function store({ launch, player }: Subject): Promise<Example> {
  const param = 'save slot/1';
  const path = `/v1/storage/objects/${encodeURIComponent(param)}`;
  await call(launch, 'PUT', path, { level: 3 }, { token: player.access_token });
  return { param };
}

async function openRoom({ launch, player }: Subject) {
  const { body } = await post(launch, '/v1/game-session', { public_addr: ADDRESS }, player);
  return { param: body?.session_id, joinCode: body?.join_code };
}

export const EXAMPLES: Partial<
  Record<Operation, (subject: Subject) => Example | Promise<Example>>
> = {
  authLogin: () => ({ body: { email: 'player@example.com', password: 'correct' } }),
  authCustomToken: ({ launch }) => {
    launch.accounts.acceptCustomToken('signed.by.tenant', 'tenant:7');
    return { body: { token: 'signed.by.tenant' } };
  },
  authSteam: () => ({ body: { ticket: '14000000048bcd42aabbccdd' } }),
  authRefresh: ({ launch, player }) => {
    const { refresh_token } = launch.accounts.openFor(player.player_id);
    return { body: { refresh_token } };
  },
  authLogout: ({ player }) => ({ body: { refresh_token: player.refresh_token } }),
  createMatchmakerTicket: () => ({ body: { mode: 'match_only', min_count: 2, max_count: 4 } }),
  getMatchmakerTicket: queue,
  cancelMatchmakerTicket: queue,
  getStorageObject: store,
  putStorageObject: () => ({ param: 'save slot/1', body: { level: 3 } }),
  deleteStorageObject: store,
  listStorageObjects: store,
  verifyPlayerSession: ({ player }) => ({ body: { session_token: player.access_token } }),
  fleetHeartbeat: () => ({
    body: { agones_name: 'gs-1', fleet: 'default', address: '203.0.113.10:7777', max_players: 16 },
  }),
  fleetServersList: () => ({ param: 'default' }),
  createGameSession: () => ({ body: { title_id: 'game', public_addr: ADDRESS, max_players: 2 } }),
  resolveGameSession: async (subject) => {
    const { joinCode } = await openRoom(subject);
    return { query: `?joinCode=${joinCode}` };
  },
  getGameSession: openRoom,
  joinGameSession: async (subject) => ({
    ...(await openRoom(subject)),
    body: { public_addr: ADDRESS },
  }),
  heartbeatGameSession: async (subject) => ({
    ...(await openRoom(subject)),
    body: { qos: { rtt_ms: 48 } },
  }),
  leaveGameSession: openRoom,
  submitScore: () => ({ param: '1', body: { score: 1500 } }),
  serverSubmitScore: ({ player }) => ({
    param: '1',
    body: { player_id: player.player_id, score: 1500 },
  }),
  leaderboardTop: () => ({ param: '1' }),
  leaderboardAroundMe: () => ({ param: '1' }),
};
