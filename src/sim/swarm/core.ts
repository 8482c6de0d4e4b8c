/**
 * Random worlds: what a seed stands for. Some kinds of fault are off in each world (swarm testing:
 * Groce et al., ISSTA 2012, found that leaving features out finds more than always using all), limits
 * and clocks are anywhere, packet numbers and message ids often near their wrap.
 */
import type { ProtocolLimits, ProtocolOptions } from '../../protocol/api.js';
import { CORE_DEFAULTS, type CoreConfig } from '../core/core-config.js';
import type { CoreNodeOptions } from '../core/core-node.js';
import type { PathProfile } from '../network/profile.js';
import { Stream } from '../random.js';
import {
  channelsFor,
  clockStartUs,
  faultsFor,
  limitsFor,
  pathFor,
  rebinds,
  tinyReceiver,
  workloadsFor,
} from './parts.js';

export interface SwarmWorld {
  config: CoreConfig;
  safetyUs: number;
}

/** The world of a seed; `profile` names the path that all its clients have instead of any. */
export function swarmCore(seed: number, profile: string | null = null): SwarmWorld {
  const shape = new Stream(seed, 'world shape');
  const clients = shape.pick([1, 1, 1, 2, 3]);
  const safetyUs = shape.between(1_000_000, 4_000_000);
  const paths: PathProfile[] = [];
  for (let client = 0; client < clients; client++) paths.push(pathFor(seed, client, profile));
  const bothLimits = limitsFor(shape);
  const isTiny = shape.isHit(1, 4);
  return {
    safetyUs,
    config: {
      ...CORE_DEFAULTS,
      seed,
      server: nodeFor(seed, 0, shape.pick([0, 0, 1e6 / 60, 1e6 / 128, 50_000]), {
        ...bothLimits,
        ...(isTiny ? tinyReceiver(shape) : {}),
      }),
      clients: paths.map((path, client) => ({
        path,
        node: nodeFor(seed, client + 1, shape.pick([0, 0, 0, 1e6 / 60]), {
          ...bothLimits,
          ...(shape.isHit(1, 4) ? tinyReceiver(shape) : {}),
        }),
      })),
      flowsPerClient: shape.pick([1, 1, 1, 2]),
      payloadBytes: shape.pick([1080, 1192, 1200, 1200, 1300]),
      faults: [...faultsFor(seed, clients, safetyUs, profile), ...rebinds(seed, clients, safetyUs)],
      workload: workloadsFor(seed, shape),
      churn: shape.isHit(1, 3),
      replies: shape.isHit(1, 2),
    },
  };
}

function nodeFor(
  seed: number,
  index: number,
  tickUs: number,
  limits: ProtocolLimits,
): CoreNodeOptions {
  const random = new Stream(seed, 'node', index);
  const protocol: ProtocolOptions = {
    maxFlows: 8,
    seed: random.next31(),
    registryHash: random.next31(),
    maxAckDelayUs:
      tickUs > 0 ? Math.ceil(tickUs) + 5_000 : random.pick([1000, 25_000, 25_000, 80_000]),
    limits,
    channels: channelsFor(seed, index, limits),
  };
  const startUs = clockStartUs(random);
  return {
    tickUs,
    startUs,
    driftPpm: random.isHit(1, 2) ? random.between(-200, 200) : 0,
    inboxPackets: random.pick([64, 1000, 4096]),
    protocol,
  };
}
