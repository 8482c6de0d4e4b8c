/** What is looked at after the turns of a native node. */
import * as limits from '../../util/limits.js';
import { violate } from '../oracle/violation.js';
import type { NativeNode } from './native-node.js';

export function watchNode(node: NativeNode): void {
  const { world, protocol } = node;
  const nowUs = node.endpoint.nowUs;
  // While the kernel has more datagrams timers wait (Runtime).
  if (protocol.hasDeadline && !node.isStalled && !node.endpoint.more) {
    const aheadUs = (protocol.deadlineUs - nowUs) | 0;
    if (aheadUs <= 0) violate('timer-in-past', `${node.name}: its deadline is ${-aheadUs} µs ago`);
  }
  for (const end of node.ends) {
    if (end?.older?.isOpen !== true) continue;
    violate('handshake', `${end.name}: flows ${end.older.flow} and ${end.flow} are both open`);
  }
  if (world.isCheckDue()) checkNode(node);
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
 * No nonce twice under one key: the sequence of a sealed datagram is its nonce (docs/wire/netcode.md
 * and nx.md). From outside nobody sees keys, so each sequence may come as often as there are keys that
 * it can belong to: one for those that begin at a random 40-bit number and for those of one connection,
 * one per connection for NX keys of a server, which all begin at 0.
 */
export class NonceWatch {
  private readonly books = new Map<string, Map<number, number>>();

  /** `key` names who seals for whom; `nxKeysMax`: keys of these two that can have begun at 0. */
  see(key: string, bytes: Uint8Array, offset: number, nxKeysMax: number): void {
    const type = bytes[offset] & 15;
    const length = bytes[offset] >> 4;
    const isGrease = type >= 10 && type <= 14; // random throughout, sealed by nobody
    if (type === 0 || isGrease || length === 0 || length > 8) return;
    const isNx = type === 8 || type === 9;
    const at = offset + 1 + (isNx ? 8 : 0);
    let sequence = 0;
    // The low 53 bits tell neighbours apart, in a 64-bit counter too.
    for (let i = Math.min(length, 7) - 1; i >= 0; i--) {
      sequence = sequence * 256 + (i === 6 ? bytes[at + i] & 31 : bytes[at + i]);
    }
    const book = this.bookOf(length === 8 ? SHARED : `${key}${isNx ? ' nx' : ''}`);
    const count = (book.get(sequence) ?? 0) + 1;
    book.set(sequence, count);
    if (count > (sequence < RANDOM_STARTS ? nxKeysMax : 1)) {
      violate('nonce-reuse', `${key}: type ${type}, sequence ${sequence} for the ${count}. time`);
    }
  }

  private bookOf(key: string): Map<number, number> {
    let book = this.books.get(key);
    if (book === undefined) {
      book = new Map();
      this.books.set(key, book);
    }
    return book;
  }
}

/** The counter of a server for clients without a flow of their own begins at 2^63 or above. */
const SHARED = 'challenges and denials';
/** Hardly a counter that begins at random begins below, and none that begins at 0 gets so far. */
const RANDOM_STARTS = 0x100000000;
