/** Types of the native module. Only `src/addon` loads it; everybody else uses `Endpoint`. */
import type { NativeHandle } from '../util/native-handle.js';

/**
 * When JavaScript takes its turns. `immediate`: at each readable; `auto`: at each readable while that
 * is seldom, else every 250 to 1,000 µs; `tick`: at ticks and deadlines only.
 */
export type Driver = 'immediate' | 'auto' | 'tick';

export interface CommonOptions {
  driver: Driver;
  /** 0: no ticks. May have a fraction (60 Hz is 1e6 / 60). */
  tickIntervalUs: number;
  /** 0: for a pause of 50 ms with `maxFlows` peers at 60 Hz. What was obtained is in `features()`. */
  receiveBufferBytes: number;
  sendBufferBytes: number;
  /**
   * Receive datagrams that came together as one (UDP_GRO). Default: true for clients, false for
   * servers. It makes bulk data 40 % cheaper to receive and everything else 1 to 2 % dearer.
   */
  gro?: boolean;
  /** 1 to 1200; up to 1300 are received from peers that send them. */
  maxPayloadBytes: number;
  /** Added to the monotonic clock, for tests near a wrap. */
  clockOffsetUs: number;
}

export interface ServerOptions extends CommonOptions {
  /** A literal IPv4 or IPv6 address; `::` serves both. */
  host: string;
  /** 0: any free port. */
  port: number;
  protocolId: bigint;
  /** 32 B, shared with the backend. */
  privateKey: Uint8Array;
  /** `ip:port` that a token must name one of; empty: any. */
  serverAddresses: string[];
  maxFlows: number;
  admission?: NativeAdmission;
  /** I/O threads, 1 to 16; 0 (default): the JavaScript thread moves the datagrams. */
  threads?: number;
  /** A CPU for each thread; empty (default): wherever the system likes. */
  affinity?: number[];
  /** Tokens remembered until they expire. */
  tokenHistory?: number;
  maxTokenLifetimeS?: number;
  /** Accepts tokens with a negative timeout. */
  development?: boolean;
  /** docs/wire/nx.md; `allow` by default. */
  nx?: 'off' | 'allow' | 'require';
}

export type NativeRate = { perSecond: number; burst: number };

/** As AdmissionSettings, but `perSecond: Infinity` is no limit. */
export interface NativeAdmission {
  tokenOpens?: NativeRate;
  handshakes?: NativeRate;
  handshakesPerPrefix?: NativeRate;
  maxPending?: number;
  maxFlows?: number;
  blocked?: readonly string[];
  busy?: boolean;
  retryAfterS?: number;
  packetsPerFlow?: NativeRate;
  bytesPerFlow?: NativeRate;
}

/** As AdmissionStatus, but Infinity is no limit. */
export interface NativeAdmissionStatus extends Required<NativeAdmission> {
  flows: number;
  pending: number;
  tokens: number;
  tokensMax: number;
  tokenOpensLeft: number;
  handshakesLeft: number;
  prefixes: number;
  prefixesMax: number;
  prefixesEvicted: number;
}

export interface ClientOptions extends CommonOptions {
  host: string;
  port: number;
  maxFlows: number;
  /** docs/wire/nx.md; `auto` by default. */
  nx?: 'off' | 'auto' | 'require';
  /**
   * Offers X25519 with the new keys: what was recorded stays secret when the token leaks later, for
   * 0.1 ms of either end's time per connection.
   */
  x25519?: boolean;
}

export interface SimOptions {
  role: 'server' | 'client';
  /** Everything random follows from it. */
  seed: number;
  startUs: number;
  /** The wall clock at `startUs`, in seconds since 1970. */
  unixS: number;
  maxFlows: number;
  maxPayloadBytes: number;
  tickIntervalUs: number;
  /** Required for a server. */
  protocolId?: bigint;
  privateKey?: Uint8Array;
  serverAddresses?: string[];
  admission?: NativeAdmission;
  tokenHistory?: number;
  maxTokenLifetimeS?: number;
  development?: boolean;
  /** As of a server or a client. */
  nx?: 'off' | 'allow' | 'auto' | 'require';
}

export interface ConnectTokenOptions {
  protocolId: bigint;
  privateKey: Uint8Array;
  clientId: bigint;
  /** Addresses as the server knows itself. */
  serverAddresses: string[];
  expireSeconds: number;
  timeoutSeconds: number;
  /** At most 256 B; zeros follow. */
  userData?: Uint8Array;
  /** What the client dials, where it differs (NAT, load balancer). */
  publicAddresses?: string[];
  /** What the token says about NX; `known` by default. */
  nx?: TokenNx;
}

/** `required`: payloads pass only under NX keys. */
export type TokenNx = 'silent' | 'known' | 'required';

