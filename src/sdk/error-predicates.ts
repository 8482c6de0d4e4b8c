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
  // The legacy envelope has the word in its message.
  const word = 'ticket_already_active';
  return (
    error instanceof GGScaleError &&
    error.status === 409 &&
    (error.code === word || error.message.endsWith(`: ${word}`))
  );
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
