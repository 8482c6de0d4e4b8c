/** The operations of the launch contract (contract.ts), by the server's names for them. */
export type FieldType =
  | 'string'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'time'
  | 'array'
  | 'object'
  | 'any';
export type Shape = Readonly<Record<string, FieldType>>;

/**
 * Who may call. `open`: everybody. `key`: any API key. `secret`: a secret API key. `player`: an API key and
 * a player's session token.
 */
export type Tier = 'open' | 'key' | 'secret' | 'player';

export interface Endpoint {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With `{name}` for each parameter. */
  path: string;
  tier: Tier;
  /** Of success. */
  status: number;
  /** Left out: no body. `json`: any JSON. */
  request?: Shape | 'json';
  /** Left out: an empty body. `json`: any object. */
  response?: Shape | 'json';
}

const SESSION: Shape = {
  access_token: 'string',
  refresh_token: 'string',
  player_id: 'integer',
  expires_at: 'time',
};

const TICKET: Shape = {
  id: 'integer',
  status: 'string',
  mode: 'string',
  region: 'string',
  allow_cross_region: 'boolean',
  game_mode: 'string',
  min_count: 'integer',
  max_count: 'integer',
  count_multiple: 'integer',
  match_address: 'string',
  created_at: 'time',
  'query?': 'string',
  'string_properties?': 'object',
  'numeric_properties?': 'object',
  'attributes?': 'any',
  'match_id?': 'string',
  'protocol_hint?': 'string',
  'session_id?': 'string',
  'join_code?': 'string',
  'host_player_id?': 'integer',
  'users?': 'array',
  'failure_reason?': 'string',
  'matched_at?': 'time',
  'expires_at?': 'time',
};

const ROOM: Shape = {
  session_id: 'string',
  join_code: 'string',
  state: 'string',
  expires_at: 'time',
  peers: 'array',
};

const STORED: Shape = { key: 'string', value: 'any', version: 'integer', updated_at: 'time' };

