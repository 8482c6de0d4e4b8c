/**
 * A run: rounds of everything at once, and after each a rest at which nothing may be left.
 *
 *   fresh sample ─ residents sit down ─ base sample ─┬─ load ─ all but they leave ─ sample ─┬─ they leave ─ final
 *                                                    └───────────── next round ◀────────────┘
 *
 * The residents stay for the whole run. Samples are taken after full collections, at rest.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { ServerChild } from '../churn/server-child.js';
import { leftOf, settle } from '../churn/settle.js';
import {
  grown,
  notEmpty,
  type Slopes,
  slopesOf,
  uncounted,
  wrongAtRest,
  wrongOfPlayers,
} from './checks.js';
import { PathChild, PlayersChild } from './children.js';
import { type GuestFigures, Guests, type GuestsSetup } from './guests.js';
import type {
  PathFigures,
  Plant,
  PlayerFigures,
  ServerReady,
  ServerSample,
  ServerSetup,
} from './messages.js';

export interface SoakSetup extends GuestsSetup {
  /** No round begins later than this; one is played at least. */
  minutes: number;
  /** Of load in a round; what leaving and timeouts take comes on top. */
  loadMs: number;
  /** Players of the SDK on each wire beside the residents. */
  perWire: number;
  residents: number;
  /** How long a player whose link died is kept. */
  resumeWindowMs: number;
  /** How long all that is to go may take once the load has ended. */
  graceMs: number;
  /** Per second: rebinds, cut WebSockets, players who go dark. */
  path: { rebinds: number; cuts: number; blackouts: number; lossRatio: number };
  plant: Plant;
  onProgress(line: string): void;
  /** Ends the run with an error; what was started is ended. */
  signal: AbortSignal;
}

export interface SoakResult {
  rounds: number;
  elapsedS: number;
  fresh: ServerSample;
  /** One at the end of each round. */
  samples: ServerSample[];
  final: ServerSample;
  players: PlayerFigures;
  path: PathFigures;
  guests: GuestFigures;
  slopes: Slopes;
  /** What is wrong; empty when nothing is. */
  findings: string[];
}

type Server = ServerChild<ServerSetup, ServerReady, ServerSample>;

const LOOK_MS = 500;
const FINDINGS_TOLD = 12;

interface Cast {
  readonly server: Server;
  readonly path: PathChild;
  readonly players: PlayersChild;
  readonly guests: Guests;
}

export async function runSoak(setup: SoakSetup): Promise<SoakResult> {
  const { seed, plant, signal } = setup;
  signal.throwIfAborted();
  const path = new PathChild({ seed, lossRatio: setup.path.lossRatio });
  const players = new PlayersChild();
  const ends: { end(): Promise<void> }[] = [players, path];
  let guests: Guests | null = null;
  try {
    const way = await orAbort(path.ready(), signal);
    const server: Server = new ServerChild('soak/server-process.js', {
      seed,
      plant,
      advertise: way.udpAddress,
      resumeWindowMs: setup.resumeWindowMs,
    });
    ends.push(server);
    const { httpPort, udpPort } = await orAbort(server.ready(), signal);
    path.say({ kind: 'servers', httpPort, udpPort });
    guests = new Guests(setup, { httpPort, udpPort });
    await orAbort(players.setUp({ seed, origin: way.origin }), signal);
    const soak = new Soak(setup, { server, path, players, guests });
    return await orAbort(soak.run(), signal);
  } finally {
    await guests?.close();
    await Promise.all(ends.map((child) => child.end()));
  }
}

/** Rejects as soon as the signal says so. */
async function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
    work.catch(() => {}); // its children were ended
  }
}

class Soak {
  readonly #setup: SoakSetup;
  readonly #cast: Cast;
  readonly #samples: ServerSample[] = [];
  readonly #findings = new Set<string>();

  constructor(setup: SoakSetup, cast: Cast) {
    this.#setup = setup;
    this.#cast = cast;
  }

  async run(): Promise<SoakResult> {
    const { server, players, path, guests } = this.#cast;
    const startMs = performance.now();
    const fresh = await server.sample(true);
    await players.seat(this.#setup.residents);
    const base = await server.sample(true);
    const untilMs = startMs + this.#setup.minutes * 60_000;
    for (let round = 1; round === 1 || performance.now() < untilMs; round++) {
      await this.#round(round, base);
    }
    const figures = await players.leave();
    const final = await this.#settle(fresh);
    const slopes = slopesOf(this.#samples);
    this.#note([
      ...wrongAtRest(fresh, final),
      ...notEmpty(final),
      ...grown(slopes, fresh, final),
      ...wrongOfPlayers(figures),
      ...guests.findings(),
      ...idle(figures),
    ]);
    return {
      rounds: this.#samples.length,
      elapsedS: (performance.now() - startMs) / 1000,
      fresh,
      samples: this.#samples,
      final,
      players: figures,
      path: await path.calm(),
      guests: guests.figures,
      slopes,
      findings: [...this.#findings],
    };
  }

  async #round(round: number, base: ServerSample): Promise<void> {
    const { path, players, server, guests } = this.#cast;
    const { perWire, loadMs, signal } = this.#setup;
    const startMs = performance.now();
    await guests.come(round);
    if (round === 1) this.#setup.onProgress('everybody is here');
    players.begin(perWire);
    path.say({ kind: 'disturb', ...this.#setup.path });
    await pause(loadMs, undefined, { signal });
    await path.calm();
    const [figures] = await Promise.all([players.rest(), guests.go()]);
    const sample = await this.#settle(base);
    this.#samples.push(sample);
    // What is counted from the start on is noted in the end.
    this.#note(
      [...leftOf(base, sample), ...uncounted(sample)].map((it) => `round ${round}: ${it}`),
    );
    const found = [...wrongAtRest(base, sample), ...wrongOfPlayers(figures)];
    const tookS = (performance.now() - startMs) / 1000;
    this.#setup.onProgress(this.#line(round, tookS, sample, figures, found));
    if (server.ended !== null) throw new Error(`server ended with ${server.ended}`);
  }

  #settle(base: ServerSample): Promise<ServerSample> {
    const { graceMs, signal } = this.#setup;
    return settle(this.#cast.server, base, { graceMs, lookMs: LOOK_MS, signal });
  }

  #note(found: readonly string[]): void {
    for (const finding of found) this.#findings.add(finding);
  }

  #line(
    round: number,
    tookS: number,
    { memory, state, counters }: ServerSample,
    { lived, sent }: PlayerFigures,
    found: readonly string[],
  ): string {
    const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
    const wrong = found.length === 0 ? '' : `; WRONG ${found.slice(0, FINDINGS_TOLD).join('; ')}`;
    return (
      `round ${round} (${tookS.toFixed(0)} s): heap ${mib(memory.heapUsed)}, ` +
      `resident ${mib(memory.rss)} MiB, ${state.players} players, ${state.fds} descriptors; ` +
      `${counters['socket-datagrams-in']} datagrams in, ${lived} sessions lived, ${sent} events${wrong}`
    );
  }
}

/** Players who did nothing have proved nothing. */
function idle({ lived, openedByUdp, switches, sent }: PlayerFigures): string[] {
  const did = { lived, openedByUdp, switches, sent };
  return Object.entries(did).flatMap(([what, n]) => (n > 0 ? [] : [`nothing happened: ${what}`]));
}
