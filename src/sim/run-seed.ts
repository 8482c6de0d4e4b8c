/** A seed and a level name a whole world. */
import { runCore } from './core/core-run.js';
import { runNative } from './native/native-run.js';
import { PROFILES } from './network/profile.js';
import type { RunResult } from './run-result.js';
import { swarmCore } from './swarm/core.js';
import { swarmNative } from './swarm/native.js';
import type { Trace } from './trace.js';

export const LEVELS = ['core', 'native'] as const;
export type Level = (typeof LEVELS)[number];
export const PROFILE_NAMES: readonly string[] = Object.keys(PROFILES);

export interface SeedRequest {
  /** 0 … 2^31 − 1 */
  seed: number;
  level: Level;
  /** The path of all clients; null: anything. */
  profile: string | null;
}

/** Plays the world of a seed to its end; broken invariants are in the result, not thrown. */
export function runSeed(request: SeedRequest, trace: Trace | null = null): RunResult {
  const { seed, level, profile } = request;
  if (level === 'native') {
    const { config, safetyUs } = swarmNative(seed, profile);
    return runNative(config, safetyUs, trace);
  }
  const { config, safetyUs } = swarmCore(seed, profile);
  return runCore(config, { safetyUs, trace });
}

/** The command that plays it again. */
export function replayCommand(request: SeedRequest): string {
  const profile = request.profile === null ? '' : ` --profile=${request.profile}`;
  return `npm run sim -- --seed=${request.seed} --level=${request.level}${profile} --trace`;
}
