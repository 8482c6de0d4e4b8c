/** What the listeners need of the game server. */
import type { Registry } from '../messages/types.js';
import type { DurationHistogram, Logger } from '../ops/index.js';
import type { Dispatcher } from '../session/dispatcher.js';
import type { SessionDrops } from '../session/drops.js';
import type { CloseInfo, ReceiptOutcome } from '../session/types.js';
import type { AnyPeer, PlayerEntry } from './player-entry.js';
import type { Problem } from './problem.js';
import type { ResumingLink } from './suspensions.js';
import type { TickTimes } from './tick-times.js';
import type { TicketBook } from './tickets.js';

export interface ListenerHost {
  readonly registry: Registry<object>;
  readonly dispatcher: Dispatcher<PlayerEntry>;
  readonly drops: SessionDrops;
  readonly tickets: TicketBook;
  readonly logger: Logger;
  /** Where ages of messages are counted, arrival to handler; null: nobody asked. */
  readonly messageAges: DurationHistogram | null;
  /** 0: a dead link ends its session. */
  readonly resumeWindowMs: number;
  /** Monotonic ms since the server started listening. */
  nowMs(): number;
  /** When ticks run; null without ticks. */
  readonly ticks: TickTimes | null;
  /** Why this player may not come in now; null: it may. */
  refusal(playerId: string): Problem | null;
  /**
   * Takes a connected player in: an older connection of the same id leaves with 1000. `verifiedMs`:
   * when its session was; null: another server minted its token.
   */
  admit(player: PlayerEntry, verifiedMs: number | null): void;
  handleReceipt(player: PlayerEntry, receipt: number, outcome: ReceiptOutcome): void;
  /** We end the player; its peer says goodbye next. Idempotent. */
  handleEnd(player: PlayerEntry, info: CloseInfo): void;
  /** A player's link is gone; the peer knows. The player leaves, or waits to be resumed. */
  handleLinkDown(player: PlayerEntry, peer: AnyPeer, info: CloseInfo, isGoodbye: boolean): void;
  /** `$resume` came on a link that awaited it. */
  resume(peer: AnyPeer, from: ResumingLink, payload: unknown): void;
}
