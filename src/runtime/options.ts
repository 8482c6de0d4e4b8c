/** What a runtime is made of. */
import type { Driver } from '../addon/binding.js';
import type { Protocol } from '../protocol/index.js';
import type { RuntimeHandler } from './handler.js';
import type { RuntimeEndpoint } from './runtime-endpoint.js';

export interface RuntimeOptions {
  endpoint: RuntimeEndpoint;
  protocol: Protocol;
  handler: RuntimeHandler;
  role: 'server' | 'client';
  driver: Driver;
  /** 0: no ticks. */
  tickIntervalUs: number;
  /** Slots of flows. */
  maxFlows: number;
  /** Largest RL1 packet. */
  maxPayloadBytes: number;
  /** Calls back when the current task is over; `queueMicrotask` outside of the simulator. */
  defer?: (callback: () => void) => void;
}
