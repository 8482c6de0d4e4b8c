/** What became of links that died and of requests to resume, for the metrics. */
import type { ResumeRefusal } from '../session/server-session.js';
import type { Wire } from '../session/types.js';

/** How a suspension ended: its client came back, its window passed, or the session was ended meanwhile. */
export type SuspensionEnd = 'resumed' | 'expired' | 'ended';

/** `unknown`, `over`: there is no such session of the player, or we ended it; `malformed`: no `$resume`. */
export type RefusedResume = ResumeRefusal | 'unknown' | 'over' | 'malformed';

export class ResumeCounts {
  readonly suspensions: Record<Wire, number> = { udp: 0, 'json-ws': 0 };
  readonly suspensionsEnded: Record<SuspensionEnd, number> = { resumed: 0, expired: 0, ended: 0 };
  readonly resumes: Record<Wire, number> = { udp: 0, 'json-ws': 0 };
  readonly refused: Record<RefusedResume, number> = {
    unknown: 0,
    over: 0,
    malformed: 0,
    overtaken: 0,
    secret: 0,
    'wrong-link': 0,
    'false-report': 0,
    'too-large': 0,
  };
}
