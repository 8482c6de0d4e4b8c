/** What each operation of the contract does in the fake. */
import { createHmac } from 'node:crypto';
import type { Accounts, Player } from './accounts.js';
import { type FakeAnswer, Given, plainText, problem, Refusal } from './answers.js';
import { type Endpoint, type Operation, REALTIME } from './contract.js';
import type { RecordedRequest } from './fake-server.js';
import type { GameRooms, PeerAddress, RoomRequest } from './game-rooms.js';
import type { Matchmaker } from './matchmaker.js';
import type { RealtimeHub } from './realtime-hub.js';
import { findOperation, type Gates, keyTypeOf, passGates, realtimePlayer } from './routing.js';
import type { Scoreboards } from './scoreboards.js';
import { misfits } from './shapes.js';
import { remoteConfig, type Storage } from './storage.js';
import type { TicketRequest } from './tickets.js';

/** One live game server, as it announced itself. */
export interface Heartbeat {
  agones_name: string;
  fleet: string;
  address: string;
  max_players: number;
  current_players?: number;
  [field: string]: unknown;
}

export interface Backend {
  accounts: Accounts;
  realtime: RealtimeHub;
  matchmaker: Matchmaker;
  scoreboards: Scoreboards;
  rooms: GameRooms;
  storage: Storage;
  /** The project's own JSON. */
  config: object;
  servers: Map<string, Heartbeat>;
  now: () => number;
}

interface Call {
  params: Record<string, string>;
  query: URLSearchParams;
  // biome-ignore lint/suspicious/noExplicitAny: held against the shape of the operation
  body: any;
  player: Player;
  isSecret: boolean;
  headers: RecordedRequest['headers'];
}

const RELAY_TTL_S = 600;
const TOP = { usual: 10, most: 100 };
const RADIUS = { usual: 5, most: 50 };

/** The body of success, undefined: none; or the whole answer. */
const HANDLERS: Record<Operation, (backend: Backend, call: Call) => unknown> = {
  healthz: () => ({ status: 'ok', version: 'v1', commit: 'fake' }),
  getRemoteConfig: ({ config }, { headers }) => remoteConfig(config, headers['if-none-match']),
  authLogin: ({ accounts }, { body }) => accounts.login(body),
  authCustomToken: ({ accounts }, { body }) => accounts.customToken(body),
  authSteam: ({ accounts }, { body }) => accounts.steam(body),
  authAnonymous: ({ accounts }) => accounts.anonymous(),
  authRefresh: ({ accounts }, { body }) => accounts.refresh(body),
  authLogout: ({ accounts }, { body }) => accounts.logout(body),
  createRealtimeTicket: ({ realtime }, { player }) => realtime.createTicket(player),
  createMatchmakerTicket: ({ matchmaker }, { player, body }) =>
    matchmaker.create(player, body as TicketRequest),
  getMatchmakerTicket: ({ matchmaker }, { player, params }) =>
    matchmaker.read(player, integer(params.id)),
  cancelMatchmakerTicket: ({ matchmaker }, { player, params }) =>
    matchmaker.cancel(player, integer(params.id)),
  getStorageObject: ({ storage }, { player, params }) => storage.read(player.id, params.key),
  putStorageObject: ({ storage }, { player, params, body, headers }) =>
    storage.write(player.id, params.key, body, headers['if-match']),
  deleteStorageObject: ({ storage }, { player, params }) => storage.delete(player.id, params.key),
  listStorageObjects: ({ storage }, { player, query }) => storage.list(player.id, query),
  verifyPlayerSession: ({ accounts }, { body }) => accounts.verify(body),
  fleetHeartbeat: announce,
  fleetServersList: ({ servers }, { params }) => listServers(servers, params.fleet),
  createGameSession: ({ rooms }, { player, body }) => rooms.create(player, body as RoomRequest),
  resolveGameSession: ({ rooms }, { query }) => rooms.resolve(query.get('joinCode') ?? ''),
  listGameSessions: ({ rooms }, { query }) => rooms.list(query.get('title_id') ?? ''),
  getGameSession: ({ rooms }, { player, params }) => rooms.read(player, params.id),
  joinGameSession: ({ rooms }, { player, params, body }) =>
    rooms.join(player, params.id, body as { public_addr?: PeerAddress }),
  heartbeatGameSession: ({ rooms }, { player, params }) => rooms.heartbeat(player, params.id),
  leaveGameSession: ({ rooms }, { player, params }) => rooms.leave(player, params.id),
  issueRelayCredentials: relayCredentials,
  submitScore: ({ scoreboards }, { player, params, body, isSecret }) => {
    const boardId = integer(params.id);
    scoreboards.submit({ boardId, playerId: player.id, ...body }, isSecret);
  },
  serverSubmitScore: ({ accounts, scoreboards }, { params, body }) => {
    const { player_id: playerId, ...score } = body;
    if (accounts.find(playerId) === undefined) throw new Refusal(problem(404, 'player not found'));
    scoreboards.submit({ boardId: integer(params.id), playerId, ...score }, true);
  },
  leaderboardTop: ({ scoreboards }, { params, query }) =>
    scoreboards.top(integer(params.id), countOf(query.get('limit'), TOP)),
  leaderboardAroundMe: ({ scoreboards }, { player, params, query }) =>
    scoreboards.aroundMe(integer(params.id), player.id, countOf(query.get('radius'), RADIUS)),
};

