/**
 * Players that come and go at fixed times, in a process of their own. Those of UDP who vanish, or leave
 * in mid-handshake, are in processes that are killed (doomed-process.ts), a new one every two seconds.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endWithMain } from './answering.js';
import { type Counts, count } from './counts.js';
import { loadWire } from './load-wire.js';
import {
  type DoomedAnswer,
  type DoomedOrder,
  type LoadAnswer,
  type LoadCommand,
  type LoadFigures,
  type LoadOrder,
  type LoadSetup,
  VISITS,
  type VisitKind,
} from './messages.js';
import { TicketCounter } from './ticket-counter.js';
import { VisitFailure } from './visitor.js';
import { LINKS, Visits } from './visits.js';
import type { LoadWire } from './wires.js';

const PACE_MS = 5;
/** More at once than any server answers in time: what else is due is counted as shed. */
const RUNNING_MAX = 4000;
const GENERATION_MS = 2000;

class Load {
  readonly #setup: LoadSetup;
  readonly #wire: LoadWire;
  readonly #tickets: TicketCounter;
  readonly #visits: Visits;
  readonly #done: Counts = {};
  readonly #failures: Counts = {};
  readonly #timers: NodeJS.Timeout[] = [];
  #begun = 0;
  #shed = 0;
  #running = 0;
  #generation = 0;
  #isStopped = false;

  constructor(setup: LoadSetup) {
    this.#setup = setup;
    const { wire, addresses } = loadWire(setup, 0);
    this.#wire = wire;
    this.#tickets = new TicketCounter(setup.origin, addresses);
    this.#visits = new Visits(this.#wire, this.#tickets);
  }

  start(order: LoadOrder): void {
    const cycle = cycleOf(order.shares);
    const links = cycle.reduce((sum, kind) => sum + LINKS[kind], 0) / cycle.length;
    const visitsPerMs = order.ratePerS / links / 1000;
    const startMs = performance.now();
    const total = order.visits ?? Number.POSITIVE_INFINITY;
    const isKilled = (kind: VisitKind) =>
      this.#setup.wire === 'udp' && (kind === 'vanish' || kind === 'halfway');
    let waiting = { vanish: 0, halfway: 0 };
    const doom = () => {
      if (waiting.vanish + waiting.halfway > 0) this.#doom(waiting);
      waiting = { vanish: 0, halfway: 0 };
    };
    const generations = setInterval(doom, GENERATION_MS);
    const pace = setInterval(() => {
      const due = Math.min(total, Math.floor((performance.now() - startMs) * visitsPerMs));
      for (; this.#begun < due; this.#begun++) {
        const kind = cycle[this.#begun % cycle.length];
        if (isKilled(kind)) waiting[kind as 'vanish' | 'halfway']++;
        else this.#begin(kind);
      }
      if (this.#begun < total) return;
      clearInterval(pace);
      clearInterval(generations);
      doom();
    }, PACE_MS);
    this.#timers.push(pace, generations);
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#isStopped = true;
    while (this.#running > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    this.#tickets.close();
    this.#wire.close();
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  figures(): LoadFigures {
    const { attempts, opened, halfway } = this.#visits;
    const { user, system } = process.cpuUsage();
    return {
      attempts,
      opened,
      halfway,
      shed: this.#shed,
      begun: this.#begun,
      running: this.#running,
      done: { ...this.#done },
      failures: { ...this.#failures },
      openMs: this.#visits.openMs(),
      cpuUs: user + system,
    };
  }

  #begin(kind: VisitKind): void {
    if (this.#running >= RUNNING_MAX) {
      this.#shed++;
      return;
    }
    this.#running++;
    const playerId = `${this.#setup.wire}-${this.#setup.index}-${this.#begun}`;
    this.#visits
      .run(kind, playerId)
      .then(
        () => count(this.#done, kind),
        (error) => this.#fail(kind, error),
      )
      .finally(() => this.#running--);
  }

  /** Those who are to vanish do, with a process of theirs. */
  #doom({ vanish, halfway }: { vanish: number; halfway: number }): void {
    const order: DoomedOrder = {
      setup: this.#setup,
      generation: this.#generation++,
      vanish,
      halfway,
    };
    this.#running++;
    const path = fileURLToPath(new URL('./doomed-process.js', import.meta.url));
    const child = fork(path, [JSON.stringify(order)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.on('message', (answer: DoomedAnswer) => {
      this.#visits.attempts += answer.attempts;
      this.#visits.opened += answer.opened;
      this.#visits.halfway += answer.halfway;
      count(this.#done, 'vanish', answer.opened);
      count(this.#done, 'halfway', answer.halfway);
      for (const message of answer.failed) count(this.#failures, message);
    });
    void once(child, 'exit').then(([code, signal]) => {
      if (signal !== 'SIGKILL') count(this.#failures, `doomed: ended with ${code}`);
      this.#running--;
    });
  }

  #fail(kind: VisitKind, error: unknown): void {
    if (!(error instanceof VisitFailure)) throw error;
    count(this.#failures, `${kind}: ${error.message}`);
  }
}

/** Kinds in the order of a cycle, each spread over it. */
function cycleOf(shares: Record<VisitKind, number>): VisitKind[] {
  const slots = VISITS.flatMap((kind) =>
    Array.from({ length: shares[kind] }, (_, at) => ({ kind, at: (at + 0.5) / shares[kind] })),
  );
  return slots.sort((a, b) => a.at - b.at).map(({ kind }) => kind);
}

function answer(message: LoadAnswer): void {
  process.send?.(message);
}

function main(): void {
  let load: Load | null = null;
  endWithMain();
  process.on('message', (command: LoadCommand) => {
    if (command.kind === 'setup') {
      load = new Load(command.setup);
      answer({ kind: 'ready' });
    } else if (command.kind === 'start') {
      const running = load as Load;
      running.start(command.order);
      setInterval(() => {
        if (!running.isStopped) answer({ kind: 'second', figures: running.figures() });
      }, 1000).unref();
    } else {
      const running = load as Load;
      void running.stop().then(() => answer({ kind: 'done', figures: running.figures() }));
    }
  });
}

main();
