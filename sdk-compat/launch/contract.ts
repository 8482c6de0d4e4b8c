/**
 * The recorded launch contract, as data: what the server of the pinned version answers, and what it
 * pushes. The fake is held to it (contract.test.ts), and so is the SDK (the tests beside it).
 *
 * Shapes: field → type; a `?` after the name: it may be missing. Sources: the server's published OpenAPI
 * document and its behaviour at the version below.
 */
import type { Shape } from './endpoints.js';

export * from './endpoints.js';

export const CONTRACT_VERSION = { sdk: 'ggscale-go v0.7.0', server: 'v0.9.71' } as const;

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

/** What pages of other origins may send and read. */
export const CORS = {
  methods: ['GET', 'POST', 'PATCH', 'PUT', 'DELETE', 'OPTIONS'],
  requestHeaders: [
    'Authorization',
    'Content-Type',
    'X-Session-Token',
    'X-Request-Id',
    'If-Match',
    'If-None-Match',
  ],
  exposedHeaders: ['X-Request-Id', 'X-Api-Version', 'Retry-After', 'Etag'],
  maxAgeS: 300,
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
  /** Of a ticket, per kind; and bytes of a string property. */
  propertiesMax: 16,
  propertyBytesMax: 128,
  verifyBodyBytesMax: 8 * 1024,
  /** Of a game session, and so of a roster that becomes one. */
  roomPlayersMax: 64,
} as const;
