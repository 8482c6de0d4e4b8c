/** What the processes of the soak say to each other, and to the game server. JSON over Node's IPC. */
import { type GameMessages, gameRegistry } from '../../examples/brawler/game/messages.js';
import type { Registry } from '../../src/sdk/index.js';
import type { ServerCounts, ServerMemory } from '../churn/messages.js';

/**
 * The game, and beside it the tally: a player's `GameEvent`s are numbered by their `tick` from 1, and the
 * server answers each with a `tally` that has a number of its own.
 */
export type SoakMessages = GameMessages & { tally: Tally; welcome: { text: string } };

export interface Tally {
  /** Counts from 1 for each player. */
  n: number;
  /** The newest of the player's events, all those before it included. */
  heard: number;
  /** As long as `padLength(n)`. */
  pad: string;
}

const PAD_EVERY = 40;
const PAD_BYTES = 6000;

/** Most tallies are small, some go in pieces. */
export function padLength(n: number): number {
  return n % PAD_EVERY === 0 ? PAD_BYTES : n % 32;
}

/** `GameEvent` is the message of the game; the tally goes as JSON on both wires. */
export const soakRegistry = () => gameRegistry() as Registry<object> as Registry<SoakMessages>;

/** Those who play and keep the tally; others only come and go. */
export const SEAT_PREFIX = 'seat-';
/** Of those, the ones that stay from the beginning to the end. */
export const RESIDENT_PREFIX = `${SEAT_PREFIX}resident-`;

/**
 * Faults made on purpose, which a run must notice: every player that left is kept, with a timer; or
 * the twentieth tally of each is left out; or both.
 */
export const PLANTS = ['none', 'leak', 'lost', 'both'] as const;
export type Plant = (typeof PLANTS)[number];

export interface ServerSetup {
  seed: number;
  plant: Plant;
  /** `ip:port` of the path: what connect tokens say. */
  advertise: string;
  resumeWindowMs: number;
}

export interface ServerReady {
  kind: 'ready';
  httpPort: number;
  udpPort: number;
}

/** Of the server, since it started; taken after two full collections. */
export interface ServerSample {
  kind: 'sample';
  atMs: number;
  joins: number;
  resumes: number;
  cpuUs: number;
  ticksSkipped: number;
  memory: ServerMemory;
  state: ServerCounts;
  /** Of the endpoint, by name. */
  counters: Record<string, number>;
  /** Datagrams refused by the endpoint, by reason; all of them are in `counters` too. */
  refused: Record<string, number>;
  /** Payloads that RL1 was given: taken, and refused. */
  rl1: { given: number; refused: number };
  /** What RL1's pools have handed out. */
  pools: Record<string, number>;
  /** Everything that is dropped, of every layer. */
  drops: Record<string, number>;
  /** Events of the tally that came, and those that did not have the next number. */
  events: { heard: number; astray: number };
  /** Lines of the log at `warn` and `error`, uncaught errors; by text. */
  warnings: Record<string, number>;
  errors: Record<string, number>;
}

export interface PlayersSetup {
  seed: number;
  /** `http://…` of the path. */
  origin: string;
}

export type PlayersCommand =
  | { kind: 'setup'; setup: PlayersSetup }
  /** Those who stay take their seats; answered with `seated`. */
  | { kind: 'seat'; residents: number }
  /** A round begins: so many more on each wire, one after the other. */
  | { kind: 'round'; perWire: number }
  /** It ends: all but the residents leave; answered with `rested`. */
  | { kind: 'rest' }
  /** The residents leave as well; answered with `left`. */
  | { kind: 'leave' }
  | { kind: 'close' };

export type PlayersAnswer = {
  kind: 'ready' | 'seated' | 'rested' | 'left';
  figures: PlayerFigures;
};

/** Since the start. */
export interface PlayerFigures {
  /** Sessions that were opened, and those that lived until they left in their own time. */
  opened: number;
  lived: number;
  /** Of `opened`, those that began by UDP. */
  openedByUdp: number;
  switches: number;
  /** Those that failed, by reason, on sessions that went on. */
  refusedSwitches: Record<string, number>;
  /** Reliable messages: sent by players, and those of the server that came. */
  sent: number;
  came: number;
  snapshots: number;
  gameEvents: number;
  /** What a session that lived had wrong, by what it was. */
  faults: Record<string, number>;
  /** Dials that failed and sessions that ended, by reason. */
  failures: Record<string, number>;
  errors: Record<string, number>;
}

export interface PathSetup {
  seed: number;
  /** Of datagrams of both directions. */
  lossRatio: number;
}

export type PathCommand =
  | { kind: 'servers'; httpPort: number; udpPort: number }
  /** Per second, over all players. */
  | { kind: 'disturb'; rebinds: number; cuts: number; blackouts: number }
  /** No more disturbances, and what is dark is light again. Loss stays. Answered with `path`. */
  | { kind: 'calm' }
  | { kind: 'close' };

export interface PathReady {
  kind: 'ready';
  udpAddress: string;
  origin: string;
}

/** Since the start. */
export interface PathFigures {
  kind: 'path';
  datagrams: number;
  lost: number;
  rebinds: number;
  /** WebSockets that were cut, players that were dark for a while. */
  cuts: number;
  blackouts: number;
}

export type StrangersCommand =
  | { kind: 'garbage'; setup: StrangersSetup }
  /** All sockets closed; answered with `strangers`. */
  | { kind: 'rest' }
  | { kind: 'close' };

export interface StrangersSetup {
  seed: number;
  httpPort: number;
  udpPort: number;
  /** Per second. */
  datagrams: number;
  requests: number;
  /** Let in, on either wire, and talking nonsense. */
  players: number;
}

/** Since the start. */
export interface StrangersFigures {
  kind: 'strangers';
  datagrams: number;
  requests: number;
  /** WebSockets that were let in, and payloads of those by UDP. */
  sockets: number;
  payloads: number;
  errors: Record<string, number>;
}
