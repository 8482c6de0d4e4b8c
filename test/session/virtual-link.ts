/** Links between two ends in one process: they lose, delay, reorder and die as real ones do. */
import type { BinaryPeer } from '../../src/session/binary-peer.js';
import type { JsonPeer } from '../../src/session/json-peer.js';
import { CONTROL_CHANNEL } from '../../src/session/limits.js';
import type { FlowPort, TextSocket } from '../../src/session/peer-context.js';
import type { Wire } from '../../src/session/types.js';
import type { Prng } from '../../src/util/prng.js';

export type Side = 'client' | 'server';
export type Peer = BinaryPeer<Side> | JsonPeer<Side>;

export const OTHER: Record<Side, Side> = { client: 'server', server: 'client' };

/** What travels to one end. */
type Item =
  | { text: string }
  | { channel: number; mode: number; id: number; bytes: Uint8Array; receipt: number };

const FULL = 2;
const CLOSED = 4;
const RELIABLE_UNORDERED = 2;
const RELIABLE_ORDERED = 3;
const IN_FLIGHT_MAX = 40;
/** So that a few dozen frames on the way fill a socket. */
const SOCKET_BYTES_PER_FRAME = 15_000;

export class VirtualLink {
  readonly wire: Wire;
  readonly #random: Prng;
  readonly #losesControl: boolean;
  readonly peers: Partial<Record<Side, Peer>> = {};
  /** On the way to an end. */
  readonly #toward: Record<Side, Item[]> = { client: [], server: [] };
  readonly #nextId = new Map<string, number>();
  /** Nothing arrives at this end any more. */
  readonly #isCut: Record<Side, boolean> = { client: false, server: false };
  /** A goodbye on its way to this end. */
  readonly #goodbye: Record<Side, boolean> = { client: false, server: false };
  /** This end knows that the link is over. */
  readonly isOver: Record<Side, boolean> = { client: false, server: false };

  /** @param losesControl even session messages find no room at times */
  constructor(wire: Wire, random: Prng, losesControl: boolean) {
    this.wire = wire;
    this.#random = random;
    this.#losesControl = losesControl;
  }

  /** One end's way to send, as a UDP flow. */
  portOf(side: Side): FlowPort {
    return {
      send: (_slot, channel, mode, bytes, offset, length, _expires, _key, _copies, receipt) => {
        const items = this.#toward[OTHER[side]];
        if (this.isOver[side]) return CLOSED;
        const isControl = channel === CONTROL_CHANNEL;
        if (!isControl && items.length > IN_FLIGHT_MAX) return FULL;
        if ((this.#losesControl || !isControl) && this.#random.chance(1, 40)) return FULL;
        const key = `${side} ${channel} ${mode}`;
        const id = this.#nextId.get(key) ?? 0;
        this.#nextId.set(key, id + 1);
        items.push({ channel, mode, id, bytes: bytes.slice(offset, offset + length), receipt });
        return 0;
      },
      budget: () => 0,
      closeFlow: () => this.#sayGoodbye(side),
    };
  }

  /** One end's way to send, as a WebSocket. */
  socketOf(side: Side): TextSocket {
    const items = this.#toward[OTHER[side]];
    return {
      send: (text) => {
        if (!this.isOver[side]) items.push({ text });
      },
      close: () => this.#sayGoodbye(side),
      get bufferedAmount() {
        return items.length * SOCKET_BYTES_PER_FRAME;
      },
    };
  }

  /** The path dies, for one direction or both. */
  cut(side: Side): void {
    this.#isCut[side] = true;
  }

  get isCut(): boolean {
    return this.#isCut.client || this.#isCut.server;
  }

  /** Something arrives at `side`, if anything is on its way. */
  deliver(side: Side): 'nothing' | 'item' | 'goodbye' {
    if (this.#isCut[side] || this.isOver[side]) return 'nothing';
    const items = this.#toward[side];
    if (this.#goodbye[side] && (this.wire === 'udp' || items.length === 0)) {
      this.isOver[side] = true;
      return 'goodbye';
    }
    const at = this.#pick(items);
    if (at < 0) return 'nothing';
    const [item] = items.splice(at, 1);
    const peer = this.peers[side] as Peer;
    if ('text' in item) {
      (peer as JsonPeer<Side>).handleText(item.text);
      (this.peers[OTHER[side]] as JsonPeer<Side> | undefined)?.handleSocketDrained();
    } else {
      const { channel, mode, id, bytes, receipt } = item;
      const binary = peer as BinaryPeer<Side>;
      binary.handleMessage(channel, mode, id & 0xffff, bytes, 0, bytes.length, 0);
      const sender = this.peers[OTHER[side]] as BinaryPeer<Side> | undefined;
      // The acknowledgement may never come back.
      if (
        receipt !== 0 &&
        !this.isOver[OTHER[side]] &&
        (!this.isCut || this.#random.chance(1, 2))
      ) {
        sender?.handleReceipt(receipt, 'acked');
      }
    }
    return 'item';
  }

  /** Per lane in order, where the mode promises it; lanes overtake each other. */
  #pick(items: Item[]): number {
    if (items.length === 0) return -1;
    const at = this.#random.below(items.length);
    const chosen = items[at];
    if ('text' in chosen) return 0;
    if (chosen.mode === RELIABLE_UNORDERED) return at;
    if (chosen.mode !== RELIABLE_ORDERED) {
      if (this.#random.chance(2, 3)) return at;
      items.splice(at, 1);
      return -1;
    }
    return items.findIndex(
      (item) => 'mode' in item && item.mode === chosen.mode && item.channel === chosen.channel,
    );
  }

  #sayGoodbye(side: Side): void {
    this.isOver[side] = true;
    this.#goodbye[OTHER[side]] = true;
  }
}
