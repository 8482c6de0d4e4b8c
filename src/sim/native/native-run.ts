/** A run of the native level in the phases of the core level; see core/core-run.ts. */
import { DROP_REASON_NAMES, TALLY_NAMES } from '../../protocol/protocol.js';
import { livenessBoundUs } from '../liveness.js';
import { violate } from '../oracle/violation.js';
import { addCounts, countsOf, failureOf, type RunResult } from '../run-result.js';
import type { Trace } from '../trace.js';
import type { NativeConfig } from './native-config.js';
import type { NativeEnd } from './native-end.js';
import { checkEmpty } from './native-oracle.js';
import { NativeWorld } from './native-world.js';

const STEP_US = 100_000;
/** Time for a dead flow to be missed, and for a dial or two. */
const RECONNECT_US = 30_000_000;

export function runNative(
  config: NativeConfig,
  safetyUs: number,
  trace: Trace | null = null,
): RunResult {
  return finishNative(new NativeWorld(config, trace), safetyUs);
}

/** All phases of a fresh world; a Violation becomes the result's failure. */
export function finishNative(world: NativeWorld, safetyUs: number): RunResult {
  const failure = failureOf(world, () => {
    world.run(safetyUs);
    proveLiveness(world);
    closeAll(world);
  });
  let [sent, delivered] = [0, 0];
  for (const { up, down } of world.flows) {
    sent += up.count + down.count;
    delivered += up.delivered + down.delivered;
  }
  return {
    seed: world.seed,
    level: 'native',
    hash: world.hash.text,
    worldUs: world.nowUs,
    events: world.steps,
    datagrams: world.datagrams,
    messagesSent: sent,
    messagesDelivered: delivered,
    flows: world.flows.length,
    seen: seenIn(world),
    failure,
  };
}

function seenIn(world: NativeWorld): Record<string, number> {
  const seen = world.fates();
  addCounts(seen, { unmapped: world.unmapped });
  for (const { protocol, endpoint, overflowed } of world.nodes) {
    addCounts(seen, countsOf(DROP_REASON_NAMES, protocol.counters));
    addCounts(seen, countsOf(TALLY_NAMES, protocol.tallies));
    addCounts(seen, endpoint.counters());
    addCounts(seen, { 'inbox-full': overflowed });
  }
  return seen;
}

/** Faults off: every client is connected again, and all that is reliable arrives. */
export function proveLiveness(world: NativeWorld): void {
  world.calmDown();
  world.isTalking = false;
  for (const end of world.ends) end.replies = false;
  const startUs = world.nowUs;
  const boundUs = RECONNECT_US + boundOf(world);
  for (;;) {
    const late = world.ends.find((end) => !isSettled(world, end));
    if (late === undefined) break;
    if (world.nowUs - startUs > boundUs) {
      const seconds = (boundUs / 1_000_000).toFixed(1);
      violate('liveness', `${seconds} s after the last fault ${whatIsMissing(late)}`);
    }
    world.run(world.nowUs + STEP_US);
  }
  for (const end of world.ends) if (end.isOpen) end.out.checkComplete();
}

function boundOf(world: NativeWorld): number {
  const [server] = world.nodes;
  const open = world.ends.filter((end) => end.isOpen);
  return livenessBoundUs(
    open.map((end) => {
      const client = world.nodes[end.client + 1];
      const receiver = (end.isClient ? server : client).options;
      return {
        path: world.paths[end.client],
        isUp: end.isClient,
        turnUs: server.options.tickUs + client.options.tickUs,
        ackUs: receiver.maxAckDelayUs,
        receiver: receiver.limits,
        bytes: end.queuedBytes(),
        messages: end.out.mandatory + end.out.expirable,
      };
    }),
  );
}

function isSettled(world: NativeWorld, end: NativeEnd): boolean {
  if (!end.isClient) return !end.isOpen || end.isSettled;
  if (!end.isOpen && !world.config.redials) return true;
  return end.isOpen && end.isSettled && world.serverEndOf(end)?.isOpen === true;
}

function whatIsMissing(end: NativeEnd): string {
  return end.isOpen ? end.whatIsMissing() : `${end.name} is not connected: ${end.closeReason}`;
}

export function closeAll(world: NativeWorld): void {
  world.stopDialling();
  for (const end of world.ends) {
    if (!end.isOpen || !end.isClient) continue;
    end.node.setTime();
    end.closeCode = 1000;
    world.close(end);
    end.node.after();
  }
  const boundUs = world.nowUs + (world.config.timeoutS + 5) * 1_000_000;
  while (world.nowUs < boundUs && world.ends.some((end) => end.isOpen)) {
    world.run(world.nowUs + STEP_US);
  }
  const open = world.ends.find((end) => end.isOpen);
  if (open !== undefined) violate('liveness', `${open.name} is still open`);
  world.run(world.nowUs + 2_000_000); // stragglers of the network
  for (const node of world.nodes) {
    node.turn();
    checkEmpty(node);
  }
  if (world.inFlight !== 0 || world.packets.used !== 0) {
    violate('internal', `${world.packets.used} packets are nowhere`);
  }
}
