/** Worlds of the native level for scenarios. */
import { CLIENT_RING_SIZES, SERVER_RING_SIZES } from '../../addon/sim-rings.js';
import type { NativeConfig, NativeNodeOptions } from '../native/native-config.js';
import { closeAll, proveLiveness } from '../native/native-run.js';
import { NativeWorld } from '../native/native-world.js';
import type { PathProfile } from '../network/profile.js';
import { tapped, type WireWatcher } from '../wire-tap.js';
import { SILENCE } from '../workload/workload.js';
import { seedOf, variedNative, variedProtocol } from './variation.js';

export function nativeNode(
  seed: number,
  changes: Partial<NativeNodeOptions> = {},
): NativeNodeOptions {
  const tickUs = changes.tickUs ?? 0;
  return {
    tickUs,
    startUs: 1_000_000,
    driftPpm: 0,
    seed,
    maxFlows: 4,
    maxAckDelayUs: tickUs > 0 ? Math.ceil(tickUs) + 5_000 : 25_000,
    limits: {},
    channels: [],
    rings: CLIENT_RING_SIZES,
    inboxPackets: 4096,
    ...changes,
  };
}

export interface NativeOptions extends Partial<NativeConfig> {
  seed: number;
  path: PathProfile;
  clientCount?: number;
  serverTickUs?: number;
}

/** `watcher` sees what all ends write. */
export function nativeWorld(
  options: NativeOptions,
  watcher: WireWatcher | null = null,
): NativeWorld {
  const make = variedProtocol();
  return new NativeWorld(
    nativeConfig(options),
    null,
    watcher === null ? make : (own, node) => tapped(make(own, node), node, watcher),
  );
}

export function nativeConfig(options: NativeOptions): NativeConfig {
  const { seed: named, path, clientCount = 1, serverTickUs = 0, ...changes } = options;
  const seed = seedOf(named);
  return variedNative({
    seed,
    server: nativeNode(1000 * seed, {
      tickUs: serverTickUs,
      maxFlows: clientCount * 2 + 2,
      rings: SERVER_RING_SIZES,
    }),
    clients: Array.from({ length: clientCount }, (_, client) => ({
      path,
      node: nativeNode(1000 * seed + client + 1),
    })),
    timeoutS: 5,
    tokenLifeS: 60,
    maxTokenLifetimeS: 0,
    nx: 'on',
    faults: [],
    workload: () => SILENCE,
    churn: false,
    replies: false,
    dialUs: 0,
    redials: false,
    turnsPerCheck: 64,
    ...changes,
  });
}

/** Talks for so long, then everything reliable must arrive, then all is closed. */
export function playNative(world: NativeWorld, talkUs: number): NativeWorld {
  world.run(talkUs);
  proveLiveness(world);
  closeAll(world);
  return world;
}

/** World µs from the dial to the connection, of every client; Infinity for one without. */
export function connectTimes(world: NativeWorld): number[] {
  return world.clientEnds().map((end) => {
    return end.openedUs >= 0 ? end.openedUs - end.dialledUs : Number.POSITIVE_INFINITY;
  });
}
