/** What the two wires of the load have in common. */
import type { Registry } from '../../src/messages/types.js';
import { Dispatcher } from '../../src/session/dispatcher.js';
import { SessionDrops } from '../../src/session/drops.js';
import type { PeerContext } from '../../src/session/peer-context.js';
import { churnRegistry } from './messages.js';
import type { Visitor, VisitPeer } from './visitor.js';

export interface Ticket {
  ticket: string;
  connectToken: Uint8Array;
}

/** Opens links of many players. */
export interface LoadWire {
  /** `visitor.peer` is the new link; what comes of it the visitor is told. */
  connect(visitor: Visitor, ticket: Ticket): void;
  /** The visitor's link ends without a goodbye. False: this wire cannot do that in this process. */
  cut(visitor: Visitor): boolean;
  /** A handshake that is begun and not finished. */
  begin(ticket: Ticket): void;
  close(): void;
}

/** The dispatcher and the session's callbacks of all links of a load process. */
export function visitContext(): Omit<PeerContext<Visitor, VisitPeer>, 'acks' | 'onDrained'> {
  const dispatcher = new Dispatcher<Visitor>((error) => {
    throw error;
  });
  for (const type of ['GameEvent', 'welcome']) {
    dispatcher.on(type, (visitor) => visitor.handleMessage(type));
  }
  return {
    registry: churnRegistry() as unknown as Registry<object>,
    dispatcher,
    drops: new SessionDrops(),
    onUnhandled: null,
    onLead: () => {},
    onBroken: (peer, code, reason) => {
      peer.close(code, reason);
      peer.owner.handleClosed(peer, { code, reason, wasClean: false });
    },
    onHello: (peer, payload) => peer.owner.handleHello(peer, payload),
    onResumed: (peer, payload) => peer.owner.handleResumed(peer, payload),
    onResume: null,
    onConfirmed: null,
    onReceipt: () => {},
    onClosed: null,
  };
}
