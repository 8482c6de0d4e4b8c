/** What the listeners need of the game server. */
import type { Registry } from '../messages/types.js';
import type { DurationHistogram, Logger } from '../ops/index.js';
import type { Dispatcher } from '../session/dispatcher.js';
import type { SessionDrops } from '../session/drops.js';
import type { CloseInfo, ReceiptOutcome } from '../session/types.js';
import type { PlayerEntry } from './player-entry.js';
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
  /** Monotonic ms since the server started listening. */
  nowMs(): number;
  /** When ticks run; null without ticks. */
  readonly ticks: TickTimes | null;
  isFull(playerId: string): boolean;
  /** @throws Problem 503 when new players are not wanted and this is one */
  refuseIfBusy(playerId: string): void;
  /** Takes a connected player in: an older connection of the same id leaves with 1000. */
  admit(player: PlayerEntry): void;
  handleReceipt(player: PlayerEntry, receipt: number, outcome: ReceiptOutcome): void;
  /** The player is gone. `final` figures are taken before this. Idempotent. */
  release(player: PlayerEntry, info: CloseInfo): void;
}
