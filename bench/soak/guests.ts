/** Who comes for a round only: churn, strangers and a flood, each a process that ends with the round. */
import type { Wire } from '../../src/server/index.js';
import { FAILED_MAX } from '../churn/churn.js';
import { addCounts, type Counts } from '../churn/counts.js';
import { LoadChild } from '../churn/load-child.js';
import type { LoadFigures, VisitKind } from '../churn/messages.js';
import { LineProcess } from '../suite/line-process.js';
import { StrangersChild } from './children.js';
import type { StrangersSetup } from './messages.js';

const WIRES: readonly Wire[] = ['udp', 'json-ws'];
/** Of 40 visits; who is silent on WebSocket outlasts a round. */
const SHARES: Record<VisitKind, number> = {
  clean: 22,
  vanish: 4,
  silent: 0,
  halfway: 4,
  resume: 6,
  double: 4,
};
/** A short run has few visits: a server that is late closes a kept connection just as it is used again. */
const CHURN_FAILED_FEW = 10;

export interface GuestsSetup {
  seed: number;
  /** Connects per second of those who only come and go, over both wires; 0 for nobody. */
  churnPerS: number;
  strangers: Omit<StrangersSetup, 'seed' | 'httpPort' | 'udpPort'> | null;
  /** Bad netcode requests per second by `ggscale-bench flood`; its program, null for none. */
  flood: { binary: string; perS: number } | null;
}

/** Sums over all rounds. */
export interface GuestFigures {
  churn: Counts;
  /** Visits that failed; a busy machine explains few. */
  churnFailures: Counts;
  strangers: Counts;
  floods: Counts;
}

export class Guests {
  readonly figures: GuestFigures = { churn: {}, churnFailures: {}, strangers: {}, floods: {} };
  readonly #errors: string[] = [];
  readonly #setup: GuestsSetup;
  readonly #ports: { httpPort: number; udpPort: number };
  readonly #here = new Set<{ end(): Promise<void> }>();
  #loads: LoadChild[] = [];
  #isClosed = false;
  #strangers: StrangersChild | null = null;
  #flood: LineProcess | null = null;

  constructor(setup: GuestsSetup, ports: { httpPort: number; udpPort: number }) {
    this.#setup = setup;
    this.#ports = ports;
  }

  async come(round: number): Promise<void> {
    await this.#startChurn();
    await this.#startStrangers(round);
    await this.#startFlood();
  }

  /** When it resolves, all of them are gone. */
  async go(): Promise<void> {
    if (this.#flood !== null) {
      addCounts(this.figures.floods, (await this.#flood.ask<Flooded>('pause')).byKind);
    }
    if (this.#strangers !== null) {
      const { datagrams, requests, sockets, payloads, errors } = await this.#strangers.rest();
      addCounts(this.figures.strangers, { datagrams, requests, sockets, payloads });
      this.#errors.push(...Object.keys(errors));
    }
    for (const load of await Promise.all(this.#loads.map((load) => load.stop()))) this.#add(load);
    await this.#sendAway();
  }

  /** What is wrong with them, and who did nothing: it has proved nothing. */
  findings(): string[] {
    const { churn, churnFailures, strangers, floods } = this.figures;
    const findings = this.#errors.map((text) => `strangers: ${text}`);
    const failed = Object.values(churnFailures).reduce((sum, count) => sum + count, 0);
    if (failed > Math.max(CHURN_FAILED_FEW, (churn.opened ?? 0) * FAILED_MAX)) {
      findings.push(`${failed} visits failed: ${JSON.stringify(churnFailures)}`);
    }
    const did: Counts = {};
    if (this.#setup.churnPerS > 0) Object.assign(did, { opened: 0 }, churn);
    Object.assign(did, strangers, floods);
    for (const [what, count] of Object.entries(did)) {
      if (count === 0) findings.push(`nothing happened: ${what}`);
    }
    return findings;
  }

  /** Also when the round is not over. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#sendAway();
  }

  async #sendAway(): Promise<void> {
    await Promise.all([...this.#here].map((guest) => guest.end()));
    this.#here.clear();
    this.#loads = [];
    this.#strangers = null;
    this.#flood = null;
  }

  async #startChurn(): Promise<void> {
    const ratePerS = this.#setup.churnPerS / WIRES.length;
    if (ratePerS === 0) return;
    const origin = `http://127.0.0.1:${this.#ports.httpPort}`;
    const loads = WIRES.map((wire) => this.#welcome(new LoadChild(`churn ${wire}`)));
    await Promise.all(
      loads.map((load, index) => load.setUp({ wire: WIRES[index], origin, index })),
    );
    for (const load of loads) load.start({ ratePerS, shares: SHARES, visits: null });
    this.#loads = loads;
  }

  async #startStrangers(round: number): Promise<void> {
    const { strangers } = this.#setup;
    if (strangers === null) return;
    const child = this.#welcome(new StrangersChild());
    const seed = this.#setup.seed + round * 65_537;
    await child.begin({ ...strangers, seed, ...this.#ports });
    this.#strangers = child;
  }

  async #startFlood(): Promise<void> {
    const { flood } = this.#setup;
    if (flood === null) return;
    const target = `127.0.0.1:${this.#ports.udpPort}`;
    const command = [flood.binary, 'flood', '--server', target, '--rate', `${flood.perS}`];
    const child = new LineProcess('flood', command);
    this.#welcome({ end: () => child.stop() });
    await child.read();
    child.say('run');
    this.#flood = child;
  }

  /** Whoever comes after the end is sent away at once. */
  #welcome<G extends { end(): Promise<void> }>(guest: G): G {
    this.#here.add(guest);
    if (this.#isClosed) void guest.end();
    return guest;
  }

  #add({ done, failures, attempts, opened }: LoadFigures): void {
    addCounts(this.figures.churn, { ...done, attempts, opened });
    addCounts(this.figures.churnFailures, failures);
  }
}

interface Flooded {
  byKind: Record<string, number>;
}
