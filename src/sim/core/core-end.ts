import { TALLY_SEND_SUPERSEDED } from '../../protocol/drop-reason.js';
import { ProtocolStats } from '../../protocol/protocol.js';
import type { Engine } from '../engine.js';
import { FlowEnd, sureSendBytes } from '../flow-end.js';
import type { Link } from '../network/link.js';
import type { WorkloadLimits } from '../workload/workload.js';
import type { CoreNode } from './core-node.js';

/** Codes that applications of these worlds close with; any other is one that nobody said. */
export const CLOSE_CODES = [1000, 1001, 4000, 65535] as const;

const stats = new ProtocolStats();

export class CoreEnd extends FlowEnd {
  /** The other end of the flow; set once both exist. */
  peer!: CoreEnd;
  closeCode = 0;
  closesWhenDrained = false;
  /** Figures of the last flow, when it was freed. */
  resends = 0;
  spurious = 0;
  lost = 0;
  bytesOut = 0;
  /** The flow is freed from inside the handler of this message; −1: not. */
  freeAtMessage = -1;

  constructor(
    world: Engine,
    index: number,
    name: string,
    limits: WorkloadLimits,
    readonly node: CoreNode,
    readonly isClient: boolean,
    /** Towards the peer. */
    readonly link: Link,
    readonly linkName: string,
  ) {
    super(world, index, name, limits, sureSendBytes(node.options.protocol.limits ?? {}));
  }

  /** Keeps the figures that its flow takes with it. */
  keepFigures(): void {
    if (!this.node.protocol.stats(this.slot, stats)) return;
    this.resends = stats.resends;
    this.spurious = stats.spuriousLost;
    this.lost = stats.lost;
    this.bytesOut = stats.bytesOut;
  }

  queuedBytes(): number {
    return this.node.protocol.queuedBytes(this.slot);
  }

  protected submit(
    bytes: Uint8Array,
    channel: number,
    mode: number,
    length: number,
    expiresUs: number,
    key: number,
    redundancy: number,
    receipt: number,
  ): number {
    const { node } = this;
    return node.protocol.send(
      this.slot,
      node.nodeUs,
      channel,
      mode,
      bytes,
      0,
      length,
      expiresUs,
      key,
      redundancy,
      receipt,
    );
  }

  protected superseded(): number {
    return this.node.protocol.tallies[TALLY_SEND_SUPERSEDED];
  }
}
