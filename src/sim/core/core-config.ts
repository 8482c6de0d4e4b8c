/** A world of the core level as data. */
import type { Fault } from '../fault.js';
import type { PathProfile } from '../network/profile.js';
import type { MakeWorkload } from '../workload/workload.js';
import type { CoreNodeOptions } from './core-node.js';

export interface CoreClient {
  path: PathProfile;
  node: CoreNodeOptions;
}

export interface CoreConfig {
  seed: number;
  server: CoreNodeOptions;
  clients: readonly CoreClient[];
  /** Flows between one client and the server, each with slots of its own. */
  flowsPerClient: number;
  /** Largest payload, 1080 … 1300. */
  payloadBytes: number;
  faults: readonly Fault[];
  workload: MakeWorkload;
  /** Flows end, in every way there is, and new ones begin. */
  churn: boolean;
  /** Handlers answer some messages from inside. */
  replies: boolean;
  /** Turns between two looks at everything; 1 looks at each. */
  turnsPerCheck: number;
}

/** Fields that hardly any world cares about. */
export const CORE_DEFAULTS = {
  flowsPerClient: 1,
  payloadBytes: 1200,
  faults: [],
  churn: false,
  replies: false,
  turnsPerCheck: 64,
} as const;

export function plainNode(seed: number, changes: Partial<CoreNodeOptions> = {}): CoreNodeOptions {
  return {
    tickUs: 0,
    startUs: 1_000_000,
    driftPpm: 0,
    inboxPackets: 4096,
    protocol: { maxFlows: 8, seed, registryHash: 1, maxAckDelayUs: 25_000 },
    ...changes,
  };
}
