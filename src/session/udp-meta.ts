import { MODE_RELIABLE_ORDERED, type Mode } from '../messages/types.js';
import type { Meta } from './types.js';

/** The Meta of all messages that one Dispatcher gets over UDP. */
export class UdpMeta implements Meta {
  readonly wire = 'udp' as const;
  mode: Mode = MODE_RELIABLE_ORDERED;
  channel = 0;
  ageMs = 0;
}
