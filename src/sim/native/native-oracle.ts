/** What is looked at after the turns of a native node. */
import * as limits from '../../util/limits.js';
import { violate } from '../oracle/violation.js';
import type { NativeNode } from './native-node.js';

export function watchNode(node: NativeNode): void {
  const { world, protocol } = node;
  const nowUs = node.endpoint.nowUs;
  if (protocol.hasDeadline && !node.isStalled) {
    const aheadUs = (protocol.deadlineUs - nowUs) | 0;
    if (aheadUs <= 0) violate('timer-in-past', `${node.name}: its deadline is ${-aheadUs} µs ago`);
  }
  for (const end of node.ends) {
    if (end?.older?.isOpen !== true) continue;
    violate('handshake', `${end.name}: flows ${end.older.flow} and ${end.flow} are both open`);
  }
  world.turns += 1;
  if (world.turns % world.config.turnsPerCheck === 0) checkNode(node);
}

export function checkNode(node: NativeNode): void {
  try {
    node.protocol.checkInvariants();
    node.endpoint.native.checkInvariants();
  } catch (error) {
    violate('internal', `${node.name}: ${error instanceof Error ? error.message : error}`);
  }
  const pools = node.protocol.pools();
  const reserved = limits.REASSEMBLY_BYTES_MAX + limits.REASSEMBLY_HEAD_BYTES_MAX;
  if (pools.reservedBytes > reserved || pools.receiveBytes > pools.reservedBytes) {
    violate('caps', `${node.name} holds ${pools.receiveBytes} of ${pools.reservedBytes} reserved`);
  }
  checkDrops(node);
}

/** Datagrams in = payloads + handshake packets + drops by name, and payloads = RL1's counters. */
function checkDrops(node: NativeNode): void {
  const counters = node.endpoint.counters();
  const drops = node.endpoint.drops();
  const taken = counters['socket-datagrams-in'];
  let refused = 0;
  for (const [name, count] of Object.entries(drops)) if (!name.startsWith('tx-')) refused += count;
  const known = counters['payloads-in'] + counters.consumed + refused;
  if (taken !== known) {
    violate('drops-add-up', `${node.name} took ${taken} datagrams, its counters know of ${known}`);
  }
  if (node.injected < taken) {
    violate('drops-add-up', `${node.name} was given ${node.injected}, took ${taken}`);
  }
}

/** All flows of the node are gone. */
export function checkEmpty(node: NativeNode): void {
  checkNode(node);
  for (const [pool, value] of Object.entries(node.protocol.pools())) {
    if (value !== 0) {
      violate('pools-after-close', `${node.name}: ${pool} is ${value} with all flows closed`);
    }
  }
  if (node.protocol.hasDeadline) {
    violate('state-after-close', `${node.name}: RL1 has a deadline with all flows closed`);
  }
  const counters = node.endpoint.counters();
  // A dial that fails is a flow that closes without having opened.
  const begun = node.index === 0 ? counters.opened : node.dials;
  const open = begun - counters.closed;
  if (open !== 0) violate('state-after-close', `${node.name}: netcode has ${open} flows left`);
  let counted = 0;
  for (const count of node.protocol.counters) counted += count;
  if (counted !== counters['payloads-in']) {
    const seen = `${counters['payloads-in']} payloads, RL1 counted ${counted}`;
    violate('drops-add-up', `${node.name}: ${seen}`);
  }
  if (counters['socket-datagrams-in'] !== node.injected) {
    const seen = `${counters['socket-datagrams-in']} of ${node.injected} datagrams were taken`;
    violate('drops-add-up', `${node.name}: ${seen}`);
  }
}

/**
 * No nonce twice under one key: the sequence of a sealed datagram is its nonce, so a direction of a
 * connection may use each only once. Types 8 and 9 have keys of their own.
 */
export class NonceWatch {
  private readonly seen = new Map<string, Set<number>>();

  /** `key` names the direction of one connection. */
  see(key: string, bytes: Uint8Array, offset: number): void {
    const first = bytes[offset];
    const type = first & 15;
    const length = first >> 4;
    if (type === 0 || length === 0 || length > 8) return;
    const isNx = type === 8 || type === 9;
    const at = offset + 1 + (isNx ? 8 : 0);
    // Beyond 2^53 neighbours would fall together, so the two halves are kept apart.
    let low = 0;
    let high = 0;
    for (let i = 0; i < length; i++) {
      if (i < 4) low += bytes[at + i] * 2 ** (8 * i);
      else high += bytes[at + i] * 2 ** (8 * (i - 4));
    }
    const book = this.bookOf(`${key}${isNx ? ' nx' : ''} ${high}`);
    if (book.has(low)) violate('nonce-reuse', `${key}: type ${type} sequence ${high}:${low} again`);
    book.add(low);
  }

  private bookOf(key: string): Set<number> {
    let book = this.seen.get(key);
    if (book === undefined) {
      book = new Set();
      this.seen.set(key, book);
    }
    return book;
  }
}
