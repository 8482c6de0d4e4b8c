/** The part of the game server's face by which a game hears of what happens. */
import type { NamesWithView, Registry, ViewsOf } from '../messages/types.js';
import { Dispatcher } from '../session/dispatcher.js';
import { GameHandlers } from './game-handlers.js';
import type { HandlerErrors } from './handler-errors.js';
import { Life } from './life.js';
import type { PlayerEntry } from './player-entry.js';
import type {
  LeaveInfo,
  MessageHandler,
  Player,
  RawFlow,
  ReceiptHandler,
  TickInfo,
  ViewHandler,
} from './types.js';

export class ServerEvents<R extends object> {
  protected readonly life = new Life();
  protected readonly errors: HandlerErrors;
  protected readonly handlers: GameHandlers;

  protected readonly dispatcher: Dispatcher<PlayerEntry>;
  readonly #registry: Registry<object>;

  protected constructor(errors: HandlerErrors, registry: Registry<object>) {
    this.errors = errors;
    this.#registry = registry;
    this.dispatcher = new Dispatcher((error, type) => errors.report(error, `on ${type}`));
    this.handlers = new GameHandlers(errors);
  }

  /** Handles messages of a type as plain values. Returns the function that removes the handler. */
  on<T extends keyof R & string>(type: T, handler: MessageHandler<R, T>): () => void {
    return this.dispatcher.on(type, handler as never);
  }

  /** Handles messages of a registered type as a view: no allocation, valid during the call. */
  onView<T extends keyof ViewsOf<R> & string>(
    type: T,
    handler: ViewHandler<R, ViewsOf<R>[T]>,
  ): () => void;
  /** Where the messages were not inferred from a registry, the view is named by hand. */
  onView<V>(type: NamesWithView<R, V>, handler: ViewHandler<R, V>): () => void;
  onView(type: string, handler: ViewHandler<R, never>): () => void {
    if (this.#registry.typeByName(type) === undefined) {
      throw new RangeError(`ggscale: onView needs a registered type, ${type} is none`);
    }
    return this.dispatcher.onView(type, handler as never);
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
    this.life.requireAlive();
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
