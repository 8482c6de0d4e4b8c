/** Runs whose UDP path dies in the middle. */
import { UdpRelay } from '../test/support/relays.js';
import type { Run } from './compare.js';
import type { Network } from './network.js';

/** Datagrams of both directions until the path dies: straight after the handshake, and later. */
export const DEATHS = [0, 20, 60];

export async function runWhileUdpDies(
  network: Network,
  program: string,
  datagrams: number,
): Promise<Run> {
  const relay = await UdpRelay.open();
  relay.datagramsLeft = datagrams;
  const run = await network.run(program, 'udp', relay);
  relay.close();
  return run;
}
