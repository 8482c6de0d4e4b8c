import { randomBytes } from 'node:crypto';
import type { Hello } from '../session/control.js';
import { RESUME_SECRET_BYTES, RESUME_WINDOW_MS } from '../session/limits.js';
import type { ListenerHost } from './host.js';

/** A fresh session's `$hello`. */
export function createHello(playerId: string, host: ListenerHost): Hello {
  return {
    session: randomBytes(8).toString('hex'),
    secret: randomBytes(RESUME_SECRET_BYTES).toString('base64url'),
    resumeWindowMs: RESUME_WINDOW_MS,
    player: playerId,
    serverTimeMs: host.nowMs(),
    ticks: host.ticks?.schedule() ?? null,
  };
}
