import type { LinkStats } from './connection-stats.js';
import type { JsonPeer } from './json-peer.js';

/** What the socket under a peer has carried. */
export interface StreamFigures {
  bytesIn: number;
  bytesOut: number;
  framesIn: number;
  framesOut: number;
}

/** Figures of a WebSocket link; `peer` is null while it is still opening. */
export function jsonStats<O>(peer: JsonPeer<O> | null, stream: StreamFigures): LinkStats {
  return {
    wire: 'json-ws',
    rttMs: peer?.clock.rttMs ?? Number.NaN,
    rttVarMs: peer?.clock.rttVarMs ?? Number.NaN,
    jitterMs: peer?.clock.jitterMs ?? 0,
    messagesIn: peer?.messagesIn ?? 0,
    messagesOut: peer?.messagesOut ?? 0,
    bytesIn: stream.bytesIn,
    bytesOut: stream.bytesOut,
    packetsIn: stream.framesIn,
    packetsOut: stream.framesOut,
    packetsLostIn: 0,
    resends: 0,
    droppedOut: peer?.droppedOut ?? 0,
    queuedBytes: peer?.queuedBytes ?? 0,
    queueAgeMs: peer?.queueAgeMs ?? 0,
    packetsTrackedOut: 0,
    packetsLostOut: 0,
  };
}
