/** Players of the SDK, with and without its UDP option: some stay, the others come and go in turn. */
import { Client, type GameConnection, WithHighPerformanceTransport } from '../../src/sdk/index.js';
import { Prng } from '../../src/util/prng.js';
import { endWithMain } from '../churn/answering.js';
import { count } from '../churn/counts.js';
import {
  type PlayerFigures,
  type PlayersAnswer,
  type PlayersCommand,
  type PlayersSetup,
  RESIDENT_PREFIX,
  SEAT_PREFIX,
  type SoakMessages,
  soakRegistry,
} from './messages.js';
import { Seat } from './seat.js';

/** How long those who come and go stay, ms. */
const STAY_MS_MIN = 4000;
const STAY_MS_SPREAD = 16_000;
/** From one move between the wires to the next. */
const SWITCH_MS_MIN = 2000;
const SWITCH_MS_SPREAD = 4000;
const ON_OTHER_WIRE_MS = 1000;
const FIRST_SWITCH_MS = 30_000;
/** A dial that failed is not tried again at once. */
const AGAIN_MS = 500;
const LOOK_MS = 100;

type Kind = 'udp' | 'json-ws';

class Players {
  readonly #setup: PlayersSetup;
  readonly #random: Prng;
  readonly #residents: Seat[] = [];
  readonly figures: PlayerFigures = {
    opened: 0,
    lived: 0,
    openedByUdp: 0,
    switches: 0,
    refusedSwitches: {},
    sent: 0,
    came: 0,
    snapshots: 0,
    gameEvents: 0,
    faults: {},
    failures: {},
    errors: {},
  };
  #round: Promise<void>[] = [];
  #isRound = false;
  #dials = 0;

  constructor(setup: PlayersSetup) {
    this.#setup = setup;
    this.#random = new Prng(setup.seed);
  }

  /** Half of them by UDP, and waiting for it when it is gone, so that at rest each is where it was. */
  async seatResidents(residents: number): Promise<void> {
    for (let at = 0; at < residents; at++) {
      const kind = at % 2 === 0 ? 'udp' : 'json-ws';
      const seat = await this.#sit(kind, `${RESIDENT_PREFIX}${at}`, 'error');
      if (seat === null) throw new Error('a resident found no seat');
      this.#residents.push(seat);
    }
  }

  begin(perWire: number): void {
    this.#isRound = true;
    this.#round = this.#residents.map((seat, at) => {
      seat.isResting = false;
      return at % 2 === 0 ? this.#wander(seat) : Promise.resolve();
    });
    for (let at = 0; at < perWire; at++) {
      this.#round.push(this.#comeAndGo('udp', at), this.#comeAndGo('json-ws', at));
    }
  }

  /** Not before somebody has moved to another wire: a busy machine takes its time. */
  async rest(): Promise<void> {
    const untilMs = performance.now() + FIRST_SWITCH_MS;
    while (this.figures.switches === 0 && performance.now() < untilMs) await pause(LOOK_MS);
    this.#isRound = false;
    await Promise.all(this.#round);
    for (const [at, seat] of this.#residents.entries()) {
      seat.isResting = true;
      if (at % 2 === 0) await seat.returnTo('udp');
    }
  }

  async leave(): Promise<void> {
    await Promise.all(this.#residents.map((seat) => seat.leave()));
  }

  async #comeAndGo(kind: Kind, at: number): Promise<void> {
    for (let visit = 0; this.#isRound; visit++) {
      const seat = await this.#sit(kind, `${SEAT_PREFIX}${kind}-${at}-${visit}`, 'json');
      if (seat === null) {
        await pause(AGAIN_MS);
        continue;
      }
      const untilMs = performance.now() + this.#between(STAY_MS_MIN, STAY_MS_SPREAD);
      const moves = kind === 'udp' ? this.#wander(seat, untilMs) : null;
      while (this.#isRound && !seat.isOver && performance.now() < untilMs) await pause(LOOK_MS);
      await moves;
      await seat.leave();
    }
  }

  /** Moves between the wires; ends where it began. */
  async #wander(seat: Seat, untilMs = Number.POSITIVE_INFINITY): Promise<void> {
    let nextMs = performance.now() + this.#between(SWITCH_MS_MIN, SWITCH_MS_SPREAD);
    while (this.#isRound && !seat.isOver && performance.now() < untilMs) {
      if (performance.now() >= nextMs) {
        await seat.switchThereAndBack(ON_OTHER_WIRE_MS);
        nextMs = performance.now() + this.#between(SWITCH_MS_MIN, SWITCH_MS_SPREAD);
      }
      await pause(LOOK_MS);
    }
  }

  async #sit(kind: Kind, playerId: string, fallback: 'json' | 'error'): Promise<Seat | null> {
    const { origin, seed } = this.#setup;
    const option = WithHighPerformanceTransport({ fallback, handshakeTimeoutMs: 5000 });
    const options = { baseUrl: origin, apiKey: 'soak' };
    const client = kind === 'udp' ? new Client(options, option) : new Client(options);
    this.#dials++;
    let connection: GameConnection<SoakMessages>;
    try {
      const registry = soakRegistry();
      connection = await client.dialGame(origin, { registry, sessionToken: playerId });
    } catch (error) {
      count(this.figures.failures, `dial ${kind}: ${error}`);
      return null;
    }
    this.figures.opened++;
    if (connection.wire === 'udp') this.figures.openedByUdp++;
    return new Seat(connection, this.figures, seed + this.#dials);
  }

  #between(min: number, spread: number): number {
    return min + this.#random.below(spread);
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function main(): void {
  endWithMain();
  let players: Players;
  const answer = (kind: PlayersAnswer['kind']) => {
    process.send?.({ kind, figures: players.figures } satisfies PlayersAnswer);
  };
  process.on('uncaughtException', (error) => count(players.figures.errors, `${error.stack}`));
  process.on('message', async (command: PlayersCommand) => {
    switch (command.kind) {
      case 'setup':
        players = new Players(command.setup);
        return answer('ready');
      case 'seat':
        await players.seatResidents(command.residents);
        return answer('seated');
      case 'round':
        return players.begin(command.perWire);
      case 'rest':
        await players.rest();
        return answer('rested');
      case 'leave':
        await players.leave();
        return answer('left');
      case 'close':
        process.disconnect();
    }
  });
}

main();
