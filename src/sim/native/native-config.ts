/** A world of the native level as data. */

import type { RingSizes } from '../../addon/sim-rings.js';
import type { ChannelOptions, ProtocolLimits } from '../../protocol/api.js';
import type { Fault } from '../fault.js';
import type { PathProfile } from '../network/profile.js';
import type { MakeWorkload } from '../workload/workload.js';

export interface NativeNodeOptions {
  /** 0: driver `immediate`; else `tick` with this interval. */
  tickUs: number;
  /** What the node's clock shows at world time 0; not negative. */
  startUs: number;
  driftPpm: number;
  /** Seed of the native core and of the Protocol. */
  seed: number;
  maxFlows: number;
  maxAckDelayUs: number;
  limits: ProtocolLimits;
  channels: readonly ChannelOptions[];
  rings: RingSizes;
  /** Datagrams that wait in the kernel while the node does not run. */
  inboxPackets: number;
}

export interface NativeClient {
  path: PathProfile;
  node: NativeNodeOptions;
}

export interface NativeConfig {
  seed: number;
  server: NativeNodeOptions;
  clients: readonly NativeClient[];
  /** Of the tokens: how long an end waits for a silent peer, and how long a token is good. */
  timeoutS: number;
  tokenLifeS: number;
  /** 0: the server does not care how long tokens live. */
  maxTokenLifetimeS: number;
  /** Both ends offer NX, speak nothing but netcode 1.02, or insist on NX. */
  nx: 'on' | 'off' | 'required';
  faults: readonly Fault[];
  workload: MakeWorkload;
  churn: boolean;
  replies: boolean;
  /** When the clients dial; with churn they take their time. */
  dialUs: number;
  /** A client whose connection ended dials again. */
  redials: boolean;
  turnsPerCheck: number;
}
