/**
 * `@ggscale/transport/sdk`: the client side. Runs in Node and, without the option, in browsers.
 */
export { createRegistry } from '../messages/index.js';
export type { MessagesOf, MessageType, Mode, Registry, ViewsOf } from '../messages/types.js';
export { MessageError } from '../messages/types.js';
export type {
  CloseInfo,
  ConnectionStats,
  Meta,
  ReceiptOutcome,
  Received,
  SendOptions,
  SendResult,
  Wire,
} from '../session/types.js';
export {
  type JitterBufferOptions,
  type PlayoutStats,
  type PlayoutView,
  SnapshotBuffer,
} from '../time/index.js';
export type { ChannelOptions } from '../util/channel-options.js';
export { TransportError } from '../util/errors.js';
export { AnonymousAuth, type AnonymousOptions, defaultSessionPath } from './auth/anonymous.js';
export type { AuthContext, Authenticator } from './auth/authenticator.js';
export { CustomTokenAuth } from './auth/custom-token.js';
export { EmailPasswordAuth } from './auth/email-password.js';
export { OfflineAuth } from './auth/offline.js';
export type { Session, SessionStore } from './auth/session.js';
export { SteamAuth } from './auth/steam.js';
export {
  Client,
  type ClientOption,
  type ClientOptions,
  type HighPerformanceOptions,
  WithHighPerformanceTransport,
} from './client.js';
export * from './error-predicates.js';
export {
  ErrConnectionClosed,
  ErrMatchCancelled,
  ErrNoSession,
  GameDialError,
  GGScaleError,
  MatchFailedError,
  type Problem,
  RealtimeDialError,
  RealtimeError,
  RequestError,
  type RequestErrorKind,
} from './errors.js';
export type { RetryPolicy } from './http/retry.js';
export { type StdNetOptions, StdNetTransport } from './http/std-net-transport.js';
export type {
  CallOptions,
  QueryValue,
  ResponseMetadata,
  Transport,
  TransportRequest,
} from './http/transport.js';
export {
  EVENT_GAME_INVITE,
  EVENT_MATCHMAKER_MATCHED,
  EVENT_PARTY_CHANGED,
  EVENT_PARTY_INVITE,
  EVENT_PRESENCE,
  type RealtimeMessage,
} from './realtime/frames.js';
export type { RealtimeClient } from './realtime/realtime-client.js';
export type { RealtimeTicket } from './realtime/realtime-dial.js';
export type { ReconnectPolicy } from './realtime/reconnect.js';
export type * from './services/index.js';
export type {
  ClientLogger,
  ConnectionState,
  DialGameOptions,
  GameConnection,
  MatchAddress,
} from './types.js';
