/** The part of the game server's face by which a game hears of what happens. */
import type { NamesWithView, Registry, ViewsOf } from '../messages/types.js';
import { Dispatcher } from '../session/dispatcher.js';
import { spending } from '../session/spent-view.js';
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
  readonly #spendsViews: boolean;

  protected constructor(errors: HandlerErrors, registry: Registry<object>, isDev: boolean) {
    this.errors = errors;
    this.#registry = registry;
    this.#spendsViews = isDev || registry.strict;
    this.dispatcher = new Dispatcher((error, type) => errors.report(error, `on ${type}`));
    this.handlers = new GameHandlers(errors);
  }

  /** Handles messages of a type as plain values. Returns the function that removes the handler. */
  on<T extends keyof R & string>(type: T, handler: MessageHandler<R, T>): () => void {
    return this.dispatcher.on(type, handler as never);
  }

  /**
   * As `on`, with a view of a registered type: accessors over the bytes where they were received, and
   * nothing is allocated. The view is one object that is set on each message in turn, and those it
   * hands out for elements (`view.players(3)`) are used again for the next element. So it is good until
   * the handler returns. Numbers and strings read from it are yours; the view is not to be
   *
   * - kept: not in a variable, a list, a closure, a timer;
   * - used after an `await`: an async handler has returned at its first one;
   * - sent: not to a worker (`postMessage`, `structuredClone`), not to a player;
   * - compared: two elements at a time are the same object.
   *
   * With `dev`, or a registry that is `strict`, a view that is used too late throws `view-spent`, but
   * while it is set on another message. Over WebSocket the view is made of the JSON that came.
   *
   * @throws RangeError when the registry does not know the type
   */
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
    return this.dispatcher.onView(type, (this.#spendsViews ? spending(handler) : handler) as never);
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
