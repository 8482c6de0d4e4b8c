/**
 * ConnectionStats of a UDP flow, put together from the native flow (datagrams, loss), the protocol
 * (RTT, resends) and the peer (messages). Cold: for dashboards and reports, not per packet.
 */
import type { BinaryPeer } from './binary-peer.js';
import type { ConnectionStats } from './types.js';

/** UDP and IPv4 headers of one datagram (RFC 768, RFC 791 without options). */
export const IPV4_UDP_HEADER_BYTES = 28;

interface NativeFigures {
  /** packetsIn, bytesIn, packetsOut, bytesOut, lost, failedOpens. False when the flow is gone. */
  flowStats(slot: number, generation: number, out: Float64Array): boolean;
}

interface FlowFigures {
  srttUs: number;
  rttVarUs: number;
  resends: number;
  queuedBytes: number;
}

interface ProtocolFigures<S extends FlowFigures> {
  stats(slot: number, out: S): boolean;
}

export class UdpFigures<S extends FlowFigures> {
  readonly #native: NativeFigures;
  readonly #protocol: ProtocolFigures<S>;
  readonly #flow: S;
  readonly #datagrams = new Float64Array(8);

  constructor(native: NativeFigures, protocol: ProtocolFigures<S>, scratch: S) {
    this.#native = native;
    this.#protocol = protocol;
    this.#flow = scratch;
  }

  read<O>(peer: BinaryPeer<O>, generation: number): ConnectionStats {
    const flow = this.#flow;
    const datagrams = this.#datagrams.fill(0);
    const isKnown = this.#protocol.stats(peer.slot, flow);
    this.#native.flowStats(peer.slot, generation, datagrams);
    return {
      wire: 'udp',
      rttMs: isKnown && flow.srttUs > 0 ? flow.srttUs / 1000 : Number.NaN,
      rttVarMs: isKnown && flow.srttUs > 0 ? flow.rttVarUs / 1000 : Number.NaN,
      messagesIn: peer.messagesIn,
      messagesOut: peer.messagesOut,
      packetsIn: datagrams[0],
      bytesIn: datagrams[1] + datagrams[0] * IPV4_UDP_HEADER_BYTES,
      packetsOut: datagrams[2],
      bytesOut: datagrams[3] + datagrams[2] * IPV4_UDP_HEADER_BYTES,
      packetsLostIn: datagrams[4],
      resends: isKnown ? flow.resends : 0,
      droppedOut: peer.droppedOut,
      queuedBytes: isKnown ? flow.queuedBytes : 0,
    };
  }
}
