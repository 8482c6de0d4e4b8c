/** What a runtime tells between its turns, straight from its endpoint and protocol. */
import { DROP_REASON_NAMES, type Protocol } from '../protocol/index.js';
import type { AdmissionSettings, AdmissionStatus } from '../util/admission.js';
import type { NativeHandle } from '../util/native-handle.js';
import { type FlowFigures, readFlowFigures } from './flow-figures.js';
import type { RuntimeEndpoint } from './runtime-endpoint.js';

export abstract class RuntimeReadings {
  protected readonly endpoint: RuntimeEndpoint;
  protected readonly protocol: Protocol;

  constructor(endpoint: RuntimeEndpoint, protocol: Protocol) {
    this.endpoint = endpoint;
    this.protocol = protocol;
  }

  /** Generation of a live flow, 0 when the slot is free. */
  abstract generationOf(slot: number): number;

  abstract isOpen(slot: number): boolean;

  /** Time of the current (or last) turn: int32 wrapping µs. */
  get nowUs(): number {
    return this.endpoint.nowUs;
  }

  /** Nanoseconds that this thread has spent in the addon, on its turns. */
  nativeNs(): number {
    return this.endpoint.nativeNs();
  }

  /** See Endpoint. @throws TransportError closed */
  nativeHandle(): NativeHandle {
    return this.endpoint.nativeHandle();
  }

  /** Our protocol clock now, not at the beginning of the turn: int32 wrapping µs. */
  clockUs(): number {
    return this.endpoint.clockUs();
  }

  /** The address the socket is bound to. */
  address(): { host: string; port: number } {
    return this.endpoint.address();
  }

  /** What the kernel gave: batch calls, timestamps, buffer sizes. */
  features(): Record<string, boolean | number | string> {
    return { ...this.endpoint.features() };
  }

  /** See Endpoint: changes what is named, at once. @throws TransportError bad-option, closed */
  setAdmission(settings: AdmissionSettings): void {
    this.endpoint.setAdmission(settings);
  }

  /** @throws TransportError closed */
  admission(): AdmissionStatus {
    return this.endpoint.admission();
  }

  /** Protocol.budget */
  budget(slot: number): number {
    return this.protocol.budget(slot, this.endpoint.nowUs);
  }

  figures(slot: number): FlowFigures {
    return readFlowFigures(this.endpoint, this.protocol, slot, this.generationOf(slot));
  }

  /** Datagrams and packets refused since the start, by reason. */
  drops(): Record<string, number> {
    const drops = this.endpoint.drops();
    for (let reason = 1; reason < DROP_REASON_NAMES.length; reason++) {
      drops[`rl1-${DROP_REASON_NAMES[reason]}`] = this.protocol.counters[reason];
    }
    return drops;
  }

  /** Exchanges of clocks since the flow is ready; 0 for one that is gone. */
  clockSampleCount(slot: number): number {
    return this.isOpen(slot) ? this.protocol.clockSampleCount(slot) : 0;
  }

  /** Protocol.clockSample */
  clockSample(slot: number, index: number, out: Int32Array): boolean {
    return this.protocol.clockSample(slot, index, out);
  }
}
