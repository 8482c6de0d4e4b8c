/** The native side, as the rest of the package sees it. */
export type {
  BoundAddress,
  ClientOptions,
  ConnectTokenFields,
  ConnectTokenOptions,
  Driver,
  Features,
  FlowRef,
  PrivateToken,
  PublicToken,
  ServerOptions,
  SimOptions,
} from './binding.js';
export { type ClientConfig, Endpoint, type ServerConfig } from './endpoint.js';
export { loadBinding } from './load-binding.js';
export { CLIENT_RING_SIZES, type RingSizes, SERVER_RING_SIZES } from './ring-memory.js';
export { SimRings } from './sim-rings.js';
export {
  createConnectToken,
  generateKey,
  openPrivateToken,
  readConnectToken,
  sealConnectToken,
} from './tokens.js';
