/** Random worlds of the native level: the same seeds, with handshakes, rings and addresses. */
import { CLIENT_RING_SIZES, type RingSizes, SERVER_RING_SIZES } from '../../addon/sim-rings.js';
import type { ProtocolLimits } from '../../protocol/api.js';
import type { Fault } from '../fault.js';
import type { NativeConfig, NativeNodeOptions } from '../native/native-config.js';
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

/** Rings that are full every other turn. */
const TIGHT_RINGS: RingSizes = {
  rxCapacity: 8,
  txCapacity: 8,
  rxArenaBytes: 16 << 10,
  txArenaBytes: 16 << 10,
};

export interface SwarmNativeWorld {
  config: NativeConfig;
  safetyUs: number;
}

export function swarmNative(seed: number, profile: string | null = null): SwarmNativeWorld {
  const shape = new Stream(seed, 'native world shape');
  const clients = shape.pick([1, 1, 2, 3]);
  const safetyUs = shape.between(1_000_000, 5_000_000);
  const paths: PathProfile[] = [];
  for (let client = 0; client < clients; client++) paths.push(pathFor(seed, client, profile));
  const both = limitsFor(shape);
  const isTight = shape.isHit(1, 4);
  const serverTickUs = shape.pick([0, 0, 1e6 / 60, 1e6 / 128, 50_000]);
  const tiny = shape.isHit(1, 4) ? tinyReceiver(shape) : {};
  return {
    safetyUs,
    config: {
      seed,
      server: nodeFor(seed, 0, serverTickUs, 16, isTight ? TIGHT_RINGS : SERVER_RING_SIZES, {
        ...both,
        ...tiny,
      }),
      clients: paths.map((path, client) => {
        const rings = shape.isHit(1, 4) ? TIGHT_RINGS : CLIENT_RING_SIZES;
        return { path, node: nodeFor(seed, client + 1, 0, 4, rings, both) };
      }),
      timeoutS: shape.between(2, 8),
      tokenLifeS: 30,
      maxTokenLifetimeS: 0,
      nx: shape.pick(['on', 'on', 'on', 'off', 'required'] as const),
      faults: [
        ...faultsFor(seed, clients, safetyUs, profile),
        ...rebinds(seed, clients, safetyUs),
        ...restarts(seed, safetyUs),
      ],
      workload: workloadsFor(seed, shape),
      churn: shape.isHit(1, 3),
      replies: shape.isHit(1, 2),
      dialUs: 0,
      redials: true,
      turnsPerCheck: 64,
    },
  };
}

function nodeFor(
  seed: number,
  index: number,
  tickUs: number,
  maxFlows: number,
  rings: RingSizes,
  limits: ProtocolLimits,
): NativeNodeOptions {
  const random = new Stream(seed, 'native node', index);
  return {
    tickUs,
    startUs: clockStartUs(random),
    driftPpm: random.isHit(1, 2) ? random.between(-200, 200) : 0,
    seed: random.next31(),
    maxFlows,
    maxAckDelayUs: tickUs > 0 ? Math.ceil(tickUs) + 5_000 : 25_000,
    limits,
    channels: channelsFor(seed, index, limits),
    rings,
    inboxPackets: random.pick([64, 1000, 4096]),
  };
}

function restarts(seed: number, safetyUs: number): Fault[] {
  const random = new Stream(seed, 'restarts');
  return random.isHit(1, 8) ? [{ kind: 'restart', fromUs: random.between(0, safetyUs) }] : [];
}
