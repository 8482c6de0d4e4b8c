/** What kind of refusal an error is, by status: for `catch`, which knows no types. */
import { GGScaleError } from './errors.js';

/** 401: no session, or one that is over. */
export function isUnauthorized(error: unknown): error is GGScaleError {
  return hasStatus(error, 401);
}

/** 403. */
export function isForbidden(error: unknown): error is GGScaleError {
  return hasStatus(error, 403);
}

/** 404. */
export function isNotFound(error: unknown): error is GGScaleError {
  return hasStatus(error, 404);
}

/** 409, and 412 of a write whose `If-Match` is no longer what stands (`conflictVersion`). */
export function isConflict(error: unknown): error is GGScaleError {
  return hasStatus(error, 409, 412);
}

/** 429; `retryAfter` says how long. */
export function isRateLimited(error: unknown): error is GGScaleError {
  return hasStatus(error, 429);
}

/** 400: the request makes no sense. */
export function isBadRequest(error: unknown): error is GGScaleError {
  return hasStatus(error, 400);
}

/** 422: a field's value is not accepted; `details` tells which. */
export function isValidation(error: unknown): error is GGScaleError {
  return hasStatus(error, 422);
}

/** 409 `ticket_already_active`: the player waits for a match already. */
export function isTicketActive(error: unknown): error is GGScaleError {
  return hasWord(error, 409, 'ticket_already_active');
}

/** 409 `stale_version`: the party has moved on; read it again. */
export function isStaleVersion(error: unknown): error is GGScaleError {
  return hasWord(error, 409, 'stale_version');
}

/** 503 `party_enqueue_disabled`: the server queues no parties. It is not tried again. */
export function isPartyEnqueueDisabled(error: unknown): error is GGScaleError {
  return hasWord(error, 503, 'party_enqueue_disabled');
}

/** 429 `code_redemption_cooldown`: too many wrong codes; `retryAfter` says how long. */
export function isCodeCooldown(error: unknown): error is GGScaleError {
  return hasWord(error, 429, 'code_redemption_cooldown');
}

/** 403 `delete_requested_by_team`: the game's team has asked for the deletion. */
export function isDeleteRequestedByTeam(error: unknown): error is GGScaleError {
  return hasWord(error, 403, 'delete_requested_by_team');
}

/** The ticket that `isTicketActive` speaks of; 0 when the error names none. */
export function activeTicketIdOf(error: GGScaleError): number {
  if (!Array.isArray(error.details)) return 0;
  for (const detail of error.details as { location?: unknown; value?: unknown }[]) {
    if (detail?.location === 'active_ticket_id' && Number.isSafeInteger(detail.value)) {
      return detail.value as number;
    }
  }
  return 0;
}

function hasStatus(error: unknown, ...statuses: number[]): boolean {
  return error instanceof GGScaleError && statuses.includes(error.status);
}

/** A problem has the word as its code; the legacy envelope, and some problems, have it as their message. */
function hasWord(error: unknown, status: number, word: string): error is GGScaleError {
  if (!(error instanceof GGScaleError) || error.status !== status) return false;
  return error.code === word || error.message.endsWith(`: ${word}`);
}
