import { type Protocol, ProtocolStats } from '../protocol/index.js';
import { timeDistanceUs } from '../util/time.js';
import type { RuntimeEndpoint } from './runtime-endpoint.js';

/** UDP and IP headers of one datagram (RFC 768; RFC 791 without options; RFC 8200). */
const IPV4_UDP_HEADER_BYTES = 28;
const IPV6_UDP_HEADER_BYTES = 48;

/** One flow in numbers, since it opened. Bytes count whole IP packets. */
export interface FlowFigures {
  /** Milliseconds; NaN before the first sample. */
  rttMs: number;
  rttVarMs: number;
  /** Of incoming packets, by their stamps: RFC 3550 §6.4.1. */
  jitterMs: number;
  packetsIn: number;
  packetsOut: number;
  bytesIn: number;
  bytesOut: number;
  /** Incoming datagrams missing, by netcode sequence. */
  packetsLostIn: number;
  resends: number;
  /** Unreliable messages that were accepted and given up before they were sent. */
  droppedOut: number;
  queuedBytes: number;
  /** Of the oldest message that waits to be sent for the first time. */
  queueAgeMs: number;
  /** RL1 packets sent that the peer acknowledges, and those of them that seem lost. */
  packetsTrackedOut: number;
  packetsLostOut: number;
}

const stats = new ProtocolStats();
const datagrams = new Float64Array(9);
const IS_IPV6 = 8;

/** netcode 1.02, "encrypted packets": prefix, a sequence of mostly two bytes, tag. */
const NETCODE_BYTES = 1 + 2 + 16;

/**
 * Cold: allocates its answer. Of a flow that netcode has given up already, what RL1 counted: keep-alives
 * and the handshake are missing then. A flow that is gone has zeros.
 */
export function readFlowFigures(
  endpoint: RuntimeEndpoint,
  protocol: Protocol,
  slot: number,
  generation: number,
): FlowFigures {
  const isKnown = generation !== 0 && protocol.stats(slot, stats);
  const hasRtt = isKnown && stats.srttUs > 0;
  datagrams.fill(0);
  const isOpen = endpoint.flowStats(slot, generation, datagrams);
  if (!isOpen && isKnown) {
    datagrams[0] = stats.packetsIn;
    datagrams[1] = stats.bytesIn + stats.packetsIn * NETCODE_BYTES;
    datagrams[2] = stats.packetsOut;
    datagrams[3] = stats.bytesOut + stats.packetsOut * NETCODE_BYTES;
  }
  const [packetsIn, bytesIn, packetsOut, bytesOut, packetsLostIn] = datagrams;
  const header = datagrams[IS_IPV6] === 1 ? IPV6_UDP_HEADER_BYTES : IPV4_UDP_HEADER_BYTES;
  return {
    rttMs: hasRtt ? stats.srttUs / 1000 : Number.NaN,
    rttVarMs: hasRtt ? stats.rttVarUs / 1000 : Number.NaN,
    jitterMs: isKnown ? stats.jitterUs / 1000 : 0,
    packetsIn,
    packetsOut,
    bytesIn: bytesIn + packetsIn * header,
    bytesOut: bytesOut + packetsOut * header,
    packetsLostIn,
    resends: isKnown ? stats.resends : 0,
    droppedOut: isKnown ? stats.droppedOut : 0,
    queuedBytes: isKnown ? stats.queuedBytes : 0,
    queueAgeMs: isKnown && stats.hasUnsent ? ageMs(endpoint, stats.unsentSinceUs) : 0,
    packetsTrackedOut: isKnown ? stats.packetsOut - stats.acksOut : 0,
    packetsLostOut: isKnown ? stats.lost - stats.spuriousLost : 0,
  };
}

function ageMs(endpoint: RuntimeEndpoint, sinceUs: number): number {
  return Math.max(0, timeDistanceUs(endpoint.clockUs(), sinceUs)) / 1000;
}
