/** What is run: which server, how many flows, how fast. */

export const GROUPS = ['saturated', 'game', 'scale'] as const;
export type Group = (typeof GROUPS)[number];

export type Driver = 'floor' | 'immediate' | 'auto' | 'tick' | 'threads';

export interface Run {
  readonly name: string;
  readonly group: Group;
  readonly driver: Driver;
  readonly flows: number;
  /** Datagrams per second and flow; 0: as fast as answers come. */
  readonly pacedHz: number;
  readonly serverArgs: readonly string[];
  readonly loadArgs: readonly string[];
}

const DRIVERS: readonly Driver[] = ['immediate', 'auto'];
const GAME_HZ = 60;
const GAME_FLOWS = 1_000;

/** Handshakes per second; admission lets 2,000 through at its defaults. */
const CONNECT_RATE = 1_900;

export interface Scale {
  /** Datagrams per second and direction of the runs that compare numbers of flows. */
  readonly rate: number;
  readonly flows: readonly number[];
}

/** The runs of a size, floors first: a floor is measured right before what is compared with it. */
export function matrix({ rate, flows }: Scale): Run[] {
  const runs: Run[] = [];
  for (const count of [1, 100]) {
    runs.push(...group('saturated', count, 0, ['floor', ...DRIVERS]));
  }
  runs.push(...group('game', GAME_FLOWS, GAME_HZ, ['floor', ...DRIVERS, 'tick', 'threads']));
  for (const count of flows) {
    runs.push(...group('scale', count, rate / count, ['floor', 'auto']));
  }
  return runs;
}

function group(name: Group, flows: number, pacedHz: number, drivers: readonly Driver[]): Run[] {
  return drivers.map((driver) => ({
    name: `${driver}, ${flows} flows, ${pacedHz === 0 ? 'saturated' : `${pacedHz} Hz`}`,
    group: name,
    driver,
    flows,
    pacedHz,
    serverArgs: driver === 'floor' ? [] : serverArgs(name, flows),
    loadArgs: ['--connect-rate', `${CONNECT_RATE}`],
  }));
}

/** Admission stays at its defaults, except that one of few saturated flows is faster than any player. */
function serverArgs(name: Group, flows: number): string[] {
  const args = ['--max-flows', `${Math.max(1024, flows)}`];
  return name === 'saturated' ? [...args, '--fast-flows'] : args;
}
