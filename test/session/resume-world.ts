/**
 * One session between a client and a server over virtual links that die at every step, with an oracle:
 * what was accepted as reliable arrives exactly once, in order within its channel, whatever happens.
 *
 * The hosts here do what SessionLinks (sdk) and Suspensions (server) do, without sockets and time.
 */
import { createRegistry } from '../../src/messages/index.js';
import type { MessageType, Registry } from '../../src/messages/types.js';
import { AckBatch } from '../../src/session/ack-batch.js';
import { BinaryPeer, type BinaryPeerContext } from '../../src/session/binary-peer.js';
import { ClientSession } from '../../src/session/client-session.js';
import { parseResume } from '../../src/session/control.js';
import { Dispatcher } from '../../src/session/dispatcher.js';
import { SessionDrops } from '../../src/session/drops.js';
import { JsonPeer, type JsonPeerContext } from '../../src/session/json-peer.js';
import type { PeerContext, PeerStart } from '../../src/session/peer-context.js';
import { ServerSession } from '../../src/session/server-session.js';
import type { ReceiptOutcome, Wire } from '../../src/session/types.js';
import { Prng } from '../../src/util/prng.js';
import { Scratch } from '../../src/util/scratch.js';
import { type Numbered, numberType } from './number-type.js';
import { type Plant, plantInto } from './plants.js';
import { OTHER, type Peer, type Side, VirtualLink } from './virtual-link.js';

const ORDERED = numberType('Ordered', 40, 3, 4);
const UNORDERED = numberType('Unordered', 41, 2, 5);
const STATE = numberType('State', 42, 1, 6);
/** Not registered: travels as JSON on both wires. */
const LOOSE = 'loose';
const RELIABLE = ['Ordered', 'Unordered', LOOSE] as const;

const FULL_REGISTRY = registryOf({ Ordered: ORDERED, Unordered: UNORDERED, State: STATE });
/** Of a peer that does not know Ordered: it comes and goes as JSON. */
const SHORT_REGISTRY = registryOf({ Unordered: UNORDERED, State: STATE });

function registryOf(types: Record<string, MessageType>): Registry<object> {
  return createRegistry(types) as unknown as Registry<object>;
}

const SCRATCH: Record<Side, Scratch> = {
  client: new Scratch(128 * 1024),
  server: new Scratch(128 * 1024),
};

export interface Outcome {
  /** What broke a promise; empty: nothing. */
  violations: string[];
  moves: number;
  delivered: number;
}

/** Of a hundred steps: send, deliver, acknowledge, cut, notice, move, give up, send much. */
const WEIGHTS = [
  [28, 44, 7, 3, 6, 10, 1, 1],
  [10, 58, 4, 4, 8, 14, 2, 0],
  [20, 40, 2, 6, 9, 15, 4, 4],
];

interface Attempt {
  link: VirtualLink;
  peer: Peer;
  hasBegun: boolean;
}

export class ResumeWorld {
  readonly violations: string[] = [];
  moves = 0;
  delivered = 0;
  readonly #random: Prng;
  readonly #plant: Plant;
  readonly #registries: Record<Side, Registry<object>>;
  readonly #dispatchers: Record<Side, Dispatcher<Side>>;
  readonly #acks: Record<Side, AckBatch<{ flushAck(): void }>>;
  readonly #links: VirtualLink[] = [];
  readonly #server: ServerSession<Peer>;
  readonly #client: ClientSession<Peer>;
  #attempt: Attempt | null = null;
  #secrets = 0;
  /** What happens, and how often in a hundred steps: calm, stormy or both ends talking into the log. */
  readonly #acts: [number, () => void][];
  /** By sender and type: how many were accepted, and which have arrived. */
  readonly #sent = new Map<string, number>();
  readonly #arrived = new Map<string, Set<number>>();
  /** By sender: receipts that are not answered yet, and how many of each. */
  readonly #owed: Record<Side, Map<number, number>> = { client: new Map(), server: new Map() };

