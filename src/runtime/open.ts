/**
 * Puts a runtime together: endpoint (native), protocol (RL1) and the turn between them. Server and
 * SDK go through here; neither knows the addon or the protocol.
 */
import {
  type ClientConfig,
  type Driver,
  Endpoint,
  readConnectToken,
  type ServerConfig,
} from '../addon/index.js';
import { Protocol } from '../protocol/index.js';
import type { AdmissionSettings } from '../util/admission.js';
import type { ChannelOptions } from '../util/channel-options.js';
import { CLOSE_NORMAL } from '../util/close-codes.js';
import {
  ACK_DELAY_US_MAX,
  PACKET_BYTES,
  PAYLOAD_BYTES,
  SEND_SESSION_BYTES_MAX,
} from '../util/limits.js';
import type { NxMode } from '../util/nx.js';
import type { RuntimeHandler } from './handler.js';
import { Runtime } from './runtime.js';

const ACK_DELAY_IMMEDIATE_US = 25_000;
/** A ticked end acknowledges at its next tick; this is the slack above the tick's length. */
const ACK_DELAY_OVER_TICK_US = 5_000;
const CLIENT_BUFFER_BYTES = 256 * 1024;

export interface ServerRuntimeOptions {
  host: string;
  port: number;
  driver: Driver;
  /** I/O threads; 0: the JavaScript thread moves the datagrams. */
  threads: number;
  /** A CPU for each thread; empty: wherever the system likes. */
  affinity: number[];
  /** 0: no ticks. */
  tickHz: number;
  /** 32 B, shared with whoever mints tokens. */
  privateKey: Uint8Array;
  protocolId: bigint;
  /** 0: unchecked; see native/core, token lifetime. */
  maxTokenLifetimeS: number;
  nx: NxMode;
  maxFlows: number;
  receiveBufferBytes: number;
  sendBufferBytes: number;
  admission: AdmissionSettings;
  registryHash: number;
  /** By channel. */
  channels?: readonly (ChannelOptions | undefined)[];
  /** Entropy for what must not be guessable; 31 bits. */
  seed: number;
}

/**
 * Binds and listens.
 *
 * @throws TransportError address-in-use, permission-denied, bad-address, bad-key, addon-missing,
 *   addon-mismatch, unsupported-runtime, unsupported-platform, out-of-memory
 */
export function openServerRuntime(options: ServerRuntimeOptions, handler: RuntimeHandler): Runtime {
  const { tickHz, driver, maxFlows } = options;
  const tickIntervalUs = tickHz > 0 ? 1e6 / tickHz : 0;
  const config: ServerConfig = {
    host: options.host,
    port: options.port,
    protocolId: options.protocolId,
    privateKey: options.privateKey,
    maxFlows,
    nx: options.nx,
    driver,
    threads: options.threads,
    affinity: options.affinity,
    tickIntervalUs,
    receiveBufferBytes: options.receiveBufferBytes,
    sendBufferBytes: options.sendBufferBytes,
    maxPayloadBytes: PAYLOAD_BYTES,
    admission: options.admission,
    ...(options.maxTokenLifetimeS > 0 ? { maxTokenLifetimeS: options.maxTokenLifetimeS } : {}),
  };
  const ackDelayUs = Math.ceil(tickIntervalUs) + ACK_DELAY_OVER_TICK_US;
  // Each thread counts its slots by itself, up to maxFlows of them.
  const slots = maxFlows * Math.max(1, options.threads);
  // The endpoint comes last: what throws before it leaves nothing open.
  const protocol = new Protocol({
    maxFlows: slots,
    seed: options.seed,
    registryHash: options.registryHash,
    channels: options.channels ?? [],
    limits: { sendReliableBytes: SEND_SESSION_BYTES_MAX },
    maxAckDelayUs:
      driver === 'tick' ? Math.min(ackDelayUs, ACK_DELAY_US_MAX) : ACK_DELAY_IMMEDIATE_US,
  });
  const runtime: Runtime = new Runtime({
    endpoint: Endpoint.openServer(config, () => runtime.turn()),
    protocol,
    handler,
    role: 'server',
    driver,
    tickIntervalUs,
    maxFlows: slots,
    maxPayloadBytes: PACKET_BYTES,
  });
  return runtime;
}

export interface ClientRuntimeOptions {
  /** 2048 B; its server addresses decide the family of the socket. */
  connectToken: Uint8Array;
  nx: NxMode;
  registryHash: number;
  channels?: readonly (ChannelOptions | undefined)[];
  seed: number;
}

/**
 * A socket for one connection, and the beginning of its handshake: the flow is slot 0.
 *
 * @throws TransportError bad-token, and as `openServerRuntime`
 */
export function openClientRuntime(options: ClientRuntimeOptions, handler: RuntimeHandler): Runtime {
  const { serverAddresses } = readConnectToken(options.connectToken);
  const hasIpv6 = serverAddresses.some((address) => address.startsWith('['));
  const config: ClientConfig = {
    host: hasIpv6 ? '::' : '0.0.0.0',
    maxFlows: 1,
    nx: options.nx === 'allow' ? 'auto' : options.nx,
    driver: 'immediate',
    receiveBufferBytes: CLIENT_BUFFER_BYTES,
    sendBufferBytes: CLIENT_BUFFER_BYTES,
    maxPayloadBytes: PAYLOAD_BYTES,
  };
  const protocol = new Protocol({
    maxFlows: 1,
    seed: options.seed,
    registryHash: options.registryHash,
    channels: options.channels ?? [],
    limits: { sendReliableBytes: SEND_SESSION_BYTES_MAX },
    maxAckDelayUs: ACK_DELAY_IMMEDIATE_US,
  });
  const runtime: Runtime = new Runtime({
    endpoint: Endpoint.openClient(config, () => runtime.turn()),
    protocol,
    handler,
    role: 'client',
    driver: 'immediate',
    tickIntervalUs: 0,
    maxFlows: 1,
    maxPayloadBytes: PACKET_BYTES,
  });
  try {
    runtime.connect(options.connectToken);
  } catch (error) {
    runtime.close(CLOSE_NORMAL, '');
    throw error;
  }
  return runtime;
}
