// What is run: which server, how many flows, how fast.

/** @typedef {{name: string, group: string, driver: string, flows: number, pacedHz: number,
 *   serverArgs?: string[], loadArgs?: string[]}} Run */

const DRIVERS = ['immediate', 'auto'];
const GAME_HZ = 60;
const GAME_FLOWS = 1_000;

/** Handshakes per second; admission lets 2,000 through at its defaults. */
const CONNECT_RATE = 1_900;

/**
 * The runs of a size, floors first: a floor is measured right before what is compared with it.
 * `rate`: datagrams per second and direction of the runs that compare numbers of flows.
 * @param {{rate: number, flows: number[]}} scale
 * @returns {Run[]}
 */
export function matrix({ rate, flows }) {
  const runs = [];
  for (const count of [1, 100]) {
    runs.push(...group('saturated', count, 0, ['floor', ...DRIVERS]));
  }
  runs.push(...group('game', GAME_FLOWS, GAME_HZ, ['floor', ...DRIVERS, 'tick', 'threads']));
  for (const count of flows) {
    runs.push(...group('scale', count, rate / count, ['floor', 'auto']));
  }
  return runs;
}

export const GROUPS = ['saturated', 'game', 'scale'];

function group(name, flows, pacedHz, drivers) {
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
function serverArgs(name, flows) {
  const args = ['--max-flows', `${Math.max(1024, flows)}`];
  return name === 'saturated' ? [...args, '--fast-flows'] : args;
}
