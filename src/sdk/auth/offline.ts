import { randomHex } from '../http/request-id.js';
import type { Authenticator } from './authenticator.js';
import type { Session } from './session.js';

/** So far away that no session is refreshed for it. */
const LIFETIME_MS = 100 * 365 * 24 * 3600 * 1000;

/**
 * A session of our own making, without any call: LAN parties, installations without a directory. The
 * player is whoever this object is: it authenticates the same one each time, another one next time.
 */
export class OfflineAuth implements Authenticator {
  readonly #session: Session = {
    accessToken: `offline-${randomHex(16)}`,
    refreshToken: '',
    playerId: randomPlayerId(),
    expiresAt: new Date(Date.now() + LIFETIME_MS),
  };

  authenticate(): Promise<Session> {
    return Promise.resolve(this.#session);
  }
}

/** 1 … 2^53 − 1: what a number of JavaScript and JSON tells apart. */
function randomPlayerId(): number {
  const [low, high] = crypto.getRandomValues(new Uint32Array(2)) as unknown as [number, number];
  return (high & 0x1f_ffff) * 2 ** 32 + low || 1;
}
