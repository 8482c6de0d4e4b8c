/** What the native server and its load say beyond the words of every bench (bench/suite/words.ts). */
import type { Histogram } from '../suite/histogram.js';
import type { Connected, LoadMark, ServerMark } from '../suite/words.js';

export interface NativeServerMark extends ServerMark {
  /** Time in batch system calls since the last mark. */
  syscallNs: Histogram;
  heapBytes: number;
}

export interface NativeLoadMark extends LoadMark {
  /** Total, of `--forge`: bad packets from the flows' own addresses. */
  forged?: number;
}

export interface NativeConnected extends Connected {
  residentBytesPerFlow: number;
}

/** The server's memory before the first flow connected, and what the load said of connecting. */
export interface Memory {
  before: NativeServerMark;
  connected: NativeConnected;
}

/** One stretch between marks. */
export interface Sample {
  /** The load's, when the warm-up was over. */
  begun: NativeLoadMark;
  before: NativeServerMark;
  after: NativeServerMark;
  /** Once both are at rest. */
  settled: NativeServerMark;
  sent: NativeLoadMark;
}
