/** The wire of a load process, and the source addresses that are its own. */
import type { LoadSetup } from './messages.js';
import { SourceAddresses, UdpWire } from './udp-wire.js';
import type { LoadWire } from './wires.js';
import { WsWire } from './ws-wire.js';

/** /24 networks of one process: at 1,000 connects a second each sees 16, of 50 that are allowed. */
const NETWORKS = 64;
/** Networks apart of two load processes. */
const NETWORKS_PER_LOAD = 1024;
/** Generations of doomed processes that a flow of one outlives at most: 5 s of silence. */
const GENERATIONS = 8;

/** `generation` 0 is the load process itself. */
export function loadWire(
  { wire, origin, index }: LoadSetup,
  generation: number,
): { wire: LoadWire; addresses: SourceAddresses } {
  const group = generation === 0 ? 0 : 1 + (generation % GENERATIONS);
  const addresses = new SourceAddresses(index * NETWORKS_PER_LOAD + group * NETWORKS, NETWORKS);
  return {
    wire: wire === 'udp' ? new UdpWire(addresses) : new WsWire(origin, addresses),
    addresses,
  };
}