/** By the server's operation names. */
export const ENDPOINTS = {
  healthz: {
    method: 'GET',
    path: '/v1/healthz',
    tier: 'open',
    status: 200,
    response: { status: 'string', version: 'string', commit: 'string' },
  },
  getRemoteConfig: {
    method: 'GET',
    path: '/v1/config',
    tier: 'key',
    status: 200,
    response: 'json',
  },
  authLogin: {
    method: 'POST',
    path: '/v1/auth/login',
    tier: 'key',
    status: 200,
    request: { 'email?': 'string', 'password?': 'string' },
    response: SESSION,
  },
  authCustomToken: {
    method: 'POST',
    path: '/v1/auth/custom-token',
    tier: 'key',
    status: 200,
    request: { token: 'string' },
    response: SESSION,
  },
  authSteam: {
    method: 'POST',
    path: '/v1/auth/steam',
    tier: 'key',
    status: 200,
    request: { ticket: 'string' },
    response: SESSION,
  },
  authAnonymous: {
    method: 'POST',
    path: '/v1/auth/anonymous',
    tier: 'key',
    status: 200,
    response: { ...SESSION, external_id: 'string' },
  },
  authRefresh: {
    method: 'POST',
    path: '/v1/auth/refresh',
    tier: 'key',
    status: 200,
    request: { refresh_token: 'string' },
    response: SESSION,
  },
  authLogout: {
    method: 'POST',
    path: '/v1/auth/logout',
    tier: 'key',
    status: 204,
    request: { refresh_token: 'string' },
  },
  createRealtimeTicket: {
    method: 'POST',
    path: '/v1/ws/ticket',
    tier: 'player',
    status: 201,
    response: { ticket: 'string', expires_in_seconds: 'integer' },
  },
  createMatchmakerTicket: {
    method: 'POST',
    path: '/v1/matchmaker/tickets',
    tier: 'player',
    status: 201,
    request: {
      'mode?': 'string',
      'fleet?': 'string',
      'region?': 'string',
      'allow_cross_region?': 'boolean',
      'game_mode?': 'string',
      'min_count?': 'integer',
      'max_count?': 'integer',
      'count_multiple?': 'integer',
      'query?': 'string',
      'string_properties?': 'object',
      'numeric_properties?': 'object',
      'attributes?': 'any',
    },
    response: TICKET,
  },
  getMatchmakerTicket: {
    method: 'GET',
    path: '/v1/matchmaker/tickets/{id}',
    tier: 'player',
    status: 200,
    response: TICKET,
  },
  cancelMatchmakerTicket: {
    method: 'DELETE',
    path: '/v1/matchmaker/tickets/{id}',
    tier: 'player',
    status: 204,
  },
  getStorageObject: {
    method: 'GET',
    path: '/v1/storage/objects/{key}',
    tier: 'player',
    status: 200,
    response: STORED,
  },
  putStorageObject: {
    method: 'PUT',
    path: '/v1/storage/objects/{key}',
    tier: 'player',
    status: 200,
    request: 'json',
    response: STORED,
  },
  deleteStorageObject: {
    method: 'DELETE',
    path: '/v1/storage/objects/{key}',
    tier: 'player',
    status: 204,
  },
  listStorageObjects: {
    method: 'GET',
    path: '/v1/storage/objects',
    tier: 'player',
    status: 200,
    response: { items: 'array', next_cursor: 'string' },
  },
  verifyPlayerSession: {
    method: 'POST',
    path: '/v1/server/player-sessions/verify',
    tier: 'secret',
    status: 200,
    request: { session_token: 'string' },
    response: { player_id: 'integer', external_id: 'string', 'email?': 'string' },
  },
  fleetHeartbeat: {
    method: 'POST',
    path: '/v1/fleets/heartbeat',
    tier: 'secret',
    status: 204,
    request: {
      'agones_name?': 'string',
      'fleet?': 'string',
      'address?': 'string',
      'region?': 'string',
      'name?': 'string',
      'current_players?': 'integer',
      'max_players?': 'integer',
      'game_mode?': 'string',
      'level?': 'string',
      'version?': 'string',
    },
  },
  fleetServersList: {
    method: 'GET',
    path: '/v1/fleets/{fleet}/servers',
    tier: 'player',
    status: 200,
    response: { servers: 'array' },
  },
  createGameSession: {
    method: 'POST',
    path: '/v1/game-session',
    tier: 'player',
    status: 201,
    request: {
      'title_id?': 'string',
      'public_addr?': 'object',
      'props?': 'any',
      'max_players?': 'integer',
      'private?': 'boolean',
    },
    response: ROOM,
  },
  resolveGameSession: {
    method: 'GET',
    path: '/v1/game-session',
    tier: 'player',
    status: 200,
    response: { session_id: 'string' },
  },
  listGameSessions: {
    method: 'GET',
    path: '/v1/game-sessions',
    tier: 'player',
    status: 200,
    response: { items: 'array', next_cursor: 'string' },
  },
  getGameSession: {
    method: 'GET',
    path: '/v1/game-session/{id}',
    tier: 'player',
    status: 200,
    response: ROOM,
  },
  joinGameSession: {
    method: 'POST',
    path: '/v1/game-session/{id}/join',
    tier: 'player',
    status: 200,
    request: { 'public_addr?': 'object' },
    response: ROOM,
  },
  heartbeatGameSession: {
    method: 'POST',
    path: '/v1/game-session/{id}/heartbeat',
    tier: 'player',
    status: 200,
    request: { 'qos?': 'any' },
    response: { ok: 'boolean', peers: 'array' },
  },
  leaveGameSession: {
    method: 'DELETE',
    path: '/v1/game-session/{id}',
    tier: 'player',
    status: 204,
  },
  issueRelayCredentials: {
    method: 'POST',
    path: '/v1/relay/credentials',
    tier: 'player',
    status: 200,
    response: {
      username: 'string',
      password: 'string',
      ttl: 'integer',
      realm: 'string',
      'urls?': 'array',
      'stun_urls?': 'array',
    },
  },
  submitScore: {
    method: 'POST',
    path: '/v1/leaderboards/{id}/scores',
    tier: 'player',
    status: 201,
    request: { score: 'integer', 'metadata?': 'object' },
  },
  serverSubmitScore: {
    method: 'POST',
    path: '/v1/server/leaderboards/{id}/scores',
    tier: 'secret',
    status: 201,
    request: { player_id: 'integer', score: 'integer', 'metadata?': 'object' },
  },
  leaderboardTop: {
    method: 'GET',
    path: '/v1/leaderboards/{id}/top',
    tier: 'player',
    status: 200,
    response: { entries: 'array' },
  },
  leaderboardAroundMe: {
    method: 'GET',
    path: '/v1/leaderboards/{id}/around-me',
    tier: 'player',
    status: 200,
    response: { entries: 'array', self_rank: 'integer' },
  },
} as const satisfies Record<string, Endpoint>;

export type Operation = keyof typeof ENDPOINTS;
