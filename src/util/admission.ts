/**
 * Admission settings as programs give them: who may come in, and how much of the server one of them
 * may take. Defaults and reasons: docs/ADMISSION.md.
 */
import { badOption, TransportError } from './errors.js';

/** A token bucket: `perSecond` flow in, up to `burst`. Whole numbers from 1. */
export interface Rate {
  perSecond: number;
  burst: number;
}

/** What is left out stays as it is (at first: the default). For a rate, null means no limit. */
export interface AdmissionSettings {
  /** Connect tokens tried, over all sources: what strangers may cost. */
  tokenOpens?: Rate | null;
  /** Handshakes begun, over all sources. */
  handshakes?: Rate | null;
  /** Handshakes begun per IPv4 /24 or IPv6 /64. */
  handshakesPerPrefix?: Rate | null;
  /** Half-open handshakes, 1 to 65,536; of each I/O thread. */
  maxPending?: number;
  /** Open flows, from 0 to what the server was made for. Lowering it sends nobody away. */
  maxFlows?: number;
  /** Prefixes (`192.0.2.0/24`, `2001:db8::/32`) from which nothing is taken; who is in leaves. */
  blocked?: readonly string[];
  /** New clients are refused at once. */
  busy?: boolean;
  /** Seconds that refused clients are told to wait, 0 to 65,535. */
  retryAfterS?: number;
  /** Packets of one flow. */
  packetsPerFlow?: Rate | null;
  /** Bytes of one flow, UDP payload; the burst holds at least a datagram. */
  bytesPerFlow?: Rate | null;
}

/** All settings as they are now, and how full everything is. */
export interface AdmissionStatus extends Required<AdmissionSettings> {
  flows: number;
  pending: number;
  /** Connect tokens remembered until they expire, and room for them. */
  tokens: number;
  tokensMax: number;
  /** Left in the bucket now; null without a limit. */
  tokenOpensLeft: number | null;
  handshakesLeft: number | null;
  /** Source prefixes that have spent some of their budget, and room for them. */
  prefixes: number;
  prefixesMax: number;
  /** Budgets of prefixes that were forgotten early for want of room, since the start. */
  prefixesEvicted: number;
}

const U32_MAX = 0xffffffff;
const PENDING_MAX = 65_536;
const PREFIXES_MAX = 65_536;
/** Largest datagram that a server may be configured to take. */
const DATAGRAM_BYTES = 1325;

/** The settings that are rates. */
export const ADMISSION_RATES = [
  'tokenOpens',
  'handshakes',
  'handshakesPerPrefix',
  'packetsPerFlow',
  'bytesPerFlow',
] as const;

const KNOWN: ReadonlySet<string> = new Set([
  ...ADMISSION_RATES,
  'maxPending',
  'maxFlows',
  'blocked',
  'busy',
  'retryAfterS',
]);

/**
 * The settings given, checked; `name` is what errors call them. Whether a prefix is well-formed and
 * `maxFlows` fits the server is checked by the native side.
 *
 * @throws TransportError bad-option
 */
export function readAdmission(name: string, given: AdmissionSettings): AdmissionSettings {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw badOption(name, given, 'an object');
  }
  for (const key of Object.keys(given)) {
    if (KNOWN.has(key)) continue;
    const known = [...KNOWN].join(', ');
    throw new TransportError(
      'bad-option',
      `ggscale: unknown option ${name}.${key}; known: ${known}`,
    );
  }
  for (const key of ADMISSION_RATES) {
    const burstMin = key === 'bytesPerFlow' ? DATAGRAM_BYTES : 1;
    checkRate(`${name}.${key}`, given[key], burstMin);
  }
  checkWhole(`${name}.maxPending`, given.maxPending, 1, PENDING_MAX);
  checkWhole(`${name}.maxFlows`, given.maxFlows, 0, U32_MAX);
  checkWhole(`${name}.retryAfterS`, given.retryAfterS, 0, 65_535);
  if (given.busy !== undefined && typeof given.busy !== 'boolean') {
    throw badOption(`${name}.busy`, given.busy, 'true or false');
  }
  checkPrefixes(`${name}.blocked`, given.blocked);
  return given;
}

function checkRate(name: string, rate: Rate | null | undefined, burstMin: number): void {
  if (rate === undefined || rate === null) return;
  if (typeof rate !== 'object') throw badOption(name, rate, '{ perSecond, burst } or null');
  for (const key of Object.keys(rate)) {
    if (key === 'perSecond' || key === 'burst') continue;
    throw badOption(name, rate, '{ perSecond, burst } or null');
  }
  checkWhole(`${name}.perSecond`, rate.perSecond ?? null, 1, U32_MAX);
  checkWhole(`${name}.burst`, rate.burst ?? null, burstMin, U32_MAX);
}

function checkPrefixes(name: string, prefixes: readonly string[] | undefined): void {
  if (prefixes === undefined) return;
  if (!Array.isArray(prefixes) || prefixes.length > PREFIXES_MAX) {
    const shown = Array.isArray(prefixes) ? prefixes.length : prefixes;
    throw badOption(name, shown, `an array of at most ${PREFIXES_MAX} prefixes`);
  }
  for (let i = 0; i < prefixes.length; i++) {
    if (typeof prefixes[i] === 'string') continue;
    throw badOption(`${name}[${i}]`, prefixes[i], 'a prefix like 192.0.2.0/24');
  }
}

function checkWhole(
  name: string,
  value: number | null | undefined,
  min: number,
  max: number,
): void {
  if (value === undefined) return;
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return;
  throw badOption(name, value, `a whole number ${min}…${max}`);
}
