/** The game's handlers of everything but messages. What they throw is HandlerErrors'. */
import type { ReceiptOutcome } from '../session/types.js';
import type { HandlerErrors } from './handler-errors.js';
import { Listeners } from './listeners.js';
import type { PlayerEntry } from './player-entry.js';
import type { LeaveInfo, RawFlow, TickInfo } from './types.js';

export class GameHandlers {
  readonly joins = new Listeners<[PlayerEntry]>();
  readonly leaves = new Listeners<[PlayerEntry, LeaveInfo]>();
  readonly suspends = new Listeners<[PlayerEntry, LeaveInfo]>();
  readonly resumes = new Listeners<[PlayerEntry]>();
  readonly ticks = new Listeners<[TickInfo]>();
  readonly receipts = new Listeners<[PlayerEntry, number, ReceiptOutcome]>();
  readonly rawFlows = new Listeners<[RawFlow]>();
  readonly rawPayloads = new Listeners<[RawFlow, Uint8Array]>();
  readonly #errors: HandlerErrors;

  constructor(errors: HandlerErrors) {
    this.#errors = errors;
  }

  join(player: PlayerEntry): void {
    this.joins.emit([player], this.#errors.at('onJoin'));
  }

  leave(player: PlayerEntry, info: LeaveInfo): void {
    this.leaves.emit([player, info], this.#errors.at('onLeave'));
  }

  suspend(player: PlayerEntry, info: LeaveInfo): void {
    this.suspends.emit([player, info], this.#errors.at('onSuspend'));
  }

  resume(player: PlayerEntry): void {
    this.resumes.emit([player], this.#errors.at('onResume'));
  }

  tick(info: TickInfo): void {
    this.ticks.emit([info], this.#errors.at('onTick'));
  }

  receipt(player: PlayerEntry, receipt: number, outcome: ReceiptOutcome): void {
    this.receipts.emit([player, receipt, outcome], this.#errors.at('onReceipt'));
  }

  rawFlow(flow: RawFlow): void {
    this.rawFlows.emit([flow], this.#errors.at('onRaw'));
  }

  rawPayload(flow: RawFlow, bytes: Uint8Array): void {
    this.rawPayloads.emit([flow, bytes], this.#errors.at('onRaw'));
  }
}
