/**
 * A run of the core level in its phases:
 *
 *   safety     faults on; nothing may go wrong, but nothing need arrive
 *   liveness   faults off, nobody says anything new; all that is reliable must arrive within a bound
 *   closing    every flow is closed; nothing of them may be left
 */
import { DROP_REASON_NAMES, TALLY_NAMES } from '../../protocol/protocol.js';
import { livenessBoundUs } from '../liveness.js';
import { type MakeProtocol, makeProtocol } from '../make-protocol.js';
import { violate } from '../oracle/violation.js';
import { addCounts, countsOf, failureOf, type RunResult } from '../run-result.js';
import type { Trace } from '../trace.js';
import type { CoreConfig } from './core-config.js';
import type { CoreEnd } from './core-end.js';
import { checkEmpty } from './core-oracle.js';
import { CoreWorld, GONE_US } from './core-world.js';

const STEP_US = 100_000;
/** A flow that was about to open at the client's end is open after so long. */
const OPENING_US = 1_000_000;

export interface CoreRunOptions {
  safetyUs: number;
  trace?: Trace | null;
  make?: MakeProtocol;
}

export function runCore(config: CoreConfig, options: CoreRunOptions): RunResult {
  const world = new CoreWorld(config, options.trace ?? null, options.make ?? makeProtocol);
  return finishCore(world, options.safetyUs);
}

/** All phases of a fresh world; a Violation becomes the result's failure. */
export function finishCore(world: CoreWorld, safetyUs: number): RunResult {
  const sums = { sent: 0, delivered: 0 };
  const failure = failureOf(world, () => {
    world.run(safetyUs);
    proveLiveness(world);
    closeAll(world);
  });
  for (const end of world.ends) {
    sums.sent += end.sentBefore + end.out.count;
    sums.delivered += end.deliveredBefore + end.in.delivered;
  }
  return {
    seed: world.seed,
    level: 'core',
    hash: world.hash.text,
    worldUs: world.nowUs,
    events: world.steps,
    datagrams: world.datagrams,
    messagesSent: sums.sent,
    messagesDelivered: sums.delivered,
    flows: world.flowsOpened,
    seen: seenIn(world),
    failure,
  };
}

function seenIn(world: CoreWorld): Record<string, number> {
  const seen = world.fates();
  for (const { protocol, overflowed, unauthentic, stale } of world.nodes) {
    addCounts(seen, countsOf(DROP_REASON_NAMES, protocol.counters));
    addCounts(seen, countsOf(TALLY_NAMES, protocol.tallies));
    addCounts(seen, { 'inbox-full': overflowed, corrupt: unauthentic, 'flow-over': stale });
  }
  return seen;
}

/** Faults off: every reliable message must arrive, and its sender must learn of it. */
export function proveLiveness(world: CoreWorld): void {
  world.calmDown();
  world.isTalking = false;
  for (const end of world.ends) end.replies = false;
  world.run(world.nowUs + OPENING_US);
  const startUs = world.nowUs;
  const boundUs = boundOf(world);
  for (;;) {
    const late = world.ends.find((end) => isPeaceful(end) && !end.isSettled);
    if (late === undefined) break;
    if (world.nowUs - startUs > boundUs) {
      const seconds = (boundUs / 1_000_000).toFixed(1);
      violate('liveness', `${seconds} s after the last fault ${late.whatIsMissing()}`);
    }
    world.run(world.nowUs + STEP_US);
  }
  const peaceful = world.ends.filter(isPeaceful);
  for (const end of peaceful) {
    end.out.checkComplete();
    checkExpired(end);
    askDrained(world, end);
  }
  // Messages of no bytes may wait for their acknowledgement unseen, for a round trip or two.
  const drainedUs = world.nowUs + boundUs;
  while (world.nowUs < drainedUs && peaceful.some((end) => end.isWatching)) {
    world.run(world.nowUs + STEP_US);
  }
  const untold = peaceful.find((end) => end.isWatching);
  if (untold !== undefined) violate('liveness', `${untold.name} is drained but was not told so`);
}

/** Both ends have the same flow, and neither is about to leave it. */
function isPeaceful(end: CoreEnd): boolean {
  return end.isOpen && end.peer.isOpen && !end.closesWhenDrained && !end.peer.closesWhenDrained;
}

function boundOf(world: CoreWorld): number {
  const open = world.ends.filter((end) => end.isOpen);
  return livenessBoundUs(
    open.map((end) => {
      const [client, receiver] = [end.isClient ? end : end.peer, end.peer.node.options];
      return {
        path: world.paths[client.node.index - 1],
        isUp: end.isClient,
        turnUs: end.node.options.tickUs + receiver.tickUs,
        ackUs: receiver.protocol.maxAckDelayUs,
        receiver: receiver.protocol.limits ?? {},
        bytes: end.queuedBytes(),
        messages: end.out.mandatory + end.out.expirable,
      };
    }),
  );
}

function askDrained(world: CoreWorld, end: CoreEnd): void {
  const { node } = end;
  node.nodeUs = node.clock.at(world.nowUs);
  end.startTurn();
  world.watch(end);
  node.finish();
}

/** Messages that did not come because they expired cannot be more than the expired ones. */
function checkExpired(end: CoreEnd): void {
  const expired = end.node.expired();
  if (end.out.expirable > expired) {
    const seen = `${end.out.expirable} messages with an expiry never came, ${expired} expired`;
    violate('lost-reliable', `${end.name}: ${seen}`);
  }
}

export function closeAll(world: CoreWorld): void {
  for (const end of world.ends) {
    if (!end.isOpen || !end.isClient || end.closesWhenDrained) continue;
    const { node } = end;
    node.nodeUs = node.clock.at(world.nowUs);
    end.startTurn();
    world.close(end, 1000);
    node.finish();
  }
  // Those that drain have their bound, those that lost the CLOSE are missed after GONE_US.
  const boundUs = world.nowUs + Math.max(GONE_US * 4, boundOf(world));
  while (world.nowUs < boundUs && world.ends.some((end) => end.isOpen)) {
    world.run(world.nowUs + STEP_US);
  }
  const open = world.ends.find((end) => end.isOpen);
  if (open !== undefined) violate('liveness', `${open.name} is still open`);
  world.run(world.nowUs + GONE_US); // stragglers of the network
  for (const node of world.nodes) checkEmpty(node);
  if (world.inFlight !== 0 || world.packets.used !== 0) {
    violate('internal', `${world.packets.used} packets are nowhere`);
  }
  checkNetwork(world);
}

/** What the nodes sent and what arrived add up with what the network says it lost. */
function checkNetwork(world: CoreWorld): void {
  const fates = world.fates();
  let offered = 0;
  for (const count of Object.values(fates)) offered += count;
  if (offered !== world.datagrams) {
    violate('drops-add-up', `${world.datagrams} were sent, the links know of ${offered}`);
  }
  let arrived = 0;
  for (const node of world.nodes) arrived += node.arrived;
  const carried = fates.carried + world.copies();
  if (carried !== arrived) violate('drops-add-up', `${carried} were carried, ${arrived} arrived`);
}
