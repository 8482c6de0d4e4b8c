/** What the processes of this bench say to each other, and to the game server. JSON over Node's IPC. */
import { GameEvent, type GameEventValue } from '../../src/messages/generated/index.js';
import { createRegistry } from '../../src/messages/index.js';
import type { Wire } from '../../src/server/index.js';

export interface ChurnMessages {
  /** Echoed by the server. */
  GameEvent: GameEventValue;
  /** JSON on both wires; the server says it on joining. */
  welcome: { text: string };
}

export const churnRegistry = () => createRegistry({ GameEvent });

/**
 * Leaks made on purpose, which a run must notice: each player and a timer; or 64 B for each join, which
 * no class tells.
 */
export const PLANTS = ['none', 'objects', 'bytes'] as const;
export type Plant = (typeof PLANTS)[number];

export interface ServerSetup {
  resumeWindowMs: number;
  maxPlayers: number;
  plant: Plant;
}

export interface ServerReady {
  kind: 'ready';
  origin: string;
}

/** Taken by the server of itself, after two full collections. */
export interface ServerSample {
  kind: 'sample';
  /** Players that joined, sessions that were resumed, since the start. */
  joins: number;
  resumes: number;
  /** CPU of the whole process since the start, less that of the collections of samples. */
  cpuUs: number;
  atMs: number;
  memory: ServerMemory;
  state: ServerCounts;
  /** Event-loop delay since the last sample, ms; the collections of samples are left out. */
  loopDelayMs: { p50: number; p99: number; max: number };
  drops: Record<string, number>;
}

/** Bytes. */
export interface ServerMemory {
  heapUsed: number;
  external: number;
  arrayBuffers: number;
  rss: number;
  /** Resident part of the C heap: native flows, handshakes, token history, libuv. */
  nativeHeap: number;
}

/** What is there now. All of it but the tokens must be back at its first value in the end. */
export interface ServerCounts {
  players: number;
  suspended: number;
  flows: number;
  pending: number;
  /** Connect tokens remembered until they expire. */
  tokens: number;
  fds: number;
  /** libuv handles and requests that keep the process alive, by kind. */
  handles: Record<string, number>;
  /** Objects alive, by class; only when asked for, it visits the whole heap. */
  objects: Record<string, number>;
}

export type ServerCommand = { kind: 'sample'; withObjects: boolean } | { kind: 'close' };

/** What one visit does, and in which share (docs/TESTING.md). */
export const VISITS = ['clean', 'vanish', 'silent', 'halfway', 'resume', 'double'] as const;
export type VisitKind = (typeof VISITS)[number];

export interface LoadSetup {
  wire: Wire;
  origin: string;
  /** Distinguishes player ids and source addresses of several load processes; 0…15. */
  index: number;
}

/** Visits begin at fixed times (open loop) until told to stop, or until `visits` have begun. */
export interface LoadOrder {
  /** Connects, that is tickets and links, per second. */
  ratePerS: number;
  /** Visits of each kind in a cycle. */
  shares: Record<VisitKind, number>;
  /** Null: without end. */
  visits: number | null;
}

export type LoadCommand =
  | { kind: 'setup'; setup: LoadSetup }
  | { kind: 'start'; order: LoadOrder }
  /** No new visits; answered with `done` once the last one is over. */
  | { kind: 'stop' };

/** Since the start. */
export interface LoadFigures {
  /** Tickets asked for a link. */
  attempts: number;
  /** Links on which `$hello` or `$resumed` came. */
  opened: number;
  /** Links given up in the middle of the handshake, on purpose. */
  halfway: number;
  /** Visits that were due while too many were under way: not begun. */
  shed: number;
  /** Visits. */
  begun: number;
  running: number;
  done: Record<string, number>;
  failures: Record<string, number>;
  /** From asking for the ticket to `$hello` or `$resumed`, ms. */
  openMs: { p50: number; p99: number; max: number };
  /** Of the load itself. */
  cpuUs: number;
}

export type LoadAnswer =
  | { kind: 'ready' }
  | { kind: 'second'; figures: LoadFigures }
  | { kind: 'done'; figures: LoadFigures };

/** Players that come, talk and are killed with their process; `halfway` more in mid-handshake. */
export interface DoomedOrder {
  setup: LoadSetup;
  /** Distinguishes the generations. */
  generation: number;
  vanish: number;
  halfway: number;
}

export type DoomedAnswer = { attempts: number; opened: number; halfway: number; failed: string[] };

/** A number's place in a sorted list. */
export function quantile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return 0;
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
