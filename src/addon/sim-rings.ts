/** A simulated endpoint: the production drain and flush over memory queues and a given clock. */
import type { AdmissionSettings, AdmissionStatus } from '../util/admission.js';
import { TransportError } from '../util/errors.js';
import { admissionStatus, nativeAdmission } from './admission.js';
import type { FlowRef, SimEndpoint, SimOptions } from './binding.js';
import { loadBinding } from './load-binding.js';
import { callNative } from './native-errors.js';
import { CLIENT_RING_SIZES, createRingMemory, type RingSizes } from './ring-memory.js';
import { Rings } from './rings.js';

export class SimRings extends Rings {
  /** Clock, datagrams and timers of the simulation. */
  readonly native: SimEndpoint;

  /** @throws TransportError bad-option, bad-key, bad-address */
  constructor(options: SimOptions, sizes: RingSizes = CLIENT_RING_SIZES, first = 0) {
    super(createRingMemory(sizes, 1, first));
    if (options === null || typeof options !== 'object') {
      throw new TransportError('bad-option', 'options are required');
    }
    this.native = callNative(() => loadBinding().openSim(this.bytes, options));
  }

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
}
