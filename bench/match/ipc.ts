/** What the main process and its children say to each other. JSON over Node's own IPC channel. */
import type { Wire } from '../../src/server/index.js';
import { type GcPauses, NO_PAUSES } from './gc-watch.js';

export interface ServerConfig {
  wire: Wire;
  host: string;
  /** Loopback without TLS; else the address is one of the forwarder's own namespaces. */
  isLoopback: boolean;
  rateHz: number;
  seed: number;
  playersMax: number;
}

export interface PlayersConfig {
  wire: Wire;
  address: string;
  players: number;
  seed: number;
}

export type Command =
  | { kind: 'serve'; config: ServerConfig }
  | { kind: 'join'; config: PlayersConfig }
  /** Matches begin; players press buttons. */
  | { kind: 'play' }
  /** The warm-up is over: figures count from here. */
  | { kind: 'measure' }
  /** Figures are taken; answered with `measured`. */
  | { kind: 'stop' }
  /** Players: no more inputs. */
  | { kind: 'rest' }
  /** Digests; the server waits first until all it sent is delivered. Answered with `finished`. */
  | { kind: 'finish' }
  /** Frees everything and ends the process. */
  | { kind: 'close' };

/** Totals since `measure` (in a `measured`), or since the last one (in a `second`). */
export interface ServerFigures {
  players: number;
  messagesIn: number;
  messagesOut: number;
  bytesIn: number;
  bytesOut: number;
  packetsIn: number;
  packetsOut: number;
  packetsLostIn: number;
  resends: number;
  tcpRetransmits: number;
  cpuUs: number;
  elapsedUs: number;
  gcPauseMs: GcPauses;
  heapUsedBytes: number;
  ticksSkipped: number;
}

export const NO_SERVER_FIGURES: Readonly<ServerFigures> = {
  players: 0,
  messagesIn: 0,
  messagesOut: 0,
  bytesIn: 0,
  bytesOut: 0,
  packetsIn: 0,
  packetsOut: 0,
  packetsLostIn: 0,
  resends: 0,
  tcpRetransmits: 0,
  cpuUs: 0,
  elapsedUs: 0,
  gcPauseMs: NO_PAUSES,
  heapUsedBytes: 0,
  ticksSkipped: 0,
};

/** What changed; players and heap are as they are now, pauses are the caller's to fill in. */
export function since(before: ServerFigures, now: ServerFigures): ServerFigures {
  return {
    ...now,
    messagesIn: now.messagesIn - before.messagesIn,
    messagesOut: now.messagesOut - before.messagesOut,
    bytesIn: now.bytesIn - before.bytesIn,
    bytesOut: now.bytesOut - before.bytesOut,
    packetsIn: now.packetsIn - before.packetsIn,
    packetsOut: now.packetsOut - before.packetsOut,
    packetsLostIn: now.packetsLostIn - before.packetsLostIn,
    resends: now.resends - before.resends,
    tcpRetransmits: now.tcpRetransmits - before.tcpRetransmits,
    cpuUs: now.cpuUs - before.cpuUs,
    elapsedUs: now.elapsedUs - before.elapsedUs,
    ticksSkipped: now.ticksSkipped - before.ticksSkipped,
  };
}

/** What grows while players play. */
export interface PlayersTotals {
  snapshots: number;
  events: number;
  packetsIn: number;
  packetsLostIn: number;
  resends: number;
  tcpRetransmits: number;
  cpuUs: number;
}

export interface PlayersFigures extends PlayersTotals {
  players: number;
  gcPauseMs: GcPauses;
  rttUs: RttFigures;
}

/** Microseconds; all 0 without samples. */
export interface RttFigures {
  samples: number;
  p50: number;
  p99: number;
  p999: number;
  max: number;
}

export interface ServerDigests {
  /** Per player, in the order of joining: what was sent to it. */
  digests: string[];
  /** Reliable events that a player's connection did not accept. */
  refused: number;
  /** True when everything reliable was acknowledged in time. */
  drained: boolean;
}

export type Answer =
  | { kind: 'ready'; address: string }
  | { kind: 'joined' }
  | { kind: 'second'; server: ServerFigures }
  | { kind: 'second'; players: PlayersFigures }
  | { kind: 'measured'; server: ServerFigures }
  | { kind: 'measured'; players: PlayersFigures }
  | { kind: 'finished'; server: ServerDigests }
  | { kind: 'finished'; digests: string[] }
  /** Ends the run. `code` is a TransportError's, when it is one. */
  | { kind: 'failed'; message: string; code: string | null };

/** In a child: sends to the main process; a main process that is gone is noticed by `disconnect`. */
export function answer(message: Answer): void {
  process.send?.(message);
}

export function answerFailure(error: unknown): void {
  const code = (error as { code?: unknown } | null)?.code;
  const message = error instanceof Error ? error.message : String(error);
  answer({ kind: 'failed', message, code: typeof code === 'string' ? code : null });
}

/** In a child: runs the handler for each command, reports what it throws, ends with the parent. */
export function serveCommands(handler: (command: Command) => Promise<void> | void): void {
  process.on('disconnect', () => process.exit(0));
  // The main process decides when a run that is interrupted ends.
  process.on('SIGINT', () => {});
  process.on('message', (command) => {
    void (async () => handler(command as Command))().catch(answerFailure);
  });
}
