/** All checks of the launch contract. */
import type { Check } from './check.js';
import { CORS_CHECKS } from './cors-checks.js';
import { httpChecks } from './http-checks.js';
import { MATCHMAKING_CHECKS } from './matchmaking-checks.js';
import { REALTIME_CHECKS } from './realtime-checks.js';
import { SESSION_CHECKS } from './session-checks.js';
import { STORAGE_CHECKS } from './storage-checks.js';

export const CHECKS: readonly Check[] = [
  ...httpChecks(),
  ...CORS_CHECKS,
  ...SESSION_CHECKS,
  ...STORAGE_CHECKS,
  ...MATCHMAKING_CHECKS,
  ...REALTIME_CHECKS,
];
