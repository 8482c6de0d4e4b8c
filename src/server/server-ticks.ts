/** The ticks of the server itself (`tickHz`), whoever's timer says that they are due. */
import type { GameHandlers } from './game-handlers.js';
import type { ServerOps } from './server-ops.js';
import { TickTimes } from './tick-times.js';

export class ServerTicks {
  /** Null without ticks. */
  readonly times: TickTimes | null;
  readonly #stepMs: number;
  readonly #handlers: GameHandlers;
  readonly #ops: ServerOps;
  readonly #nowMs: () => number;
  /** Ticks that ran or were skipped. */
  #tick = 0;

  constructor(tickHz: number, handlers: GameHandlers, ops: ServerOps, nowMs: () => number) {
    this.times = tickHz > 0 ? new TickTimes(tickHz, nowMs()) : null;
    this.#stepMs = 1000 / tickHz;
    this.#handlers = handlers;
    this.#ops = ops;
    this.#nowMs = nowMs;
  }

  /** `ticksDue`: above 1 the process was late. */
  run(ticksDue: number): void {
    this.#tick += ticksDue;
    const nowMs = this.#nowMs();
    const info = { tick: this.#tick - 1, nowMs, stepMs: this.#stepMs, skipped: ticksDue - 1 };
    this.times?.begin(info.tick, nowMs);
    this.#ops.beginTick(info.tick, ticksDue);
    this.#handlers.tick(info);
    this.#ops.endTick();
  }
}
