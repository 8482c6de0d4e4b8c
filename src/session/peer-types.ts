import type { Registry } from '../messages/types.js';
import { parseTypes } from './control.js';

/**
 * Which registered types a peer with another registry knows with our layout. Until its `$types` has
 * come: none, and everything travels as JSON.
 */
export class PeerTypes {
  #ids = new Set<number>();

  has(id: number): boolean {
    return this.#ids.has(id);
  }

  /**
   * `$types` came: null when it is malformed, else the id that has another layout here, or 0.
   */
  handle(registry: Registry<object>, payload: unknown): number | null {
    const theirs = parseTypes(payload);
    if (theirs === null) return null;
    const common = new Set<number>();
    for (const { id, hash } of registry.types) {
      const other = theirs.get(id);
      if (other === undefined) continue;
      if (other !== hash) return id;
      common.add(id);
    }
    this.#ids = common;
    return 0;
  }
}
