/**
 * The forwarder's link for the load: it gives each flow an address of its own below 127.0.0.0/8, and a
 * kernel keeps those to itself unless told otherwise (route_localnet). The namespaces are the forwarder's
 * own, so nothing outside of them changes, and they go with it.
 *
 *   load, 127.x.y.z of its namespace ── tun ═ forwarder ═ tun ── server: 127.0.0.0/8 is over there
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Forwarder } from '../match/forwarder.js';
import type { Place } from './commands.js';
import type { Network } from './plan.js';

const TUN = 'ggtun0';
const LET_PASS = ['all', TUN]
  .map((name) => `/proc/sys/net/ipv4/conf/${name}`)
  .map((folder) => `echo 1 > ${folder}/route_localnet && echo 0 > ${folder}/rp_filter`)
  .join(' && ');
const OVER_THERE = [
  'ip route del local 127.0.0.0/8 dev lo table local',
  `ip route add 127.0.0.0/8 dev ${TUN}`,
].join(' && ');

/** Why there can be no link here; null: there can. */
export function missingLink(): string | null {
  if (process.getuid?.() !== 0) return 'the forwarder needs root (network namespaces)';
  if (!existsSync('/dev/net/tun')) return 'the forwarder needs /dev/net/tun';
  const folders = (process.env.PATH ?? '').split(delimiter);
  const hasIp = folders.some((folder) => existsSync(join(folder, 'ip')));
  return hasIp ? null : 'the link needs iproute2 (ip)';
}

/**
 * Runs `work` in a place whose server and load are at the ends of a link.
 *
 * @throws Error when the link cannot be made, or ended by itself
 */
export async function overLink<T>(
  network: Network,
  place: Place,
  work: (there: Place) => Promise<T>,
): Promise<T> {
  let failure: string | null = null;
  const forwarder = await Forwarder.start({ ...network, seed: 1 }, (why) => {
    failure = why;
  });
  try {
    // The last argument is the program to run: ours differs.
    const [enterServer, enterLoad] = [forwarder.server, forwarder.players].map(({ entry }) => {
      return [entry.execPath, ...entry.execArgv.slice(0, -1)];
    });
    runIn(enterServer, `${LET_PASS} && ${OVER_THERE}`);
    runIn(enterLoad, LET_PASS);
    const result = await work({ ...place, host: forwarder.server.address, enterServer, enterLoad });
    if (failure !== null) throw new Error(failure);
    return result;
  } finally {
    await forwarder.end();
  }
}

function runIn([file, ...args]: readonly string[], script: string): void {
  const { status, stderr } = spawnSync(file, [...args, 'sh', '-c', script], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the link's addresses: ${stderr.trim() || `exit ${status}`}`);
}
