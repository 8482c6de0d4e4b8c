import type { ConnectionStats } from './types.js';

/** Figures of a session: counts of its earlier links and of this one; the state is this one's. */
export function addLinkStats(past: ConnectionStats | null, link: ConnectionStats): ConnectionStats {
  if (past === null) return link;
  return {
    ...link,
    messagesIn: past.messagesIn + link.messagesIn,
    messagesOut: past.messagesOut + link.messagesOut,
    bytesIn: past.bytesIn + link.bytesIn,
    bytesOut: past.bytesOut + link.bytesOut,
    packetsIn: past.packetsIn + link.packetsIn,
    packetsOut: past.packetsOut + link.packetsOut,
    packetsLostIn: past.packetsLostIn + link.packetsLostIn,
    resends: past.resends + link.resends,
    droppedOut: past.droppedOut + link.droppedOut,
  };
}
