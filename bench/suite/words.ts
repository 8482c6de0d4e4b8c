/**
 * What the program that runs the benchmark and a process of it say to each other: a word per line on
 * standard input, a JSON object per line on standard output. As native/bench/src/control.rs has it;
 * `watch` and `unwatch` are known to servers in JavaScript only.
 *
 *   connect   load: connect every flow; answers
 *   run       serve, or send; no answer
 *   pause     answers with a mark; nothing is done until the next `run`
 *   mark      what was used and counted so far; answers
 *   watch     from here on the event loop's delay is recorded, which costs wakes; no answer
 *   unwatch   no longer
 *   stop      ends the process; so does the end of standard input
 */
import type { Histogram } from './histogram.js';
import type { GcKind } from './results.js';

export type Word = 'connect' | 'run' | 'pause' | 'mark' | 'watch' | 'unwatch' | 'stop';

/** From a process: its first line, or an answer. */
export function tell(object: object): void {
  process.stdout.write(`${JSON.stringify(object)}\n`);
}

/** A server's first line. */
export interface Ready {
  /** `ip:port` */
  ready: string;
  /** Of a GameServer: what its clients must know the same messages by. */
  registryHash?: number;
  /** Of a GameServer: `ip:port` where tickets are minted. */
  tickets?: string;
}

/** Totals since the process began, but for what says otherwise. */
export interface ServerMark {
  cpuNs: number;
  wallNs: number;
  /** Messages answered; of the game: inputs handled plus snapshots and events accepted. */
  echoed: number;
  residentBytes: number;
  drops?: Record<string, number>;
  /** Of the floor: time in batch system calls since the last mark. */
  syscallNs?: Histogram;

  // Servers in JavaScript only.
  /** Since the process began, as `pauses` count. */
  uptimeMs?: number;
  /** Of the JavaScript thread. */
  threadCpuNs?: number;
  systemCpuNs?: number;
  /** In native calls of the addon; absent where there are none. */
  nativeNs?: number;
  heapUsedBytes?: number;
  /** On the JavaScript heap. */
  allocatedBytes?: number;
  /** Since the last mark: [ms since the process began, pause ms, kind]. */
  pauses?: [number, number, GcKind][];
  /** Since `watch`. */
  loopDelayUs?: { p50: number; p99: number; p999: number; max: number };
  /** Players or connections now. */
  connections?: number;
  bulkBytes?: number;
  /** Of the game: events sent, one for each player who took it. Of a client: events heard. */
  events?: number;
}

/** What the load answers to `mark` and `pause`: since the last mark, but for what says otherwise. */
export interface LoadMark {
  /** Of the game: inputs. */
  offered: number;
  delivered: number;
  rttNs: Histogram;
  /** How late the load itself was. */
  lagNs: Histogram;
  cpuNs: number;
  wallNs: number;
  /** Datagrams of the load's own sockets that the kernel dropped. */
  overflowed?: number;
  /** Total: answers that nobody waits for, or that say something else than what was asked. */
  strange?: number;
  /** Total: flows that the server, or a failure, ended. */
  closed?: number;
  /** Totals of packets and their bytes, headers of IP included. */
  wire?: { packetsOut: number; bytesOut: number; packetsIn: number; bytesIn: number };
  snapshots?: { received: number; missed: number; late: number };
  gameEvents?: number;
  /** Total, whether the load was running or not. */
  gameEventsEver?: number;
  bulk?: { messages: number; bytes: number };
  /** Totals: connections since the load began. */
  storm?: { completed: number; failed: number };
  connectNs?: Histogram;
  oneWayNs?: Histogram;
  eventOneWayNs?: Histogram;
}

export interface Connected {
  connected: number;
  closed?: number;
  seconds: number;
}
