import type { AckBatch } from '../session/ack-batch.js';
import type { PeerContext } from '../session/peer-context.js';
import type { Link, LinkHost } from './link.js';

/** What the peers of both wires ask of a client's session; `onDrained` is the wire's own. */
export function linkContext(
  host: LinkHost,
  link: Link,
  acks: AckBatch<{ flushAck(): void }>,
): Omit<PeerContext<null, unknown>, 'onDrained'> {
  return {
    registry: host.registry,
    dispatcher: host.dispatcher as never,
    drops: host.drops,
    acks,
    onUnhandled: (_owner, type, value) => host.handleUnhandled(type, value),
    onLead: (_peer, report) => host.handleLead(report),
    onBroken: (_peer, code, reason) => host.handleBroken(link, code, reason),
    onHello: (_peer, payload) => host.handleHello(link, payload),
    onResumed: (_peer, payload) => host.handleResumed(link, payload),
    onResume: null,
    onConfirmed: null,
    onReceipt: (_peer, receipt, outcome) => host.handleReceipt(receipt, outcome),
    onClosed: null,
  };
}
