import { qualityOf } from './quality.js';
import type { ConnectionStats } from './types.js';

type Derived =
  | 'lossIn'
  | 'lossOut'
  | 'quality'
  | 'messagesInPerSecond'
  | 'messagesOutPerSecond'
  | 'bytesInPerSecond'
  | 'bytesOutPerSecond';

/** What one link, or a row of them, has counted and knows; nothing that takes two looks. */
export interface LinkStats extends Omit<ConnectionStats, Derived> {
  /** Datagrams sent that the other end acknowledges, and those of them that seem lost. */
  packetsTrackedOut: number;
  packetsLostOut: number;
}

/** Figures of a session: counts of its earlier links and of this one; the state is this one's. */
export function addLinkStats(past: LinkStats | null, link: LinkStats): LinkStats {
  if (past === null) return link;
  return {
    ...link,
    messagesIn: past.messagesIn + link.messagesIn,
    messagesOut: past.messagesOut + link.messagesOut,
    bytesIn: past.bytesIn + link.bytesIn,
    bytesOut: past.bytesOut + link.bytesOut,
    packetsIn: past.packetsIn + link.packetsIn,
    packetsOut: past.packetsOut + link.packetsOut,
    packetsLostIn: past.packetsLostIn + link.packetsLostIn,
    resends: past.resends + link.resends,
    droppedOut: past.droppedOut + link.droppedOut,
    packetsTrackedOut: past.packetsTrackedOut + link.packetsTrackedOut,
    packetsLostOut: past.packetsLostOut + link.packetsLostOut,
  };
}

/** Recent figures reach back at least so far, and at most twice as far while they are asked for. */
const SPAN_MS = 2000;
/** After a long time without a look, the one before it counts for so long. */
const SETTLE_MS = 250;

/** One look at a connection: counts of the session, and of its link for what is the link's alone. */
interface Look {
  readonly atMs: number;
  readonly total: Pick<LinkStats, 'messagesIn' | 'messagesOut' | 'bytesIn' | 'bytesOut'>;
  readonly link: Pick<LinkStats, LinkCount>;
  /** Tells links apart: the figures of those before. */
  readonly past: LinkStats | null;
}

type LinkCount = 'packetsIn' | 'packetsLostIn' | 'packetsTrackedOut' | 'packetsLostOut';

const NOTHING = { messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0 };
const NO_PACKETS = { packetsIn: 0, packetsLostIn: 0, packetsTrackedOut: 0, packetsLostOut: 0 };

/** Makes rates, loss and quality of counts. All its work is done when it is asked. */
export class StatsWindow {
  #older: Look;
  #newer: Look;

  /** When the connection opened, by the clock of `read`. */
  constructor(openedMs: number) {
    this.#older = { atMs: openedMs, total: NOTHING, link: NO_PACKETS, past: null };
    this.#newer = this.#older;
  }

  /** `past`: figures of the links before this one. `isLinked`: the link carries the session. */
  read(past: LinkStats | null, link: LinkStats, nowMs: number, isLinked: boolean): ConnectionStats {
    const sum = addLinkStats(past, link);
    const look: Look = { atMs: nowMs, total: sum, link, past };
    const base = this.#baseFor(look);
    const before = base.past === past ? base.link : NO_PACKETS;
    const perMs = nowMs - base.atMs >= 1 ? 1 / (nowMs - base.atMs) : 0;
    const rate = (name: keyof Look['total']) =>
      Math.max(0, sum[name] - base.total[name]) * perMs * 1000;
    const lost = (name: LinkCount) => Math.max(0, link[name] - before[name]);
    const lostIn = lost('packetsLostIn');
    const lossIn = shareOf(lostIn, lost('packetsIn') + lostIn);
    const lossOut = shareOf(lost('packetsLostOut'), lost('packetsTrackedOut'));
    // By name: `...rest` makes an object that is slow for good, and everybody who leaves is asked.
    return {
      wire: sum.wire,
      rttMs: sum.rttMs,
      rttVarMs: sum.rttVarMs,
      jitterMs: sum.jitterMs,
      messagesIn: sum.messagesIn,
      messagesOut: sum.messagesOut,
      bytesIn: sum.bytesIn,
      bytesOut: sum.bytesOut,
      packetsIn: sum.packetsIn,
      packetsOut: sum.packetsOut,
      packetsLostIn: sum.packetsLostIn,
      resends: sum.resends,
      droppedOut: sum.droppedOut,
      queuedBytes: sum.queuedBytes,
      queueAgeMs: sum.queueAgeMs,
      lossIn,
      lossOut,
      quality: isLinked ? qualityOf(sum, Math.max(lossIn, lossOut)) : 0,
      messagesInPerSecond: rate('messagesIn'),
      messagesOutPerSecond: rate('messagesOut'),
      bytesInPerSecond: rate('bytesIn'),
      bytesOutPerSecond: rate('bytesOut'),
    };
  }

  #baseFor(look: Look): Look {
    const age = look.atMs - this.#newer.atMs;
    if (age >= SPAN_MS) {
      this.#older = this.#newer;
      this.#newer = look;
    } else if (look.atMs - this.#older.atMs > 2 * SPAN_MS && age >= SETTLE_MS) {
      return this.#newer;
    }
    return this.#older;
  }
}

/** Losses are noticed later than what they are a share of was sent. */
function shareOf(part: number, whole: number): number {
  return whole > 0 ? Math.min(1, part / whole) : 0;
}
