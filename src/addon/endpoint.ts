/**
 * A native endpoint with its rings: real sockets, netcode, one timer.
 *
 * A wake carries nothing but its reasons; the answer to it is one turn:
 *
 *   drain() → while (rxPoll()) … → rxRelease() → txReserve/txCommit … → setDeadline() → flush()
 */
import type { AdmissionSettings, AdmissionStatus } from '../util/admission.js';
import { TransportError } from '../util/errors.js';
import type { NativeHandle } from '../util/native-handle.js';
import { admissionStatus, nativeAdmission } from './admission.js';
import type {
  Binding,
  BoundAddress,
  ClientOptions,
  CommonOptions,
  Driver,
  Features,
  FlowRef,
  NativeEndpoint,
  ServerOptions,
} from './binding.js';
import { loadBinding } from './load-binding.js';
import { callNative } from './native-errors.js';
import {
  CLIENT_RING_SIZES,
  createRingMemory,
  type RingSizes,
  SERVER_RING_SIZES,
} from './ring-memory.js';
import { Rings } from './rings.js';

export type OnWake = (reasons: number) => void;

type Defaulted<T extends CommonOptions, K extends keyof T> = Omit<T, K> & Partial<Pick<T, K>>;

export type ServerConfig = Defaulted<
  Omit<ServerOptions, 'admission'>,
  keyof CommonOptions | 'host' | 'port' | 'serverAddresses' | 'maxFlows'
> & { rings?: Partial<RingSizes>; admission?: AdmissionSettings };

export type ClientConfig = Partial<ClientOptions> & { rings?: Partial<RingSizes> };

/** As many sockets the kernel's steering program knows. */
const THREADS_MAX = 16;

const COMMON: CommonOptions = {
  driver: 'immediate',
  tickIntervalUs: 0,
  receiveBufferBytes: 0,
  sendBufferBytes: 0,
  maxPayloadBytes: 1200,
  clockOffsetUs: 0,
};

export class Endpoint extends Rings {
  readonly #native: NativeEndpoint;
  readonly #binding: Binding;
  readonly #driver: Driver;
  readonly #threads: number;
  #isClosed = false;

  /**
   * Binds and listens. An open endpoint keeps the process alive (see `unref`).
   *
   * @throws TransportError address-in-use, permission-denied, bad-address, bad-key, bad-option,
   *   out-of-memory, addon-missing, addon-mismatch, unsupported-runtime, unsupported-platform
   */
  static openServer(config: ServerConfig, onWake: OnWake): Endpoint {
    const { rings, admission, ...given } = config;
    const options: ServerOptions = {
      ...COMMON,
      host: '0.0.0.0',
      port: 0,
      serverAddresses: [],
      maxFlows: 1024,
      ...given,
      ...(admission === undefined ? {} : { admission: nativeAdmission(admission) }),
    };
    checkOptions(options);
    const threads = options.threads ?? 0;
    checkWhole('threads', threads, THREADS_MAX);
    checkAffinity(options.affinity ?? [], threads);
    return new Endpoint({ ...SERVER_RING_SIZES, ...rings }, options, (binding, bytes) =>
      binding.openServer(bytes, options, onWake),
    );
  }

  /** A socket for connections to servers; see `connect`. Throws like `openServer`. */
  static openClient(config: ClientConfig, onWake: OnWake): Endpoint {
    const { rings, ...given } = config;
    const options: ClientOptions = { ...COMMON, host: '0.0.0.0', port: 0, maxFlows: 1, ...given };
    checkOptions(options);
    return new Endpoint({ ...CLIENT_RING_SIZES, ...rings }, options, (binding, bytes) =>
      binding.openClient(bytes, options, onWake),
    );
  }