  constructor(seed: number, plant: Plant) {
    this.#random = new Prng(seed);
    this.#plant = plant;
    const [send, deliver, flush, cut, notice, move, giveUp, burst] =
      WEIGHTS[this.#random.below(WEIGHTS.length)];
    this.#acts = [
      [send, () => this.#send(this.#side())],
      [deliver, () => this.#deliver()],
      [flush, () => this.#acks[this.#side()].flush()],
      [cut, () => this.#cut()],
      [notice, () => this.#notice()],
      [move, () => this.#move()],
      [giveUp, () => this.#giveUp()],
      [burst, () => this.#burst()],
    ];
    const isShort = this.#random.chance(1, 4);
    this.#registries = { client: isShort ? SHORT_REGISTRY : FULL_REGISTRY, server: FULL_REGISTRY };
    this.#dispatchers = { client: this.#dispatcher('client'), server: this.#dispatcher('server') };
    this.#acks = { client: new AckBatch(() => {}), server: new AckBatch(() => {}) };
    const link = this.#open(this.#wire());
    const server = this.#peer(link, 'server', 'linked');
    const client = this.#peer(link, 'client', 'awaits-server');
    this.#server = new ServerSession('00', server, () => `secret ${++this.#secrets}`);
    const secret = this.#server.firstSecret;
    const hello = {
      session: '00',
      secret,
      resumeWindowMs: 1,
      player: 'anna',
      serverTimeMs: 0,
      ticks: null,
    };
    this.#client = new ClientSession(hello, client);
    this.#ready(link);
    if (server instanceof BinaryPeer) server.greet({});
    this.#settle(link); // $types, $hello and its acknowledgement
    client.open(true);
  }

  async run(steps: number): Promise<Outcome> {
    for (let step = 0; step < steps && this.violations.length === 0; step++) this.#step();
    await this.#heal();
    return { violations: this.violations, moves: this.moves, delivered: this.delivered };
  }

  #step(): void {
    let kind = this.#random.below(100);
    for (const [weight, act] of this.#acts) {
      kind -= weight;
      if (kind < 0) {
        act();
        return;
      }
    }
  }

  #send(side: Side): void {
    const { peer } = side === 'client' ? this.#client : this.#server;
    if (this.#random.chance(1, 8)) {
      peer.send('State', { n: 0, pad: 0 });
      return;
    }
    const type = RELIABLE[this.#random.below(RELIABLE.length)];
    const key = `${side} ${type}`;
    const n = this.#sent.get(key) ?? 0;
    const pad = this.#random.chance(1, 100) ? 30_000 : this.#random.below(50);
    const value = type === LOOSE ? { n, pad, text: 'x'.repeat(pad) } : { n, pad };
    const receipt = this.#random.chance(1, 4) ? 1 + this.#random.below(20) : 0;
    const options = receipt === 0 ? undefined : { receipt };
    if (peer.send(type, value, options) === 'full') return;
    this.#sent.set(key, n + 1);
    if (receipt !== 0) this.#owed[side].set(receipt, (this.#owed[side].get(receipt) ?? 0) + 1);
  }

  #answer(side: Side, receipt: number, outcome: ReceiptOutcome): void {
    const owed = this.#owed[side];
    const count = owed.get(receipt) ?? 0;
    if (count === 0) this.violations.push(`${side}: receipt ${receipt} answered once too often`);
    if (outcome !== 'acked') this.violations.push(`${side}: a reliable message is ${outcome}`);
    if (count > 1) owed.set(receipt, count - 1);
    else owed.delete(receipt);
  }

  #burst(): void {
    const side = this.#side();
    for (let i = 0; i < 40; i++) this.#send(side);
  }

  #receive(side: Side, type: string, { n }: Numbered): void {
    const key = `${OTHER[side]} ${type}`;
    const arrived = this.#arrived.get(key) ?? new Set<number>();
    this.#arrived.set(key, arrived);
    if (arrived.has(n)) this.violations.push(`${key} ${n} came twice`);
    if (type !== 'Unordered' && n !== arrived.size) {
      this.violations.push(`${key} ${n} came when ${arrived.size} was due`);
    }
    arrived.add(n);
    this.delivered++;
  }

  #deliver(): void {
    const link = this.#anyLink();
    const side = this.#side();
    if (link.deliver(side) === 'goodbye') this.#handleGone(link, side, true);
  }

  /** The newest one half of the time. */
  #anyLink(): VirtualLink {
    const { length } = this.#links;
    return this.#links[this.#random.chance(1, 2) ? length - 1 : this.#random.below(length)];
  }

  #cut(): void {
    const link = this.#anyLink();
    if (this.#random.chance(1, 2)) link.cut('client');
    if (this.#random.chance(1, 2)) link.cut('server');
  }

  /** An end finds out that its link is dead. */
  #notice(): void {
    const link = this.#anyLink();
    const side = this.#side();
    if (!link.isCut || link.isOver[side]) return;
    link.isOver[side] = true;
    this.#handleGone(link, side, false);
  }

  #handleGone(link: VirtualLink, side: Side, isGoodbye: boolean): void {
    const peer = link.peers[side];
    if (peer === undefined) return;
    if (side === 'server') {
      peer.handleGone();
      if (this.#server.handleLinkDown(peer, isGoodbye) === 'ended') {
        this.violations.push('the server ended the session');
      }
    } else if (peer === this.#attempt?.peer) {
      this.#giveUp();
    } else {
      peer.handleGone();
    }
  }

  /** The client opens a link, or the one it has opened becomes ready. */
  #move(): void {
    if (this.#attempt === null) {
      const link = this.#open(this.#wire());
      const peer = this.#peer(link, 'client', 'awaits-server');
      this.#peer(link, 'server', 'awaits-resume');
      this.#attempt = { link, peer, hasBegun: false };
    } else if (!this.#attempt.hasBegun) {
      this.#attempt.hasBegun = true;
      this.#ready(this.#attempt.link);
      this.#client.begin(this.#attempt.peer);
    }
  }

