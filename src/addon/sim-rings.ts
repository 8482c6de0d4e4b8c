/**
 * A simulated endpoint: the production drain and flush over memory queues and a given clock. It has
 * what a Runtime asks of an endpoint, so that the production turn runs on top of it. This file is the
 * simulator's face of the addon; what else it needs of the folder is exported again below.
 */
import type { AdmissionSettings, AdmissionStatus } from '../util/admission.js';
import { TransportError } from '../util/errors.js';
import type { NativeHandle } from '../util/native-handle.js';
import { admissionStatus, nativeAdmission } from './admission.js';
import type { BoundAddress, FlowRef, SimEndpoint, SimOptions } from './binding.js';
import { loadBinding } from './load-binding.js';
import { callNative } from './native-errors.js';
import { CLIENT_RING_SIZES, createRingMemory, type RingSizes } from './ring-memory.js';
import { Rings } from './rings.js';

export type { ConnectTokenFields, SimOptions } from './binding.js';
export { CLIENT_RING_SIZES, type RingSizes, SERVER_RING_SIZES } from './ring-memory.js';
export { sealConnectToken } from './tokens.js';

/** A simulated endpoint is bound to nothing. */
const NO_ADDRESS: BoundAddress = { host: '0.0.0.0', port: 0, family: 4 };

export class SimRings extends Rings {
  /** Clock, datagrams and timers of the simulation. */
  readonly native: SimEndpoint;
  readonly #dropReasons: ReadonlySet<string>;
  readonly #counterNames: readonly string[];

  /** @throws TransportError bad-option, bad-key, bad-address */
  constructor(options: SimOptions, sizes: RingSizes = CLIENT_RING_SIZES, first = 0) {
    super(createRingMemory(sizes, 1, first));
    if (options === null || typeof options !== 'object') {
      throw new TransportError('bad-option', 'options are required');
    }
    const binding = loadBinding();
    this.#dropReasons = new Set(binding.dropReasons());
    this.#counterNames = binding.counterNames();
    this.native = callNative(() => binding.openSim(this.bytes, options));
  }

  /** @throws TransportError bad-token, bad-option (no room for another flow) */
  connect(token: Uint8Array): FlowRef {
    return callNative(() => this.native.connect(token));
  }

  /** As an endpoint's. */
  setAdmission(settings: AdmissionSettings): void {
    const given = nativeAdmission(settings);
    callNative(() => this.native.setAdmission(given));
  }

  admission(): AdmissionStatus {
    return admissionStatus(callNative(() => this.native.admission()));
  }

  drain(): number {
    const waiting = this.native.drain();
    this.acquireRx();
    return waiting;
  }

  flush(): number {
    this.publishTx();
    const left = this.native.flush();
    this.reclaimTx();
    return left;
  }

  /** Time does not pass inside a turn of a simulated process. */
  clockUs(): number {
    return this.nowUs;
  }

  /** Nor inside a native call. */
  nativeNs(): number {
    return 0;
  }

  address(): BoundAddress {
    return NO_ADDRESS;
  }

  /** A simulated process has no native neighbours. */
  nativeHandle(): NativeHandle {
    throw new TransportError('unsupported-platform', 'a simulated endpoint has no native handle');
  }

  /** Its world has no kernel. */
  features(): Record<string, never> {
    return {};
  }

  /** By name. */
  counters(): Record<string, number> {
    const values = new Float64Array(this.#counterNames.length);
    this.native.counters(values);
    return Object.fromEntries(this.#counterNames.map((name, index) => [name, values[index]]));
  }

  /** Datagrams lost, by reason. */
  drops(): Record<string, number> {
    const entries = Object.entries(this.counters());
    return Object.fromEntries(entries.filter(([name]) => this.#dropReasons.has(name)));
  }

  flowStats(slot: number, generation: number, out: Float64Array): boolean {
    return this.native.flowStats(slot, generation, out);
  }

  flowAddress(slot: number, generation: number): string | null {
    return this.native.flowAddress(slot, generation);
  }

  /** Sends what is committed and says goodbye to every flow; what that sends stays pollable. */
  close(): void {
    this.publishTx();
    this.native.close();
  }
}
