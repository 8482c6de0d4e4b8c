/**
 * `@ggscale/transport/server`: embed the runtime in a game server.
 */

export { createRegistry } from '../messages/index.js';
export type { MessagesOf, MessageType, Mode, Registry, ViewsOf } from '../messages/types.js';
export { MessageError } from '../messages/types.js';
export {
  createConnectToken,
  generateKey,
  openPrivateToken,
  readConnectToken,
  sealConnectToken,
} from '../runtime/tokens.js';
export type {
  CloseInfo,
  ConnectionStats,
  Meta,
  ReceiptOutcome,
  SendOptions,
  SendResult,
  Wire,
} from '../session/types.js';
export { TransportError } from '../util/errors.js';
export type { NativeHandle } from '../util/native-handle.js';
export { GameServer } from './game-server.js';
export type {
  AdmissionSettings,
  AdmissionStatus,
  ChannelOptions,
  DrainOptions,
  GameServerOptions,
  LeaveInfo,
  Logger,
  LogLevel,
  MessageHandler,
  MetricsOptions,
  Player,
  PlayerInputs,
  Rate,
  RawFlow,
  ReceiptHandler,
  Revalidate,
  Room,
  ServerStats,
  TickInfo,
  UdpDriver,
  UdpListenOptions,
  VerifiedSession,
  VerifySession,
  ViewHandler,
  WireTotals,
  WsEngine,
  WsListenOptions,
} from './types.js';
