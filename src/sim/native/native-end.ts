import { TALLY_SEND_SUPERSEDED } from '../../protocol/drop-reason.js';
import type { Engine } from '../engine.js';
import { FlowEnd, sureSendBytes } from '../flow-end.js';
import type { WorkloadLimits } from '../workload/workload.js';
import type { NativeNode } from './native-node.js';

export class NativeEnd extends FlowEnd {
  /** A server's: the end of the client's earlier flow; it must be over once this one is open. */
  older: NativeEnd | null = null;
  /** The flow it has, or is dialling for; −1: none yet. */
  flow = -1;
  /** A client: from the dial until it is open or refused. */
  isDialling = false;
  closesWhenDrained = false;
  closeCode = 0;
  /** When the flow was dialled, opened and closed last, and why the last one ended. */
  dialledUs = -1;
  openedUs = -1;
  closedUs = -1;
  closeReason = '';

  constructor(
    world: Engine,
    index: number,
    name: string,
    limits: WorkloadLimits,
    readonly node: NativeNode,
    readonly isClient: boolean,
    readonly client: number,
  ) {
    super(world, index, name, limits, sureSendBytes(node.options.limits));
  }

  queuedBytes(): number {
    return this.isOpen ? this.node.protocol.queuedBytes(this.slot) : 0;
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
    const { runtime } = this.node;
    return runtime.send(
      this.slot,
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
