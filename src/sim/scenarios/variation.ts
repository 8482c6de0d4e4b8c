/**
 * What is changed about scenarios from outside, without their knowing: other seeds, to see whether a
 * criterion holds on them too; a spoiled part, to see whether the criterion notices.
 */
import type { CoreConfig } from '../core/core-config.js';
import { type MakeProtocol, makeProtocol } from '../make-protocol.js';
import type { NativeConfig } from '../native/native-config.js';

export interface Variation {
  /** Added to every seed. */
  seedShift?: number;
  core?: (config: CoreConfig) => CoreConfig;
  native?: (config: NativeConfig) => NativeConfig;
  protocol?: MakeProtocol;
}

const PLAIN: Variation = {};
let present = PLAIN;

/** Plays `work` with the variation; it must not wait for anything. */
export function withVariation<T>(variation: Variation, work: () => T): T {
  const before = present;
  present = variation;
  try {
    return work();
  } finally {
    present = before;
  }
}

/** The seed to take where a scenario names one. */
export function seedOf(named: number): number {
  return named + (present.seedShift ?? 0);
}

export function variedCore(config: CoreConfig): CoreConfig {
  return present.core?.(config) ?? config;
}

export function variedNative(config: NativeConfig): NativeConfig {
  return present.native?.(config) ?? config;
}

export function variedProtocol(): MakeProtocol {
  return present.protocol ?? makeProtocol;
}
