/**
 * Stands in browser bundles where Node has files of its own (`browser` in package.json), so that
 * neither the addon nor `ws` nor a file system gets in. Nothing of it runs: `platform` is asked
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

export class FileSessionStore {
  constructor() {
    refuse();
  }
}

export const openNodeSocket = refuse;
export const openNodeRealtime = refuse;
export const pathOf = refuse;
