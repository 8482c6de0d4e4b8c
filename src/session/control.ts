/**
 * The session layer's own messages. On UDP they travel reliable-ordered on CONTROL_CHANNEL, cold
 * ones as JSON of id 0 with a `$` name, the acknowledgement as raw id 2; on WebSocket all of them
 * are JSON frames.
 *
 *   $hello  server → client, first message: who you are and how to resume
 *   $resume, $resumed  client, server: the session goes on on this link (docs/wire/session.md)
 *   $types  both, UDP, only when the registry hashes differ: [[id, hash], …]
 *   $ack    WebSocket, both: {"frames": number of game frames delivered};
 *           UDP, client → server: raw id 2 without a body, "I have adopted this link"
 *   $lead   server → client: UDP raw id 3, unreliable-sequenced, u32 tick, i32 margin in µs, u16 inputs,
 *           u16 late, little-endian; WebSocket {"tick", "marginMs", "inputs", "late"}
 *   $ping / $time  WebSocket: {"t": sender's ms} / {"t": echoed, "server": server ms}
 */

import type { TickSchedule } from '../time/input-lead.js';
import { parseReport, type Report } from './report.js';

/** Raw body id of `$ack` on UDP. */
export const ID_ACK = 2;
/** Raw body id of the UDP input lead. */
export const ID_LEAD = 3;
const LEAD_BYTES = 12;
const I32_MAX = 0x7fffffff;
const U16_MAX = 0xffff;

export interface Hello {
  /** Session id, 16 hex digits. */
  session: string;
  /** One-time resume secret, base64url of 16 bytes. Never log it. */
  secret: string;
  resumeWindowMs: number;
  player: string;
  /** The server's monotonic clock when this was sent, ms. */
  serverTimeMs: number;
  /** When the server runs its ticks; null when it has none. */
  ticks: TickSchedule | null;
}

/** How the inputs of the last 100 ms arrived at the server. */
export interface LeadReport {
  /** Of the input with the least margin (u32), and that margin: ahead of its tick, ms. */
  tick: number;
  marginMs: number;
  /** First copies, and those of them that came after their tick had run. */
  inputs: number;
  late: number;
}

/** Reason of CLOSE_POLICY_VIOLATION on a link that may not resume. */
export const REASON_RESUME_REFUSED = 'resume-refused';

/** The client's first message on a link that is to carry a session on. */
export interface ResumeRequest {
  session: string;
  /** Never log it. */
  secret: string;
  /** The last link that the client adopted; 0 is the one of `$hello`. */
  from: number;
  /** The number of this link, greater than that of any attempt before. */
  link: number;
  /** What was delivered on `from`. */
  received: Report;
}

/** The server's answer. */
export interface Resumed {
  link: number;
  /** For the next time. Never log it. */
  secret: string;
  /** What was delivered on the client's `from`. */
  received: Report;
  serverTimeMs: number;
}

/** Null when the payload is not a well-formed `$resume`. */
export function parseResume(payload: unknown): ResumeRequest | null {
  if (!isObject(payload)) return null;
  const { session, secret, from, link } = payload;
  const received = parseReport(payload.received);
  if (typeof session !== 'string' || typeof secret !== 'string') return null;
  if (!isLink(from) || !isLink(link) || received === null) return null;
  return { session, secret, from, link, received };
}

/** Null when the payload is not a well-formed `$resumed`. */
export function parseResumed(payload: unknown): Resumed | null {
  if (!isObject(payload)) return null;
  const { link, secret, serverTimeMs } = payload;
  const received = parseReport(payload.received);
  if (typeof secret !== 'string' || typeof serverTimeMs !== 'number') return null;
  if (!isLink(link) || received === null) return null;
  return { link, secret, received, serverTimeMs };
}

function isLink(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Null when the payload is not a well-formed `$hello`. */
export function parseHello(payload: unknown): Hello | null {
  if (!isObject(payload)) return null;
  const { session, secret, resumeWindowMs, player, serverTimeMs } = payload;
  const ticks = parseTicks(payload.ticks);
  if (typeof session !== 'string' || typeof secret !== 'string') return null;
  if (typeof player !== 'string') return null;
  if (typeof resumeWindowMs !== 'number' || typeof serverTimeMs !== 'number') return null;
  if (ticks === undefined) return null;
  return { session, secret, resumeWindowMs, player, serverTimeMs, ticks };
}

/** Undefined when it is malformed. */
function parseTicks(payload: unknown): TickSchedule | null | undefined {
  if (payload === undefined || payload === null) return null;
  const tick = numberField(payload, 'tick');
  const atMs = numberField(payload, 'atMs');
  const stepMs = numberField(payload, 'stepMs');
  const isFine = Number.isInteger(tick) && Number.isFinite(atMs) && stepMs > 0 && stepMs <= 1000;
  return isFine ? { tick, atMs, stepMs } : undefined;
}

/** A `$lead` payload of the WebSocket wire, or null when malformed. */
export function parseLead(payload: unknown): LeadReport | null {
  const tick = numberField(payload, 'tick');
  const marginMs = numberField(payload, 'marginMs');
  const inputs = numberField(payload, 'inputs');
  const late = numberField(payload, 'late');
  const isFine = Number.isInteger(tick) && Number.isFinite(marginMs) && inputs >= 0 && late >= 0;
  return isFine ? { tick, marginMs, inputs, late } : null;
}

/** Writes a lead report's body; returns its length. */
export function writeLead(report: LeadReport, out: Uint8Array, offset: number): number {
  const view = new DataView(out.buffer, out.byteOffset + offset, LEAD_BYTES);
  const marginUs = Math.round(report.marginMs * 1000);
  view.setUint32(0, report.tick, true);
  view.setInt32(4, Math.min(I32_MAX, Math.max(-I32_MAX, marginUs)), true);
  view.setUint16(8, Math.min(U16_MAX, report.inputs), true);
  view.setUint16(10, Math.min(U16_MAX, report.late), true);
  return LEAD_BYTES;
}

/** The report of a body, or null when malformed. */
export function readLead(bytes: Uint8Array, offset: number, length: number): LeadReport | null {
  if (length !== LEAD_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, LEAD_BYTES);
  return {
    tick: view.getUint32(0, true),
    marginMs: view.getInt32(4, true) / 1000,
    inputs: view.getUint16(8, true),
    late: view.getUint16(10, true),
  };
}

/** The `[id, hash]` pairs of a `$types` payload as a map, or null when malformed. */
export function parseTypes(payload: unknown): Map<number, number> | null {
  if (!Array.isArray(payload)) return null;
  const types = new Map<number, number>();
  for (const pair of payload) {
    if (!Array.isArray(pair) || pair.length !== 2) return null;
    if (!Number.isInteger(pair[0]) || !Number.isInteger(pair[1])) return null;
    types.set(pair[0], pair[1]);
  }
  return types;
}

/** Finite number field of a `$ping`, `$time` or `$ack` payload; NaN when absent or of other type. */
export function numberField(payload: unknown, name: string): number {
  if (!isObject(payload)) return Number.NaN;
  const value = payload[name];
  return typeof value === 'number' ? value : Number.NaN;
}
