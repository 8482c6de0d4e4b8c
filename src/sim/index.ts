/** The simulator: see docs/TESTING.md. */
export { addCounts, type RunFailure, type RunResult } from './run-result.js';
export {
  LEVELS,
  type Level,
  PROFILE_NAMES,
  replayCommand,
  runSeed,
  type SeedRequest,
} from './run-seed.js';
export { Trace } from './trace.js';
