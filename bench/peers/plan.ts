/**
 * The runs of `--peers`: every peer that can, beside this runtime, the baseline and the floor. As in the
 * suite, a message is an echo of about 100 bytes.
 */
import { type PlanSize, type RunPlan, stretch } from '../suite/plan.js';
import { PEER_ENTRIES, type PeerEntry, type PeerRun } from './peers.js';

const BESIDE: readonly string[] = ['floor', 'udp', 'json-ws'];
const ROUNDS_MAX = 3;
/** Milliseconds, one way. */
const LINK_DELAY_MS = 25;

export function peerPlans(size: PlanSize, entries: readonly PeerEntry[] = PEER_ENTRIES): RunPlan[] {
  const wires = (run: PeerRun): string[] => {
    return entries.filter(({ runs }) => runs.includes(run)).map(({ name }) => name);
  };
  const rounds = Math.min(ROUNDS_MAX, size.rounds);
  return [
    stretch(size, {
      name: 'peers/echo-saturated',
      flows: 100,
      wires: [...BESIDE, ...wires('saturated')],
      rounds,
      isFast: true,
    }),
    stretch(size, {
      name: 'peers/echo-paced-1000x60',
      flows: 1_000,
      hz: 60,
      wires: [...BESIDE, ...wires('paced')],
      rounds,
    }),
    ...lossPlans(size, wires('loss')),
  ];
}

/** TCP is the kernel's, under json-ws. */
function lossPlans(size: PlanSize, wires: readonly string[]): RunPlan[] {
  if (wires.length === 0) return [];
  return (size.isQuick ? [2] : [0, 1, 2, 5]).map((percent) =>
    stretch(size, {
      name: `peers/loss-${percent}pct-50ms`,
      flows: 100,
      hz: 20,
      wires: ['udp', 'json-ws', ...wires],
      network: { lossRatio: percent / 100, delayMs: LINK_DELAY_MS },
      isTogether: true,
      rounds: 1,
      warmMs: size.isQuick ? 500 : 1_000,
      measureMs: size.lossMs,
    }),
  );
}

/** The same plans on the wires that are there. */
export function onWires(plans: readonly RunPlan[], missing: ReadonlySet<string>): RunPlan[] {
  return plans.map((plan) => {
    return { ...plan, wires: plan.wires.filter((wire) => !missing.has(wire)) };
  });
}
