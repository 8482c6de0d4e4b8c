/** What is looked at between the turns of a core node. */

import { ProtocolStats } from '../../protocol/protocol.js';
import * as limits from '../../util/limits.js';
import { violate } from '../oracle/violation.js';
import type { CoreEnd } from './core-end.js';
import type { CoreNode } from './core-node.js';

const stats = new ProtocolStats();

/** Everything; a node does this every `turnsPerCheck` turns. */
export function checkNode(node: CoreNode): void {
  checkDrops(node);
  try {
    node.protocol.checkInvariants();
  } catch (error) {
    violate('internal', `${node.name}: ${error instanceof Error ? error.message : error}`);
  }
  checkCaps(node);
}

/** Every datagram that came is accounted for, and every drop has a counter with a name. */
function checkDrops(node: CoreNode): void {
  const { counters } = node.protocol;
  let counted = 0;
  for (let reason = 0; reason < counters.length; reason++) counted += counters[reason];
  if (counted !== node.handled) {
    violate('drops-add-up', `${node.name} was given ${node.handled} packets, counted ${counted}`);
  }
  const known = node.handled + node.overflowed + node.unauthentic + node.stale + node.waiting;
  if (known !== node.arrived) {
    violate('drops-add-up', `${node.name}: ${node.arrived} arrived, ${known} are known of`);
  }
}

function checkCaps(node: CoreNode): void {
  const own = node.options.protocol.limits ?? {};
  const pools = node.protocol.pools();
  within(node, 'send bytes', pools.sendBytes, own.sendBytes ?? limits.SEND_BYTES_MAX);
  const reassembly = own.reassemblyBytes ?? limits.REASSEMBLY_BYTES_MAX;
  const reserved = reassembly + limits.REASSEMBLY_HEAD_BYTES_MAX;
  within(node, 'reserved bytes', pools.reservedBytes, reserved);
  within(node, 'held bytes', pools.receiveBytes, pools.reservedBytes);
  const reliable = own.sendReliableBytes ?? limits.SEND_RELIABLE_BYTES_MAX;
  const unreliable = own.sendUnreliableBytes ?? limits.SEND_UNRELIABLE_BYTES_MAX;
  // An empty queue takes one message of any size, so that none is refused for ever.
  const queue =
    Math.max(reliable, limits.RELIABLE_MESSAGE_BYTES_MAX) +
    Math.max(unreliable, limits.UNRELIABLE_MESSAGE_BYTES_MAX);
  for (const end of node.ends) {
    if (end === null || !node.protocol.stats(end.slot, stats)) continue;
    within(node, 'packets in flight', stats.inFlightPackets, limits.PACKETS_IN_FLIGHT_MAX);
    within(node, 'queued bytes', stats.queuedBytes, queue);
  }
}

function within(node: CoreNode, what: string, value: number, most: number): void {
  if (value > most) violate('caps', `${node.name}: ${value} ${what}, at most ${most} are allowed`);
}

/** The slot of a flow that was just freed must not remember it. */
export function checkFreed(end: CoreEnd): void {
  const { protocol, name } = end.node;
  if (protocol.stats(end.slot, stats)) {
    violate('state-after-close', `${name}: slot ${end.slot} has figures after it was freed`);
  }
  if (protocol.queuedBytes(end.slot) !== 0 || protocol.hasClock(end.slot)) {
    violate('state-after-close', `${name}: slot ${end.slot} holds something after it was freed`);
  }
}

/** All flows of the node are gone. */
export function checkEmpty(node: CoreNode): void {
  checkNode(node);
  for (const [pool, value] of Object.entries(node.protocol.pools())) {
    if (value !== 0) {
      violate('pools-after-close', `${node.name}: ${pool} is ${value} with all flows closed`);
    }
  }
  if (node.protocol.hasDeadline) {
    violate('state-after-close', `${node.name} has a deadline with all flows closed`);
  }
  if (node.waiting > 0) violate('internal', `${node.name}: ${node.waiting} packets left waiting`);
}