export interface ConnectTokenFields {
  protocolId: bigint;
  privateKey: Uint8Array;
  clientId: bigint;
  serverAddresses: string[];
  publicAddresses?: string[];
  /** Seconds since 1970. */
  createTimestamp: bigint;
  expireTimestamp: bigint;
  timeoutSeconds: number;
  userData?: Uint8Array;
  /** `silent` by default. */
  nx?: TokenNx;
  /** 24 B; never twice under one private key. */
  nonce: Uint8Array;
  clientToServerKey: Uint8Array;
  serverToClientKey: Uint8Array;
}

export interface PublicToken {
  protocolId: bigint;
  createTimestamp: bigint;
  expireTimestamp: bigint;
  timeoutSeconds: number;
  serverAddresses: string[];
  clientToServerKey: Uint8Array;
  serverToClientKey: Uint8Array;
}

export interface PrivateToken {
  clientId: bigint;
  timeoutSeconds: number;
  serverAddresses: string[];
  userData: Uint8Array;
  clientToServerKey: Uint8Array;
  serverToClientKey: Uint8Array;
}

export interface FlowRef {
  slot: number;
  generation: number;
}

export interface BoundAddress {
  host: string;
  port: number;
  family: 4 | 6;
}

/** What the kernel gave at open, less what it refused since. Buffer sizes are as asked for, without
 * the kernel's bookkeeping. */
export type NativeFeatures = {
  /** Several datagrams per system call. */
  recvmmsg: boolean;
  sendmmsg: boolean;
  /** Runs of datagrams to one peer leave as one (UDP_SEGMENT). */
  gso: boolean;
  /** Datagrams that came together are received as one (UDP_GRO); see the option. */
  gro: boolean;
  /** Arrival times are the kernel's. */
  timestamps: boolean;
  /** Datagrams that the kernel dropped are counted (`rx-overflow`). */
  rxqOverflow: boolean;
  /** Answers leave from the address that was called. */
  packetInfo: boolean;
  /** Handshake requests have a socket and a buffer of their own. */
  handshakeSocket: boolean;
  /** IPv4 and IPv6 on one socket. */
  dualStack: boolean;
  /** The kernel chooses among the sockets of the port (handshakes, I/O threads). */
  steering: boolean;
  receiveBufferBytes: number;
  sendBufferBytes: number;
  /** How long the receive buffer takes what `maxFlows` peers send at 60 Hz while nobody reads, ms. */
  receivePauseMs: number;
};

/** And who drives. */
export type Features = NativeFeatures & {
  driver: Driver;
  /** I/O threads; 0: none. */
  threads: number;
};

/** What real and simulated endpoints share. */
export interface NativeCore {
  drain(): number;
  connect(token: Uint8Array, localHost?: string): FlowRef;
  counters(out: Float64Array): void;
  flowStats(slot: number, generation: number, out: Float64Array): boolean;
  flowAddress(slot: number, generation: number): string | null;
  setAdmission(settings: NativeAdmission): void;
  admission(): NativeAdmissionStatus;
  setTickIntervalUs(us: number): void;
  close(): void;
}

export interface NativeEndpoint extends NativeCore {
  /** `wantsRoom`: there is more to send than the rings hold, so a wake is due when they empty. */
  flush(wantsRoom: boolean): number;
  address(): BoundAddress;
  features(): NativeFeatures;
  /** Nanoseconds that `drain` and `flush` have taken so far. */
  nativeNs(): number;
  /** The endpoint's clock now: int32 wrapping microseconds. */
  clockUs(): number;
  nativeHandle(): NativeHandle;
  ref(): void;
  unref(): void;
}

export interface SimEndpoint extends NativeCore {
  flush(): number;
  /** Moves the clock; it never goes back. */
  setTime(us: number): void;
  /** A datagram from `ip:port` arrives now. */
  inject(address: string, bytes: Uint8Array): void;
  /** The next datagram sent, at the front of `out`; null when there is none. */
  pollTransmit(out: Uint8Array): { address: string; length: number } | null;
  /** When the endpoint wants to run again, in µs of its clock. */
  deadlineUs(): number | null;
  /** Wake reasons that are due; 0: none, or netcode alone (`service`). */
  dueReasons(): number;
  /** Runs netcode's own timers; true when a turn should follow. */
  service(): boolean;
  checkInvariants(): void;
}

export interface Binding {
  layout(): Record<string, number>;
  dropReasons(): string[];
  counterNames(): string[];
  generateKey(): Uint8Array;
  createConnectToken(options: ConnectTokenOptions): Uint8Array;
  sealConnectToken(fields: ConnectTokenFields): Uint8Array;
  readConnectToken(token: Uint8Array): PublicToken;
  openPrivateToken(token: Uint8Array, privateKey: Uint8Array): PrivateToken;
  /** `memory` has a section for each thread. */
  openServer(
    memory: Uint8Array,
    options: ServerOptions,
    onWake: (reasons: number) => void,
  ): NativeEndpoint;
  openClient(
    memory: Uint8Array,
    options: ClientOptions,
    onWake: (reasons: number) => void,
  ): NativeEndpoint;
  openSim(memory: Uint8Array, options: SimOptions): SimEndpoint;
}
