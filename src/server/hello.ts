import type { Hello } from '../session/control.js';
import { RESUME_SECRET_BYTES } from '../session/limits.js';
import { ServerSession } from '../session/server-session.js';
import type { ListenerHost } from './host.js';
import type { AnyPeer, PlayerEntry } from './player-entry.js';
import { takeRandomBytes } from './random-bytes.js';

/** A fresh session on the player's first link. */
export function createSession(peer: AnyPeer): ServerSession<AnyPeer> {
  return new ServerSession(takeRandomBytes(8).toString('hex'), peer, () =>
    takeRandomBytes(RESUME_SECRET_BYTES).toString('base64url'),
  );
}

/** A fresh session's `$hello`. */
export function createHello(player: PlayerEntry, host: ListenerHost): Hello {
  return {
    session: player.serverSession.id,
    secret: player.serverSession.firstSecret,
    resumeWindowMs: player.isResumable ? host.resumeWindowMs : 0,
    player: player.id,
    serverTimeMs: host.nowMs(),
    ticks: host.ticks?.schedule() ?? null,
  };
}
