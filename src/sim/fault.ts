/** What goes wrong in a world, and when. World µs throughout. */
import { DARK_BLACKHOLE, DARK_ONE_WAY, DARK_PARTITION } from './network/link.js';
import type { PathProfile } from './network/profile.js';

export type Direction = 'up' | 'down' | 'both';

export type Fault =
  /** Nothing passes on these clients' links. */
  | {
      kind: 'dark';
      why: 'blackhole' | 'partition' | 'one-way';
      direction: Direction;
      clients: readonly number[];
      fromUs: number;
      toUs: number;
    }
  /** A client's network becomes another one (leaving the house). */
  | { kind: 'path'; client: number; path: PathProfile; fromUs: number }
  /** The process of a node does not run: a pause of its garbage collector, a stopped machine. */
  | { kind: 'stall'; node: number; fromUs: number; toUs: number }
  /** The node's clock runs at another rate from now on. */
  | { kind: 'drift'; node: number; ppm: number; fromUs: number }
  | { kind: 'jump'; node: number; byUs: number; fromUs: number }
  /** The node's rings hold only so many packets a turn. */
  | {
      kind: 'squeeze';
      node: number;
      rxPackets: number;
      txPackets: number;
      fromUs: number;
      toUs: number;
    }
  /**
   * The client's NAT gives it another port, or another address. At the core level, which has no
   * addresses, the server's Protocol is told that the peer moved.
   */
  | { kind: 'rebind'; client: number; what: 'port' | 'address'; fromUs: number }
  /** The server's process dies without a word and another takes its place (native level only). */
  | { kind: 'restart'; fromUs: number };

export const DARK_BITS = {
  blackhole: DARK_BLACKHOLE,
  partition: DARK_PARTITION,
  'one-way': DARK_ONE_WAY,
} as const;

export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case 'dark':
      return `${fault.why} ${fault.direction} of clients ${fault.clients.join(', ')}`;
    case 'path':
      return `client ${fault.client} is on ${fault.path.name} now`;
    case 'stall':
      return `node ${fault.node} stands still`;
    case 'drift':
      return `the clock of node ${fault.node} is ${fault.ppm} ppm fast`;
    case 'jump':
      return `the clock of node ${fault.node} jumps ${fault.byUs} µs ahead`;
    case 'squeeze':
      return `node ${fault.node} takes ${fault.rxPackets} and sends ${fault.txPackets} a turn`;
    case 'rebind':
      return `client ${fault.client} gets another ${fault.what}`;
    case 'restart':
      return 'the server is started again';
  }
}
