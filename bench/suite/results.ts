/**
 * What a run of the benchmark says. `results.schema.json` says the same for other programs, and
 * `results.test.ts` holds the two together. Figures that a run or a wire does not have are 0.
 */

/** The wires of the suite itself; `--peers` adds names of its own. */
export const WIRES = ['udp', 'json-ws', 'json-http', 'json-dgram', 'floor'] as const;
export type Wire = (typeof WIRES)[number];

export function isOwnWire(name: string): name is Wire {
  return (WIRES as readonly string[]).includes(name);
}

export interface Quantiles {
  p50: number;
  p99: number;
  p999: number;
  max: number;
}

export interface Pauses {
  count: number;
  p50: number;
  p99: number;
  max: number;
  total: number;
}

/** `perf_hooks` names them so. */
export const GC_KINDS = ['minor', 'incremental', 'major', 'weakcb'] as const;
export type GcKind = (typeof GC_KINDS)[number];

/** Of reliable events, over all players and the whole run: what was sent must have been heard. */
export interface EventCounts {
  sent: number;
  received: number;
}

export interface RunResult {
  name: string;
  wire: string;
  flows: number;
  /** Of one message: the FlatBuffers body, or the JSON text. */
  payloadBytes: number;
  offeredPerSecond: number;
  deliveredPerSecond: number;
  /** Offered and never delivered, of what was offered. */
  lossRatio: number;
  /** CPU of the whole server process, user and system. */
  serverCpuNsPerMessage: number;
  /** See bench/README.md: udp, less what native calls took; JSON servers, less the system's time. */
  jsNsPerMessage: number;
  /** On the JavaScript heap. */
  allocatedBytesPerMessage: number;
  rttUs: Quantiles;
  /** Of the server. */
  gcPauseMs: Pauses;
  /** Both directions, headers of IP and UDP or TCP and acknowledgements included. */
  wireBytesPerMessage: number;
  /** Growth of the server's resident memory since before the first connected. */
  rssBytesPerFlow: number;

  /** From the server to the client: from when its tick was due to when the snapshot arrived. */
  oneWayUs?: Quantiles;
  /**
   * The whole distributions behind `rttUs` and `oneWayUs`: [quantile, microseconds], ascending, from
   * [0, lowest] to [1, maximum].
   */
  rttCurveUs?: [number, number][];
  oneWayCurveUs?: [number, number][];
  /** Of a client process in JavaScript beside the load: a match of players, or as many echo flows. */
  clientGcPauseMs?: Pauses;
  clientGcByKind?: Partial<Record<GcKind, Pauses>>;
  events?: EventCounts;
  gcByKind?: Partial<Record<GcKind, Pauses>>;
  /** Pauses in the order they came: [seconds since the first mark, milliseconds, kind]. */
  gcTimeline?: [number, number, GcKind][];
  eventLoopDelayUs?: Quantiles;
  /** Datagrams that the kernel dropped before the server saw them (SO_RXQ_OVFL). */
  kernelDrops?: number;
  /** What the server dropped, by reason. */
  drops?: Record<string, number>;
  rounds?: number;
  /** CPU per message of each round, to see how far they lie apart. */
  cpuNsByRound?: number[];
  /** Loss of each round, less what the kernel dropped at the server. */
  lossByRound?: number[];
  /** Share of one processor that the server took. */
  serverCpuRatio?: number;
  /** How late the load itself was: above a millisecond the round trips are partly its own. */
  loadLagUs?: Quantiles;
  /** From the start of the process to listening. */
  startMs?: Quantiles;
  connectedPerSecond?: number;
  /** Flows that were connected; fewer than `flows` is said aloud. */
  connected?: number;
  /** Batch system calls of the floor and of load processes that time them. */
  syscallUs?: Quantiles;
  /** Bytes of bulk data delivered beside the messages. */
  bulkBytesPerSecond?: number;
  /** After an overload, until round trips are as before. */
  recoveryMs?: number;
  /** How the run differs from what its name says. */
  note?: string;
}

export interface Machine {
  cpu: string;
  cpus: number;
  kernel: string;
  memoryBytes: number;
  /** The processors that server and load were kept on; null where nothing could be pinned. */
  pinned: { server: number; load: number } | null;
}

/** What a wire is, for those that bench/suite/wires.ts does not know. */
export interface WireInfo {
  /** As a reader calls it: `ENet over UDP`. */
  title: string;
  /** What runs there: the library and what it is asked for. */
  about: string;
  version?: string;
  /** Of the part that moves messages, and what drives it. */
  language?: string;
  isEncrypted: boolean;
  isReliable: boolean;
  isOrdered?: boolean;
  /** Beside those: what a game would still have to build. */
  lacks?: string;
}

export interface Results {
  machine: Machine;
  versions: Record<string, string>;
  /** ISO 8601. */
  date: string;
  command: string;
  runs: RunResult[];
  ratios: Record<string, number>;
  /** Runs that were left out, and why. */
  skipped?: Skipped[];
  /** Of wires that the suite itself does not have, by `wire` of their runs. */
  wires?: Record<string, WireInfo>;
  /** How the whole differs from a quiet, full run. */
  note?: string;
}

/** A run, or `run: wire`. */
export interface Skipped {
  name: string;
  reason: string;
}

export const NO_QUANTILES: Readonly<Quantiles> = { p50: 0, p99: 0, p999: 0, max: 0 };
export const NO_PAUSES: Readonly<Pauses> = { count: 0, p50: 0, p99: 0, max: 0, total: 0 };

/** @returns the run, or undefined when it was not made */
export function findRun(
  results: Pick<Results, 'runs'>,
  name: string,
  wire: string,
): RunResult | undefined {
  return results.runs.find((run) => run.name === name && run.wire === wire);
}
