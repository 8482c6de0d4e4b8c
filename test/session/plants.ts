import type { LogSink } from '../../src/session/session-peer.js';
import type { Peer, Side } from './virtual-link.js';

/** Mistakes that the oracle must find. */
export const PLANTS = [
  'no-freeze',
  'short-report',
  'forgets-one',
  'reorders',
  'frozen-acknowledges',
] as const;
export type Plant = 'none' | (typeof PLANTS)[number];

/** Makes a link wrong in one way; 'frozen-acknowledges' is the flow's (`frozenAcknowledges`). */
export function plantInto(peer: Peer, side: Side, plant: Plant): void {
  if (plant === 'no-freeze' && side === 'client') peer.freeze = () => {};
  if (plant === 'short-report') plantShortReport(peer);
  if (plant === 'forgets-one') plantLog(peer, (messages) => messages.pop());
  if (plant === 'reorders') plantLog(peer, (messages) => messages.reverse());
}

/** Delivered once more than told. */
function plantShortReport(peer: Peer): void {
  const report = peer.report.bind(peer);
  peer.report = () => {
    const told = report();
    if ('frames' in told) return { frames: Math.max(0, told.frames - 1) };
    return { lanes: told.lanes.map(([lane, next]) => [lane, Math.max(0, next - 1)]) };
  };
}

function plantLog(peer: Peer, change: (messages: ((sink: LogSink) => void)[]) => void): void {
  const moveLogTo = peer.moveLogTo.bind(peer);
  peer.moveLogTo = (sink) => {
    const messages: ((sink: LogSink) => void)[] = [];
    moveLogTo({
      takeText: (text, receipt) => messages.push((to) => to.takeText(text, receipt)),
      takeBytes: (...message) => messages.push((to) => to.takeBytes(...message)),
    });
    change(messages);
    for (const message of messages) message(sink);
  };
}
