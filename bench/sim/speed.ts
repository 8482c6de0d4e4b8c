/** How fast the core level is: plain worlds, measured in CPU time of this process. */
import { CORE_DEFAULTS, plainNode } from '../../src/sim/core/core-config.js';
import { runCore } from '../../src/sim/core/core-run.js';
import { PROFILES } from '../../src/sim/network/profile.js';
import { GameClientWorkload, GameServerWorkload } from '../../src/sim/workload/game.js';
import { SteadyWorkload } from '../../src/sim/workload/steady.js';
import type { MakeWorkload } from '../../src/sim/workload/workload.js';

const CLIENTS = 4;
const ROUNDS = 5;
const SEED = 7;
/** Four players and two boomerangs. */
const MATCH_SNAPSHOT_BYTES = 232;

const WORKLOADS: Readonly<Record<string, MakeWorkload>> = {
  'match of four': (flow, isClient, startUs, limits) =>
    isClient
      ? new GameClientWorkload(SEED, flow, startUs)
      : new GameServerWorkload(SEED, flow, startUs, 60, limits, MATCH_SNAPSHOT_BYTES),
  '100 B each way at 1 kHz, sequenced': (_flow, _isClient, startUs) =>
    new SteadyWorkload({ mode: 1, bytes: 100, intervalUs: 1_000, fromUs: startUs }),
};

export function measureSpeed(seconds: number, write: (text: string) => void): void {
  for (const [name, workload] of Object.entries(WORKLOADS)) {
    const figures: number[] = [];
    let packets = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const before = process.cpuUsage();
      const result = runCore(
        {
          ...CORE_DEFAULTS,
          seed: SEED,
          server: plainNode(1),
          clients: Array.from({ length: CLIENTS }, (_, client) => ({
            path: PROFILES.home,
            node: plainNode(client + 2),
          })),
          workload,
        },
        { safetyUs: seconds * 1_000_000 },
      );
      const { user, system } = process.cpuUsage(before);
      packets = result.datagrams;
      figures.push((packets / (user + system)) * 1_000_000);
    }
    figures.sort((a, b) => a - b);
    const median = figures[ROUNDS >> 1];
    const shown = [median, figures[ROUNDS - 1]].map((value) =>
      Math.round(value).toLocaleString('en'),
    );
    write(`${name}: ${packets.toLocaleString('en')} packets, ${shown[0]} packets/s of CPU `);
    write(`(median of ${ROUNDS}, best ${shown[1]})\n`);
  }
}