/** Its answer never says what was wrong, so its body is judged in the handler. */
const OPAQUE: Operation = 'verifyPlayerSession';

/** @throws Refusal */
export function perform(backend: Backend, gates: Gates, request: RecordedRequest): FakeAnswer {
  const found = findOperation(request.method, request.path);
  if (found === null) return notFound(gates, request);
  const { operation, endpoint, params } = found;
  const player = passGates(gates, endpoint.tier, request);
  const body = operation === OPAQUE ? looseBody(request) : bodyOf(endpoint, request);
  const isSecret = endpoint.tier !== 'open' && keyTypeOf(gates, request) === 'secret';
  const query = new URLSearchParams(request.query);
  const { headers } = request;
  const call: Call = { params, query, body, player: player as Player, isSecret, headers };
  const done = HANDLERS[operation](backend, call);
  return done instanceof Given ? done.answer : { status: endpoint.status, body: done };
}

/** The WebSocket's path, asked for without an upgrade, has its gates nevertheless. */
function notFound(gates: Gates, request: RecordedRequest): FakeAnswer {
  const isRealtime = request.method === REALTIME.method && request.path === REALTIME.path;
  if (!isRealtime) return plainText(404, '404 page not found');
  realtimePlayer(gates, request);
  return plainText(426, 'Upgrade Required', { Connection: 'Upgrade', Upgrade: 'websocket' });
}

/** @throws Refusal 400 no body or no JSON, 422 it does not fit */
function bodyOf(endpoint: Endpoint, request: RecordedRequest): unknown {
  if (endpoint.request === undefined) return undefined;
  if (request.body.length === 0) throw new Refusal(problem(400, 'request body is required'));
  const body = looseBody(request);
  if (body === undefined) throw new Refusal(problem(400, 'validation failed'));
  if (endpoint.request === 'json') return body;
  const errors = misfits(endpoint.request, body);
  if (errors.length > 0) throw new Refusal(problem(422, 'validation failed', { errors }));
  return body;
}

function looseBody(request: RecordedRequest): unknown {
  try {
    return JSON.parse(Buffer.from(request.body).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** @throws Refusal */
function integer(text: string): number {
  if (/^-?\d+$/.test(text)) return Number(text);
  const errors = [{ message: 'invalid integer', location: 'path.id', value: text }];
  throw new Refusal(problem(422, 'validation failed', { errors }));
}

/** What makes no sense is the usual count, what is too much the most. */
function countOf(text: string | null, { usual, most }: { usual: number; most: number }): number {
  const count = /^[+]?\d+$/.test(text ?? '') ? Number(text) : 0;
  return count > 0 ? Math.min(count, most) : usual;
}

function announce({ servers }: Backend, { body }: Call): void {
  const { agones_name: name, fleet, address, max_players: most, current_players: now = 0 } = body;
  if (!name || !fleet || !address) {
    throw new Refusal(problem(400, 'agones_name, fleet, and address are required'));
  }
  if (!(most > 0)) throw new Refusal(problem(400, 'max_players must be > 0'));
  if (now < 0 || now > most) {
    throw new Refusal(problem(400, 'current_players must be in [0, max_players]'));
  }
  servers.set(name, body);
}

function listServers(servers: Map<string, Heartbeat>, fleet: string): object {
  const live = [...servers.values()].filter((server) => server.fleet === fleet);
  return {
    servers: live.map(({ fleet: _fleet, agones_name: _name, ...server }) => ({
      name: '',
      region: '',
      current_players: 0,
      game_mode: '',
      level: '',
      version: '',
      ...server,
    })),
  };
}

/** TURN's REST convention: the password is the HMAC of the username. */
function relayCredentials({ matchmaker, now }: Backend, { player, query }: Call): object {
  const matchId = query.get('match_id') ?? '';
  if (matchId !== '' && !matchmaker.isInMatch(matchId, player.id)) {
    throw new Refusal(problem(403, 'forbidden'));
  }
  const username = `${Math.floor(now() / 1000) + RELAY_TTL_S}:3:${player.id}:k1`;
  return {
    username,
    password: createHmac('sha1', 'fake relay').update(username).digest('base64'),
    ttl: RELAY_TTL_S,
    realm: 'ggscale',
    urls: ['turn:relay.example.com:3478?transport=udp'],
    stun_urls: ['stun:stun.example.com:3478'],
  };
}
