/** What `npm run bench -- --peers` adds to the suite. */
import type { ForeignWire, Place } from '../suite/commands.js';
import type { RunPlan } from '../suite/plan.js';
import type { Results, Skipped } from '../suite/results.js';
import { type Installed, install } from './install.js';
import { infoOf, PEER_ENTRIES, type PeerEntry } from './peers.js';
import { onWires } from './plan.js';

export interface Guests {
  /** On the wires that are there. */
  plans: RunPlan[];
  foreign: Place['foreign'];
  wires: NonNullable<Results['wires']>;
  skipped: Skipped[];
}

/** Installs what the plans name. What cannot be had is skipped, with the reason. */
export async function invite(
  plans: readonly RunPlan[],
  say: (text: string) => void,
): Promise<Guests> {
  const named = new Set(plans.flatMap(({ wires }) => wires));
  const entries = PEER_ENTRIES.filter(({ name }) => named.has(name));
  const installed = await install(entries, say);
  const skipped: Skipped[] = [];
  const foreign = new Map<string, ForeignWire>();
  for (const entry of entries) {
    const reason = reasonOf(entry, installed);
    if (reason === null) foreign.set(entry.name, entry.wire(installed.tools));
    else skipped.push({ name: `peers: ${entry.name}`, reason });
  }
  const missing = new Set(entries.map(({ name }) => name).filter((name) => !foreign.has(name)));
  const present = entries.filter(({ name }) => !missing.has(name));
  const wires = Object.fromEntries(present.map((entry) => [entry.name, infoOf(entry)]));
  return { plans: onWires(plans, missing), foreign, wires, skipped };
}

function reasonOf({ needs }: PeerEntry, { missing }: Installed): string | null {
  const reasons = needs.flatMap((need) => missing.get(need) ?? []);
  return reasons.length === 0 ? null : reasons.join('; ');
}
