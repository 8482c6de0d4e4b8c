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

interface Message {
  channel: number;
  mode: number;
  id: number;
  bytes: Uint8Array;
  receipt: number;
  /** Its receiver has it. */
  isDelivered: boolean;
}

/** What travels to one end. */
type Item = { text: string } | Message;

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
  readonly #nextId: Record<Side, Map<string, { channel: number; mode: number; next: number }>> = {
    client: new Map(),
    server: new Map(),
  };
  /** UDP: reliable messages of an end of which it does not know that they were delivered. */
  readonly #unacked: Record<Side, Message[]> = { client: [], server: [] };
  /** UDP: an end that neither hears nor acknowledges. */
  readonly #isFrozen: Record<Side, boolean> = { client: false, server: false };
  readonly #frozenAcknowledges: boolean;
  /** Nothing arrives at this end any more. */
  readonly #isCut: Record<Side, boolean> = { client: false, server: false };
  /** A goodbye on its way to this end. */
  readonly #goodbye: Record<Side, boolean> = { client: false, server: false };
  /** This end knows that the link is over. */
  readonly isOver: Record<Side, boolean> = { client: false, server: false };

  /**
   * @param losesControl even session messages find no room at times
   * @param frozenAcknowledges a planted mistake: what comes to a frozen end is acknowledged
   */
  constructor(wire: Wire, random: Prng, losesControl: boolean, frozenAcknowledges: boolean) {
    this.wire = wire;
    this.#random = random;
    this.#losesControl = losesControl;
    this.#frozenAcknowledges = frozenAcknowledges;
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
        const key = `${channel} ${mode}`;
        const lane = this.#nextId[side].get(key) ?? { channel, mode, next: 0 };
        this.#nextId[side].set(key, lane);
        const copy = bytes.slice(offset, offset + length);
        const id = lane.next++;
        const message = { channel, mode, id, bytes: copy, receipt, isDelivered: false };
        items.push(message);
        if (mode >= RELIABLE_UNORDERED) this.#unacked[side].push(message);
        return 0;
      },
      freezeFlow: () => {
        this.#isFrozen[side] = true;
        const messages = this.#unacked[side].map(({ id, ...rest }) => ({ ...rest, number: id }));
        const streams = [...this.#nextId[side].values()];
        return { streams: streams.filter(({ mode }) => mode >= RELIABLE_UNORDERED), messages };
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
    if (this.#random.chance(1, 2)) this.#acknowledge(OTHER[side]);
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
      const { channel, mode, id, bytes } = item;
      const binary = peer as BinaryPeer<Side>;
      item.isDelivered = !this.#isFrozen[side] || this.#frozenAcknowledges;
      if (!this.#isFrozen[side]) {
        binary.handleMessage(channel, mode, id & 0xffff, bytes, 0, bytes.length, 0);
      }
    }
    return 'item';
  }

  /** An acknowledgement arrives at the sender, unless that way is cut; it may have been on its way long. */
  #acknowledge(sender: Side): void {
    if (this.wire !== 'udp' || this.#isCut[sender] || this.isOver[sender]) return;
    const acked = this.#unacked[sender].filter((message) => message.isDelivered);
    this.#unacked[sender] = this.#unacked[sender].filter((message) => !message.isDelivered);
    const peer = this.peers[sender] as BinaryPeer<Side> | undefined;
    for (const { receipt } of acked) {
      if (receipt !== 0) peer?.handleReceipt(receipt, 'acked');
    }
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
