/** Worlds of the core level for scenarios, and figures out of their books. */
import { CORE_DEFAULTS, type CoreConfig, plainNode } from '../core/core-config.js';
import { closeAll, proveLiveness } from '../core/core-run.js';
import { CoreWorld } from '../core/core-world.js';
import type { PathProfile } from '../network/profile.js';
import type { Ledger } from '../oracle/ledger.js';
import { tapped, type WireWatcher } from '../wire-tap.js';
import type { MakeWorkload } from '../workload/workload.js';
import { seedOf, variedCore, variedProtocol } from './variation.js';

export interface PairOptions extends Partial<CoreConfig> {
  seed: number;
  path: PathProfile;
  workload: MakeWorkload;
}

/** One client and a server; `watcher` sees what both write. */
export function pairWorld(options: PairOptions, watcher: WireWatcher | null = null): CoreWorld {
  const make = variedProtocol();
  return new CoreWorld(
    pairConfig(options),
    null,
    watcher === null ? make : (own, node) => tapped(make(own, node), node, watcher),
  );
}

export function pairConfig(options: PairOptions): CoreConfig {
  const { seed: named, path, workload, ...changes } = options;
  const seed = seedOf(named);
  return variedCore({
    ...CORE_DEFAULTS,
    seed,
    server: plainNode(2 * seed),
    clients: [{ path, node: plainNode(2 * seed + 1) }],
    workload,
    ...changes,
  });
}

/** Talks for so long, then everything reliable must arrive, then all is closed. */
export function playWorld(world: CoreWorld, talkUs: number): CoreWorld {
  world.run(talkUs);
  proveLiveness(world);
  closeAll(world);
  return world;
}

/** Delivery latencies in µs, ascending, of the messages of `mode` sent from `fromUs` on. */
export function latencies(ledger: Ledger, mode: number, fromUs = 0): Float64Array {
  const found: number[] = [];
  for (let number = 0; number < ledger.count; number++) {
    if ((ledger.streams[number] & 3) !== mode || ledger.sentUs[number] < fromUs) continue;
    const atUs = ledger.deliveredUs[number];
    if (atUs >= 0) found.push(atUs - ledger.sentUs[number]);
    else if (mode >= 2) found.push(Number.POSITIVE_INFINITY);
  }
  return Float64Array.from(found).sort();
}

/** Nearest-rank quantile of ascending values. */
export function quantile(sorted: Float64Array, n: number, of: number): number {
  return sorted.length === 0 ? Number.NaN : sorted[Math.ceil((sorted.length * n) / of) - 1];
}

/** The longest time without a delivery while something was waiting to be delivered, in µs. */
export function longestStall(ledger: Ledger, mode: number): number {
  const times: number[] = [];
  let firstUs = Number.POSITIVE_INFINITY;
  for (let number = 0; number < ledger.count; number++) {
    if ((ledger.streams[number] & 3) !== mode) continue;
    firstUs = Math.min(firstUs, ledger.sentUs[number]);
    times.push(ledger.deliveredUs[number]);
  }
  times.sort((a, b) => a - b);
  let longest = 0;
  let lastUs = firstUs;
  for (const atUs of times) {
    longest = Math.max(longest, atUs - lastUs);
    lastUs = Math.max(lastUs, atUs);
  }
  return longest;
}

/** Bytes of `mode` delivered from `fromUs` to `toUs`. */
export function deliveredBytes(ledger: Ledger, mode: number, fromUs: number, toUs: number): number {
  let bytes = 0;
  for (let number = 0; number < ledger.count; number++) {
    const atUs = ledger.deliveredUs[number];
    const isOfMode = (ledger.streams[number] & 3) === mode;
    if (isOfMode && atUs >= fromUs && atUs < toUs) bytes += ledger.lengths[number];
  }
  return bytes;
}
