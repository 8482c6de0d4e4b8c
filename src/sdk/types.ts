/**
 * The public face of the SDK's game channel (additive to the launch contract).
 */
import type { NamesWithView, Registry, ViewsOf } from '../messages/types.js';
import type {
  CloseInfo,
  ConnectionStats,
  Meta,
  ReceiptOutcome,
  Received,
  SendOptions,
  SendResult,
  Wire,
} from '../session/types.js';
import type { ChannelOptions } from '../util/channel-options.js';
import type { NxMode } from '../util/nx.js';

/** Log sink; `console` and pino both fit. Silent by default. */
export interface ClientLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** What `WithHighPerformanceTransport` sets. */
export interface HighPerformanceSettings {
  handshakeTimeoutMs: number;
  nx: NxMode;
  fallback: 'json' | 'error';
}

/** The launch session token, or what gives a fresh one: it is asked for at each resumption, too. */
export type SessionToken = string | (() => string | Promise<string>);

/**
 * `reconnecting`: the link died and the session goes on as soon as another one is open. Reliable
 * messages are kept meanwhile, until `send` says `full`.
 */
export type ConnectionState = 'open' | 'reconnecting' | 'closing' | 'closed';

export interface DialGameOptions<R extends object> {
  /** The messages this game knows; the same registry as the server's. Default: JSON only. */
  registry?: Registry<Partial<R>>;
  /** Overrides the client's session token (`X-Session-Token`). */
  sessionToken?: SessionToken;
  signal?: AbortSignal;
  /**
   * Priority and weight by channel number, of what this client sends over UDP; see the server's
   * option of the same name. Default: all alike.
   */
  channels?: Readonly<Record<number, ChannelOptions>>;
}

/** What matchmaking hands over. `protocolHint` is advisory. */
export interface MatchAddress {
  address: string;
  protocolHint?: 'tcp' | 'udp' | 'tcpudp' | '';
}

export interface GameConnection<R> extends AsyncIterable<Received<R>> {
  /**
   * `full` means: not accepted, nothing was kept; wait for `writable()`.
   *
   * @throws ErrConnectionClosed once `state` is `closing` or `closed`; MessageError when the value
   *   does not fit
   */
  send<T extends keyof R & string>(type: T, value: R[T], options?: SendOptions): SendResult;
  /** Plain values. Returns the function that removes the handler. */
  on<T extends keyof R & string>(type: T, handler: (value: R[T], meta: Meta) => void): () => void;
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
   * With a registry that is `strict` a view that is used too late throws `view-spent`, but while it is
   * set on another message. Over WebSocket the view is made of the JSON that came.
   *
   * @throws RangeError when the registry does not know the type
   */
  onView<T extends keyof ViewsOf<R> & string>(
    type: T,
    handler: (view: ViewsOf<R>[T], meta: Meta) => void,
  ): () => void;
  /** Where the messages were not inferred from a registry, the view is named by hand. */
  onView<V>(type: NamesWithView<R, V>, handler: (view: V, meta: Meta) => void): () => void;
  /** The next message that no `on` handler took. Rejects with ErrConnectionClosed after the end. */
  readMessage(options?: { signal?: AbortSignal }): Promise<Received<R>>;
  /** Resolves when everything reliable that was accepted has been acknowledged. */
  drained(): Promise<void>;
  /** After `full`: resolves when about half of the room is free again, or on close. */
  writable(): Promise<void>;
  /**
   * Bytes that would leave at once, frame and packet headers included: on UDP what rate control allows
   * now, less what waits already; on WebSocket 16 KiB less what the kernel has not taken. Ask once per
   * tick and leave out what can wait; sending more is not an error, it waits. 0 while there is no link.
   */
  budget(): number;
  /**
   * What became of a message sent with `receipt`: that number, and the outcome. Returns the function
   * that removes the handler.
   */
  onReceipt(handler: (receipt: number, outcome: ReceiptOutcome) => void): () => void;
  readonly state: ConnectionState;
  /** Changes when the session moves to the other wire. */
  readonly wire: Wire;
  /**
   * Moves the session to the other wire while it goes on: nothing reliable is lost, doubled or out of
   * order. Resolves when it is there; `udp` needs the client's UDP option.
   *
   * @throws GameDialError, GGScaleError, RequestError, TransportError: the session stays where it was
   */
  switchTo(wire: Wire): Promise<void>;
  /** The player as the server knows it. */
  readonly playerId: string;
  /** Resolves once, when the connection has ended. */
  readonly closed: Promise<CloseInfo>;
  stats(): ConnectionStats;
  /**
   * The server's monotonic clock now, milliseconds since it started listening. An estimate that never
   * goes back and runs within 0.1 % of the server's clock, but for the first second and when one of
   * the machines slept.
   */
  serverTime(): number;
  /**
   * The server's clock is within ± this of `serverTime()`, milliseconds, wherever on the way the time
   * was spent; Infinity before the first exchange. Half a round trip, mostly.
   */
  serverTimeError(): number;
  /**
   * How far inputs are sent ahead of `serverTime()` so that they arrive just before their tick, ms. It
   * follows what the server says about their arrival (`player.inputs.arrived(tick)`) by at most 100 ms a
   * second upwards and 30 downwards; before that it is half a round trip and what that varies by.
   */
  inputLead(): number;
  /**
   * The tick that an input made now is for: the first one it can still reach. Ask at each frame, and
   * send when it changes. It never goes back. NaN when the server has no ticks.
   */
  tickToSend(): number;
  /** Flushes what is queued (bounded), says goodbye, frees everything. Idempotent. */
  close(code?: number, reason?: string): Promise<void>;
}