  private constructor(
    sizes: RingSizes,
    { driver, threads = 0 }: { driver: Driver; threads?: number },
    open: (binding: Binding, bytes: Uint8Array) => NativeEndpoint,
  ) {
    const binding = loadBinding();
    const pairs = Math.max(1, threads);
    super(createRingMemory(sizes, pairs), pairs);
    this.#driver = driver;
    this.#threads = threads;
    this.#binding = binding;
    this.#native = callNative(() => open(binding, this.bytes));
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Runs due netcode timers, receives; returns the descriptors that wait. 0 once closed. */
  drain(): number {
    // The time of the turn must not be before an arrival that the turn sees: with threads it is read
    // after the rings.
    if (this.#threads > 0) this.acquireRx();
    const waiting = this.#native.drain();
    if (this.#threads === 0) this.acquireRx();
    return waiting;
  }

  /** Sends everything committed, arms the timer; returns the descriptors that the kernel refused. */
  flush(): number {
    this.publishTx();
    const left = this.#native.flush(this.takeWantsRoom());
    this.reclaimTx();
    return left;
  }

  /**
   * Begins a connection; RX_OPENED or RX_CLOSED tells how it went. `localHost` is the address to
   * send from, for many flows to one server over one socket (a server tells flows apart by address).
   *
   * @throws TransportError bad-token, bad-address, bad-option (no room for another flow), closed
   */
  connect(token: Uint8Array, localHost?: string): FlowRef {
    return callNative(() => this.#native.connect(token, localHost));
  }

  address(): BoundAddress {
    return this.#native.address();
  }

  features(): Features {
    return { ...this.#native.features(), driver: this.#driver, threads: this.#threads };
  }

  /** The endpoint's clock now (not of the last drain): int32 wrapping microseconds. */
  clockUs(): number {
    return this.#native.clockUs();
  }

  /** Nanoseconds that this thread has spent in `drain` and `flush` so far. */
  nativeNs(): number {
    return this.#native.nativeNs();
  }

  counterNames(): string[] {
    return this.#binding.counterNames();
  }

  /** Fills `out` in the order of `counterNames()`. */
  counters(out: Float64Array): void {
    this.#native.counters(out);
  }

  /**
   * For native modules of this process; a new value at each call, of one and the same endpoint.
   *
   * @throws TransportError closed
   */
  nativeHandle(): NativeHandle {
    return callNative(() => this.#native.nativeHandle());
  }

  /** Datagrams lost, by reason; reasons that never occurred are 0. */
  drops(): Record<string, number> {
    const names = this.counterNames();
    const values = new Float64Array(names.length);
    this.counters(values);
    const reasons = new Set(this.#binding.dropReasons());
    const drops: Record<string, number> = {};
    for (let i = 0; i < names.length; i++) {
      if (reasons.has(names[i])) drops[names[i]] = values[i];
    }
    return drops;
  }

  /**
   * packetsIn, bytesIn, packetsOut, bytesOut, lost, failedOpens, NX epoch (0: keys of the token),
   * migrations; false for a flow that is gone.
   */
  flowStats(slot: number, generation: number, out: Float64Array): boolean {
    return this.#native.flowStats(slot, generation, out);
  }

  /** `ip:port` of the peer; null for a flow that is gone. */
  flowAddress(slot: number, generation: number): string | null {
    return this.#native.flowAddress(slot, generation);
  }

  /**
   * Changes the settings that are named, at once; flows that end by it are told in the next turn.
   * Servers only. On an error nothing changes.
   *
   * @throws TransportError bad-option, closed
   */
  setAdmission(settings: AdmissionSettings): void {
    const given = nativeAdmission(settings);
    callNative(() => this.#native.setAdmission(given));
  }

  /**
   * All admission settings, and how full everything is. Servers only.
   *
   * @throws TransportError bad-option, closed
   */
  admission(): AdmissionStatus {
    return admissionStatus(callNative(() => this.#native.admission()));
  }

  /** Restarts the tick schedule from now; 0 stops it. */
  setTickIntervalUs(us: number): void {
    this.#native.setTickIntervalUs(us);
  }

  /** Keeps the process alive while open, as at first. */
  ref(): void {
    this.#native.ref();
  }

  unref(): void {
    this.#native.unref();
  }

  /** Sends what is committed, says goodbye to every flow, closes the sockets. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.publishTx();
    this.#native.close();
  }
}

/** N-API would wrap a negative number silently. */
function checkOptions(options: ServerOptions | ClientOptions): void {
  checkWhole('port', options.port, 65_535);
  checkWhole('maxFlows', options.maxFlows, 0xffffffff);
  checkWhole('receiveBufferBytes', options.receiveBufferBytes, 0x3fffffff);
  checkWhole('sendBufferBytes', options.sendBufferBytes, 0x3fffffff);
  checkWhole('maxPayloadBytes', options.maxPayloadBytes, 1300);
}

function checkAffinity(affinity: number[], threads: number): void {
  if (!Array.isArray(affinity) || (affinity.length > 0 && affinity.length !== threads)) {
    throw new TransportError('bad-option', 'affinity must name a CPU for each thread, or none');
  }
  for (const cpu of affinity) checkWhole('affinity', cpu, 1023);
}

function checkWhole(name: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= max) return;
  throw new TransportError('bad-option', `${name} must be a whole number from 0 to ${max}`);
}
