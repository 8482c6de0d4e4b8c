/**
 * Stands in browser bundles where `udp-link` and `ws-socket-node` are in Node (`browser` in
 * package.json), so that neither the addon nor `ws` gets in. Nothing of it runs: `platform` is asked
 * first.
 */
import { TransportError } from '../util/errors.js';

const refuse = (): never => {
  throw new TransportError('unsupported-platform', 'ggscale: not in browsers');
};

export class UdpLink {
  constructor() {
    refuse();
  }
}

export const openNodeSocket = refuse;
