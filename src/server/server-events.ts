/** The part of the game server's face by which a game hears of everything but messages. */
import { GameHandlers } from './game-handlers.js';
import type { HandlerErrors } from './handler-errors.js';
import type { LeaveInfo, Player, RawFlow, ReceiptHandler, TickInfo } from './types.js';

export class ServerEvents<R extends object> {
  protected readonly errors: HandlerErrors;
  protected readonly handlers: GameHandlers;

  protected constructor(errors: HandlerErrors) {
    this.errors = errors;
    this.handlers = new GameHandlers(errors);
  }

  onJoin(handler: (player: Player<R>) => void): () => void {
    return this.handlers.joins.add(handler as never);
  }

  onLeave(handler: (player: Player<R>, info: LeaveInfo) => void): () => void {
    return this.handlers.leaves.add(handler as never);
  }

  /** The player's link died: it is `suspended` until it comes back, or leaves for good. */
  onSuspend(handler: (player: Player<R>, info: LeaveInfo) => void): () => void {
    return this.handlers.suspends.add(handler as never);
  }

  /** A suspended player is back; nothing reliable was lost in either direction. */
  onResume(handler: (player: Player<R>) => void): () => void {
    return this.handlers.resumes.add(handler as never);
  }

  onTick(handler: (tick: TickInfo) => void): () => void {
    return this.handlers.ticks.add(handler);
  }

  /** What became of a message sent with `receipt`: that number, and the outcome. */
  onReceipt(handler: ReceiptHandler<R>): () => void {
    return this.handlers.receipts.add(handler as never);
  }

  /** A foreign netcode client that does not speak RL1 sent its first payload. */
  onRaw(handler: (flow: RawFlow) => void): () => void {
    return this.handlers.rawFlows.add(handler);
  }

  /** A payload of a raw flow; the bytes are valid during the call. */
  onRawPayload(handler: (flow: RawFlow, bytes: Uint8Array) => void): () => void {
    return this.handlers.rawPayloads.add(handler);
  }

  /** What a handler of the game threw, once per throw, and where. Default: the logger. */
  onError(handler: (error: unknown, where: string) => void): () => void {
    return this.errors.add(handler);
  }
}
