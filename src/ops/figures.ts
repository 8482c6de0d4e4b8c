/** A server in numbers, as a scrape finds it. Whoever serves metrics fills it in. */
import type { AdmissionStatus } from '../util/admission.js';
import type { DurationHistogram } from './histogram.js';
import type { ProcessWatch } from './process-watch.js';
import type { TickMeter } from './tick-meter.js';

export interface WireFigures {
  /** Connected now. */
  players: number;
  /** Since the start, as everything below up to `resends`. */
  joins: number;
  leaves: number;
  messagesIn: number;
  messagesOut: number;
  bytesIn: number;
  bytesOut: number;
  packetsIn: number;
  packetsOut: number;
  packetsLostIn: number;
  resends: number;
  /** Accepted and not yet acknowledged, over all players. */
  queuedBytes: number;
  /** Smoothed round-trip times of the players that have one, in any order. */
  rttsMs: number[];
}

/** Sessions whose links die or change; counts since the start. */
export interface ResumeFigures {
  /** Players that are waited for now. */
  suspended: number;
  /** By the wire of the link that died. */
  suspensions: Readonly<Record<string, number>>;
  /** How suspensions ended. */
  suspensionsEnded: Readonly<Record<string, number>>;
  /** By the wire that the session went on with. */
  resumes: Readonly<Record<string, number>>;
  /** By reason. */
  refused: Readonly<Record<string, number>>;
}

export interface ServerFigures {
  uptimeS: number;
  playersMax: number;
  /** New players are refused. */
  isBusy: boolean;
  /** They are, and the server closes once all have left. */
  isDraining: boolean;
  rooms: number;
  wires: Readonly<Record<string, WireFigures>>;
  resumes: ResumeFigures;
  /** By reason. */
  drops: Readonly<Record<string, number>>;
  /** Answers by route and HTTP status. */
  requests: readonly { route: string; status: number; count: number }[];
  handlerErrors: number;
  /** Questions whether a player may stay, by outcome. */
  revalidations: Readonly<Record<string, number>>;
  /** By cause. */
  revocations: Readonly<Record<string, number>>;
  /** Ticks that ran, and those that were skipped. */
  ticks: number;
  ticksSkipped: number;
  /** The same of the ticks of rooms. */
  roomTicks: { readonly ran: number; readonly skipped: number };
  tickMeter: TickMeter;
  /** Arrival in the kernel to the call of the handler, UDP. */
  messageAges: DurationHistogram;
  /** Null while UDP is off. */
  admission: AdmissionStatus | null;
  features: Readonly<Record<string, boolean | number | string>>;
  process: ProcessWatch;
}
