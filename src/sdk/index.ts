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
export {
  Client,
  type ClientOption,
  type ClientOptions,
  type HighPerformanceOptions,
  WithHighPerformanceTransport,
} from './client.js';
export {
  ErrConnectionClosed,
  GameDialError,
  GGScaleError,
  RequestError,
  type RequestErrorKind,
} from './errors.js';
export { StdNetTransport, type Transport, type TransportRequest } from './transport.js';
export type {
  ClientLogger,
  ConnectionState,
  DialGameOptions,
  GameConnection,
  MatchAddress,
} from './types.js';
