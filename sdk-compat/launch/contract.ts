/**
 * The recorded launch contract, as data: what the server of the pinned version answers, and what it
 * pushes. The fake is held to it (contract.test.ts), and so is the SDK (the tests beside it).
 *
 * Shapes: field → type; a `?` after the name: it may be missing. Sources: the server's published OpenAPI
 * document and its behaviour at the version below.
 */
export const CONTRACT_VERSION = { sdk: 'ggscale-go v0.7.0', server: 'v0.9.71' } as const;

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
  /** Left out: no body. */
  request?: Shape;
  /** Left out: an empty body. */
  response?: Shape;
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

/** By the server's operation names. */
export const ENDPOINTS = {
  healthz: {
    method: 'GET',
    path: '/v1/healthz',
    tier: 'open',
    status: 200,
    response: { status: 'string', version: 'string', commit: 'string' },
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
} as const satisfies Record<string, Endpoint>;

export type Operation = keyof typeof ENDPOINTS;

/** The WebSocket is no operation: it answers 101, or as a request with the same gates would. */
export const REALTIME = { method: 'GET', path: '/v1/ws' } as const;

/** What a text frame's payload holds, by the frame's type. Other types pass through. */
export const FRAMES = {
  matchmaker_matched: {
    ticket_id: 'integer',
    match_id: 'string',
    mode: 'string',
    'address?': 'string',
    'protocol_hint?': 'string',
    'session_id?': 'string',
    'join_code?': 'string',
    'host_player_id?': 'integer',
    users: 'array',
  },
  presence: { player_id: 'integer', status: 'string', session_id: 'any' },
  game_invite: { invite_id: 'integer', session_id: 'string', join_code: 'string' },
  party_changed: { party_id: 'integer', version: 'integer', state: 'string' },
  party_invite: { invite_id: 'integer', party_id: 'integer', from_player_id: 'integer' },
} as const satisfies Record<string, Shape>;

/** One player in `users`. */
export const ROSTER_ENTRY: Shape = {
  player_id: 'integer',
  'region?': 'string',
  'string_properties?': 'object',
  'numeric_properties?': 'object',
  'attributes?': 'any',
};

/** The three error bodies, and where each comes from. */
export const ERROR_BODIES = {
  /** Gates: `text\n`. */
  plainText: { contentType: 'text/plain; charset=utf-8' },
  /** Rate limits, timeouts, verify. */
  legacy: {
    contentType: 'application/json',
    shape: { error: 'string', 'message?': 'string', 'retry_after_seconds?': 'integer' },
  },
  /** Handlers: RFC 9457. */
  problem: {
    contentType: 'application/problem+json',
    shape: {
      title: 'string',
      status: 'integer',
      'detail?': 'string',
      'type?': 'string',
      'instance?': 'string',
      'code?': 'string',
      'errors?': 'array',
    },
  },
} as const;

/** How a client has to take the end of a realtime socket. `none`: the connection broke, no close frame. */
export const CLOSES = [
  { code: 1000, reason: '', means: 'a newer socket of the player won', reconnect: false },
  { code: 'none', reason: '', means: 'the connection broke', reconnect: true },
  { code: 1001, reason: '', means: 'going away', reconnect: true },
  { code: 1006, reason: '', means: 'abnormal', reconnect: true },
  { code: 1011, reason: '', means: 'internal error', reconnect: true },
  { code: 1012, reason: '', means: 'restart', reconnect: true },
  { code: 1013, reason: '', means: 'try again later', reconnect: true },
] as const;

export const LIMITS = {
  accessTokenTtlMs: 15 * 60_000,
  refreshTokenTtlMs: 30 * 24 * 3_600_000,
  /** Clock skew that verification forgives after a token's `exp`. */
  tokenLeewayMs: 30_000,
  realtimeTicketTtlMs: 30_000,
  realtimeTicketBytes: 32,
  pingIntervalMs: 30_000,
  /** Of one message, inbound at either end. */
  frameBytesMax: 1024 * 1024,
  socketsPerPlayerMax: 4,
  tenantCapRetryAfterS: 5,
  matchmakerBodyBytesMax: 64 * 1024,
  attributesBytesMax: 4 * 1024,
  verifyBodyBytesMax: 8 * 1024,
} as const;