  #giveUp(): void {
    const attempt = this.#attempt;
    if (attempt === null) return;
    this.#attempt = null;
    this.#client.giveUp(attempt.peer);
    attempt.peer.close(1000, '');
  }

  #handleResume(peer: Peer, payload: unknown): void {
    const request = parseResume(payload);
    if (request === null) {
      this.violations.push('a malformed $resume');
      return;
    }
    const old = this.#server.peer;
    const outcome = this.#server.resume(peer, request, { serverTimeMs: 0 });
    if (outcome.kind === 'broken') this.violations.push(`the resume broke: ${outcome.reason}`);
    if (outcome.kind !== 'resumed') {
      if (peer === this.#serverPeerOfAttempt()) {
        this.violations.push('the newest attempt was refused');
      }
      peer.close(outcome.code, outcome.reason);
      return;
    }
    peer.open(false);
    old.close(1000, 'resumed');
  }

  #serverPeerOfAttempt(): Peer | undefined {
    return this.#attempt?.link.peers.server;
  }

  #handleResumed(peer: Peer, payload: unknown): void {
    const old = this.#client.peer;
    const outcome = this.#client.handleResumed(peer, payload);
    if (outcome.kind === 'broken') this.violations.push(`resumed broke: ${outcome.reason}`);
    if (outcome.kind !== 'adopted') return;
    this.#attempt = null;
    this.moves++;
    peer.open(true);
    old.close(1000, '');
  }

  /** From here on nothing dies: everything must arrive. */
  async #heal(): Promise<void> {
    for (let round = 0; round < 40 && this.violations.length === 0; round++) {
      if (this.#isComplete()) return;
      this.#giveUp();
      this.#move();
      this.#move();
      for (let i = 0; i < 100 && !this.#isComplete(); i++) {
        for (const link of this.#links) this.#settle(link);
        this.#acks.client.flush();
        this.#acks.server.flush();
        await null; // receipts of a move are answered in a microtask
      }
    }
    if (this.violations.length > 0) return;
    for (const [key, sent] of this.#sent) {
      const arrived = this.#arrived.get(key)?.size ?? 0;
      if (arrived < sent) this.violations.push(`${key}: ${sent - arrived} of ${sent} were lost`);
    }
    if (this.violations.length === 0) this.violations.push('logs or receipts are left in the end');
  }

  #isComplete(): boolean {
    for (const [key, sent] of this.#sent) {
      if ((this.#arrived.get(key)?.size ?? 0) < sent) return false;
    }
    const isAnswered = this.#owed.client.size === 0 && this.#owed.server.size === 0;
    return isAnswered && this.#client.peer.isDrained && this.#server.peer.isDrained;
  }

  /** Delivers what is on its way. */
  #settle(link: VirtualLink): void {
    for (const side of ['client', 'server'] as const) {
      for (let i = 0, quiet = 0; i < 200 && quiet < 8; i++) {
        const what = link.deliver(side);
        if (what === 'goodbye') this.#handleGone(link, side, true);
        quiet = what === 'item' ? 0 : quiet + 1;
      }
    }
  }

  #open(wire: Wire): VirtualLink {
    const isEqual = this.#registries.client === this.#registries.server;
    const acknowledges = this.#plant === 'frozen-acknowledges';
    const link = new VirtualLink(wire, this.#random, isEqual, acknowledges);
    this.#links.push(link);
    if (this.#links.length > 4) this.#links.shift();
    return link;
  }

  /** The parameters of a UDP flow are known. */
  #ready(link: VirtualLink): void {
    for (const side of ['client', 'server'] as const) {
      const peer = link.peers[side];
      if (peer instanceof BinaryPeer) peer.handleReady(this.#registries[OTHER[side]].hash);
    }
  }

  #peer(link: VirtualLink, side: Side, start: PeerStart): Peer {
    const peer =
      link.wire === 'udp'
        ? new BinaryPeer<Side>(this.#binaryContext(link, side), side, 0, start)
        : new JsonPeer<Side>(this.#jsonContext(side), side, link.socketOf(side), start);
    link.peers[side] = peer;
    plantInto(peer, side, this.#plant);
    return peer;
  }

  #binaryContext(link: VirtualLink, side: Side): BinaryPeerContext<Side> {
    const port = link.portOf(side);
    return { ...this.#context(side), port, nowMs: () => 0, scratch: SCRATCH[side] };
  }

  #jsonContext(side: Side): JsonPeerContext<Side> {
    return { ...this.#context(side), nowMs: () => 0, onClockSample: null, serverTimeMs: () => 0 };
  }

  #context(side: Side): PeerContext<Side, Peer> {
    const isClient = side === 'client';
    return {
      registry: this.#registries[side],
      dispatcher: this.#dispatchers[side],
      drops: new SessionDrops(),
      acks: this.#acks[side],
      onUnhandled: null,
      onBroken: (_peer, code, reason) => this.violations.push(`${side} broke: ${code} ${reason}`),
      onHello: isClient ? () => {} : null,
      onLead: null,
      onResumed: isClient ? (peer, payload) => this.#handleResumed(peer, payload) : null,
      onResume: isClient ? null : (peer, payload) => this.#handleResume(peer, payload),
      onConfirmed: (peer) => this.#server.handleConfirmed(peer),
      onReceipt: (_peer, receipt, outcome) => this.#answer(side, receipt, outcome),
      onDrained: () => {},
      onClosed: null,
    };
  }

  #dispatcher(side: Side): Dispatcher<Side> {
    const dispatcher = new Dispatcher<Side>((error) => this.violations.push(String(error)));
    for (const type of RELIABLE) {
      dispatcher.on(type, (_, value) => this.#receive(side, type, value as Numbered));
    }
    dispatcher.on('State', () => {});
    return dispatcher;
  }

  #side(): Side {
    return this.#random.chance(1, 2) ? 'client' : 'server';
  }

  #wire(): Wire {
    return this.#random.chance(1, 2) ? 'udp' : 'json-ws';
  }
}
