/**
 * One session between a client and a server over UDP flows of the production endpoint that die and are
 * replaced, with the oracle of resume-world: what was accepted as reliable arrives exactly once, in
 * order within its channel, across links. Time is simulated; a seed is the whole world.
 *
 * The hosts here do what UdpListener and Suspensions (server) and SessionLinks (sdk) do.
 */
import { createRegistry } from '../../src/messages/index.js';
import { BODY_BYTES_MAX, type Registry } from '../../src/messages/types.js';
import type { ClosedFlow, OpenedFlow, RuntimeHandler } from '../../src/runtime/handler.js';
import { AckBatch } from '../../src/session/ack-batch.js';
import { BinaryPeer, type BinaryPeerContext } from '../../src/session/binary-peer.js';
import { ClientSession } from '../../src/session/client-session.js';
import { parseHello, parseResume } from '../../src/session/control.js';
import { Dispatcher } from '../../src/session/dispatcher.js';
import { SessionDrops } from '../../src/session/drops.js';
import { SESSION_ACK_ROUND_MS } from '../../src/session/limits.js';
import type { FlowPort, PeerStart } from '../../src/session/peer-context.js';
import { ServerSession } from '../../src/session/server-session.js';
import { RECEIPT_OUTCOMES } from '../../src/session/types.js';
import { flowIn, SERVER_ADDRESS, TokenMint, UNIX_S } from '../../src/sim/native/tokens.js';
import { Prng } from '../../src/util/prng.js';
import { Scratch } from '../../src/util/scratch.js';
import { Machine, Network } from './native-link.js';
import { type Numbered, numberType } from './number-type.js';
import { type Plant, plantInto } from './plants.js';
import { OTHER, type Side } from './virtual-link.js';

const STEP_MS = 10;
const CLIENT_ID = 7;
const FLOW_TIMEOUT_S = 5;
/** After the last fault everything must arrive within this. */
const HEAL_MS = 60_000;
const REGISTRY = createRegistry({
  Ordered: numberType('Ordered', 40, 3, 4),
  Unordered: numberType('Unordered', 41, 2, 5),
}) as unknown as Registry<object>;
const TYPES = ['Ordered', 'Unordered', 'loose'] as const;
const SCRATCH = new Scratch(BODY_BYTES_MAX + 64);

type Peer = BinaryPeer<Side>;

interface ClientLink {
  readonly machine: Machine;
  peer: Peer;
  isOver: boolean;
  /** When its handshake is given up, ms. */
  readonly untilMs: number;
}

export class NativeWorld {
  readonly violations: string[] = [];
  moves = 0;
  deaths = 0;
  delivered = 0;
  readonly #random: Prng;
  readonly #plant: Plant;
  readonly #network: Network;
  /**
   * As in production, netcode ends a player's flow when another one opens. In half of the worlds it does
   * not, and the session alone must keep an old link from being heard.
   */
  readonly #isReplacing: boolean;
  readonly #mint: TokenMint;
  readonly #server: Machine;
  readonly #serverAcks: AckBatch<{ flushAck(): void }>;
  readonly #serverPeers: (Peer | null)[] = [];
  readonly #links: ClientLink[] = [];
  #serverSession: ServerSession<Peer> | null = null;
  #session: ClientSession<Peer> | null = null;
  #adopted: ClientLink;
  #attempt: ClientLink | null = null;
  #dials = 0;
  readonly #sent = new Map<string, number>();
  readonly #arrived = new Map<string, Set<number>>();

  constructor(seed: number, plant: Plant) {
    this.#random = new Prng(seed);
    this.#plant = plant;
    this.#isReplacing = this.#random.chance(1, 2);
    this.#network = new Network(this.#random);
    this.#network.lossPerMille = this.#random.below(60);
    this.#mint = new TokenMint(seed, FLOW_TIMEOUT_S, 3600);
    this.#serverAcks = this.#acksOf(() => this.#server);
    this.#server = new Machine(SERVER_ADDRESS, seed, this.#serverHandler(), this.#mint.privateKey);
    this.#server.rings.setAdmission({ handshakesPerPrefix: null });
    this.#network.add(this.#server);
    this.#adopted = this.#dial();
  }

  /** Faults for `ms`, then none, until everything has arrived. */
  run(ms: number): this {
    this.#passUntil(10_000, () => this.#session !== null);
    const endMs = this.#network.nowMs + ms;
    this.#passUntil(ms, () => {
      this.#act();
      return this.#network.nowMs >= endMs;
    });
    this.#network.lossPerMille = 0;
    for (const { machine } of this.#links) {
      if (!(machine.isDeaf && machine.isMute)) machine.isDeaf = machine.isMute = false;
    }
    const isComplete = this.#passUntil(HEAL_MS, () => {
      this.#tend(true);
      return this.#isComplete();
    });
    if (!isComplete && this.violations.length === 0) this.violations.push(this.#missing());
    return this;
  }

  #passUntil(ms: number, isDone: () => boolean): boolean {
    const endMs = this.#network.nowMs + ms;
    while (this.#network.nowMs < endMs && this.violations.length === 0) {
      this.#network.step(STEP_MS);
      if (isDone()) return true;
    }
    return false;
  }

  #act(): void {
    const random = this.#random;
    const count = random.chance(1, 30) ? 20 : random.below(2);
    for (let i = 0; i < count; i++) this.#send(random.chance(1, 2) ? 'client' : 'server');
    if (random.chance(1, 150)) this.#kill();
    this.#tend(random.chance(1, 200));
  }

  /** A link dies, in one direction or both; one that was deaf or mute may come back. */
  #kill(): void {
    const { machine } = this.#links[this.#links.length - 1];
    if (machine.isDeaf !== machine.isMute && this.#random.chance(1, 2)) {
      machine.isDeaf = machine.isMute = false;
      return;
    }
    machine.isDeaf ||= this.#random.chance(2, 3);
    machine.isMute ||= !machine.isDeaf || this.#random.chance(2, 3);
    this.deaths++;
  }

  /** What SessionLinks and the resumer do: another link when the adopted one is over, or on a whim. */
  #tend(isWhim: boolean): void {
    const attempt = this.#attempt;
    if (attempt !== null && (attempt.isOver || this.#network.nowMs > attempt.untilMs)) {
      this.#giveUp(attempt);
    }
    if (this.#session === null || this.#attempt !== null) return;
    const { machine, isOver } = this.#adopted;
    if (isOver || (isWhim && (machine.isDeaf || this.#random.chance(1, 4)))) {
      this.#attempt = this.#dial();
    }
  }

  #dial(): ClientLink {
    const number = this.#dials++;
    let link: ClientLink | null = null;
    const handler = this.#clientHandler(() => link as ClientLink);
    const machine = new Machine(`10.0.1.1:${5000 + number}`, number + 1, handler);
    const unixS = UNIX_S + Math.floor(this.#network.nowMs / 1000);
    this.#network.add(machine);
    const clientId = CLIENT_ID + (this.#isReplacing ? 0 : number);
    const slot = machine.runtime.connect(this.#mint.mint(clientId, number, unixS));
    const acks = this.#acksOf(() => machine);
    const peer = this.#peer(machine, acks, 'client', slot, 'awaits-server');
    const untilMs = this.#network.nowMs + 1000 + this.#random.below(4000);
    link = { machine, peer, isOver: false, untilMs };
    this.#links.push(link);
    if (this.#links.length > 6) this.#network.remove((this.#links.shift() as ClientLink).machine);
    return link;
  }

  #giveUp(link: ClientLink): void {
    this.#attempt = null;
    this.#session?.giveUp(link.peer);
    link.peer.close(1000, '');
    link.machine.runtime.close(1000, '');
  }

  #clientHandler(link: () => ClientLink): RuntimeHandler {
    return {
      ...QUIET,
      handleFlowReady: (_slot, registryHash) => {
        const { peer } = link();
        peer.handleReady(registryHash === 1 ? REGISTRY.hash : 0);
        if (this.#attempt === link()) this.#session?.begin(peer);
      },
      handleMessage: (_slot, ...message) => link().peer.handleMessage(...message),
      handleFlowClosed: () => {
        link().isOver = true;
        link().peer.handleGone();
      },
      handleWritable: () => link().peer.handleWritable(),
      handleDeadline: () => ACKS.get(link().machine)?.flush(),
    };
  }

  #serverHandler(): RuntimeHandler {
    const numbers = new Map<number, number>();
    return {
      ...QUIET,
      handleFlowOpened: ({ slot, userData }: OpenedFlow) =>
        void numbers.set(slot, flowIn(userData)),
      handleFlowReady: (slot) => this.#serverReady(slot, numbers.get(slot) === 0),
      handleMessage: (slot, ...message) => this.#serverPeers[slot]?.handleMessage(...message),
      handleFlowClosed: (slot, closed) => this.#serverClosed(slot, closed),
      handleReceipt: (slot, receipt, outcome) =>
        this.#serverPeers[slot]?.handleReceipt(receipt, RECEIPT_OUTCOMES[outcome]),
      handleWritable: (slot) => this.#serverPeers[slot]?.handleWritable(),
      handleDeadline: () => this.#serverAcks.flush(),
    };
  }

  #serverReady(slot: number, isFirst: boolean): void {
    const start = isFirst ? 'linked' : 'awaits-resume';
    const peer = this.#peer(this.#server, this.#serverAcks, 'server', slot, start);
    this.#serverPeers[slot] = peer;
    peer.handleReady(REGISTRY.hash);
    if (!isFirst) return;
    let secrets = 0;
    const session = new ServerSession<Peer>('00', peer, () => `secret ${++secrets}`);
    this.#serverSession = session;
    const hello = { session: '00', secret: session.firstSecret, resumeWindowMs: 1 };
    peer.greet({ ...hello, player: 'anna', serverTimeMs: 0, clockUs: 0 });
  }

  #serverClosed(slot: number, { wasClean, reason, isReplaced }: ClosedFlow): void {
    const peer = this.#serverPeers[slot];
    if (peer === null || peer === undefined) return;
    this.#serverPeers[slot] = null;
    peer.handleGone();
    const isLost = isReplaced === true || (!wasClean && reason === 'timeout');
    if (this.#serverSession?.handleLinkDown(peer, !isLost) === 'ended') {
      this.violations.push(`the server ended the session: ${reason}`);
    }
  }

  #handleResume(peer: Peer, payload: unknown): void {
    const session = this.#serverSession as ServerSession<Peer>;
    const request = parseResume(payload);
    if (request === null) throw new Error('a malformed $resume');
    const old = session.peer;
    const outcome = session.resume(peer, request, { serverTimeMs: 0, clockUs: 0 });
    if (outcome.kind === 'broken') this.violations.push(`the resume broke: ${outcome.reason}`);
    if (outcome.kind !== 'resumed') {
      peer.close(outcome.code, outcome.reason);
      return;
    }
    peer.open(false);
    old.close(1000, 'resumed');
  }

  #handleResumed(peer: Peer, payload: unknown): void {
    const outcome = this.#session?.handleResumed(peer, payload);
    if (outcome?.kind === 'broken') this.violations.push(`resumed broke: ${outcome.reason}`);
    if (outcome?.kind !== 'adopted') return;
    const old = this.#adopted;
    this.#adopted = this.#attempt as ClientLink;
    this.#attempt = null;
    this.moves++;
    peer.open(true);
    old.peer.close(1000, '');
    old.machine.runtime.close(1000, '');
  }

  #peer(
    machine: Machine,
    acks: AckBatch<{ flushAck(): void }>,
    side: Side,
    slot: number,
    start: PeerStart,
  ): Peer {
    const isClient = side === 'client';
    const dispatcher = new Dispatcher<Side>((error) => this.violations.push(String(error)));
    for (const type of TYPES) {
      dispatcher.on(type, (_, value) => this.#receive(side, type, value as Numbered));
    }
    const context: BinaryPeerContext<Side> = {
      registry: REGISTRY,
      dispatcher,
      drops: new SessionDrops(),
      acks,
      onUnhandled: null,
      onBroken: (_peer, code, reason) => this.violations.push(`${side} broke: ${code} ${reason}`),
      onHello: isClient ? (it, payload) => this.#handleHello(it, payload) : null,
      onLead: null,
      onResumed: isClient ? (it, payload) => this.#handleResumed(it, payload) : null,
      onResume: isClient ? null : (it, payload) => this.#handleResume(it, payload),
      onConfirmed: (it) => this.#serverSession?.handleConfirmed(it),
      onReceipt: () => {},
      onDrained: () => {},
      onClosed: null,
      port: this.#portOf(machine),
      scratch: SCRATCH,
      nowMs: () => this.#network.nowMs,
    };
    const peer = new BinaryPeer<Side>(context, side, slot, start);
    plantInto(peer, side, this.#plant);
    return peer;
  }

  #portOf({ runtime, protocol }: Machine): FlowPort {
    if (this.#plant !== 'frozen-acknowledges') return runtime;
    return {
      send: (...message) => runtime.send(...message),
      freezeFlow: (slot) => protocol.unacked(slot),
      budget: (slot) => runtime.budget(slot),
      closeFlow: (...goodbye) => runtime.closeFlow(...goodbye),
    };
  }

  #handleHello(peer: Peer, payload: unknown): void {
    const hello = parseHello(payload);
    if (hello === null) throw new Error('a malformed $hello');
    this.#session = new ClientSession<Peer>(hello, peer);
    peer.open(true);
  }

  #acksOf(machine: () => Machine): AckBatch<{ flushAck(): void }> {
    const acks: AckBatch<{ flushAck(): void }> = new AckBatch(() => {
      const { runtime } = machine();
      ACKS.set(machine(), acks);
      runtime.setHandlerDeadline((runtime.nowUs + SESSION_ACK_ROUND_MS * 1000) | 0);
    });
    return acks;
  }

  #send(side: Side): void {
    const peer = side === 'client' ? this.#session?.peer : this.#serverSession?.peer;
    const type = TYPES[this.#random.below(TYPES.length)];
    const key = `${side} ${type}`;
    const n = this.#sent.get(key) ?? 0;
    const pad = this.#random.chance(1, 40) ? 20_000 : this.#random.below(60);
    const value = type === 'loose' ? { n, pad, text: 'x'.repeat(pad) } : { n, pad };
    if (peer !== undefined && peer.send(type, value) !== 'full') this.#sent.set(key, n + 1);
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

  #isComplete(): boolean {
    for (const [key, sent] of this.#sent) {
      if ((this.#arrived.get(key)?.size ?? 0) < sent) return false;
    }
    return this.#session?.peer.isDrained === true && this.#serverSession?.peer.isDrained === true;
  }

  #missing(): string {
    const lost = [...this.#sent].map(([key, sent]) => {
      return `${key} ${sent - (this.#arrived.get(key)?.size ?? 0)} of ${sent}`;
    });
    return `never complete; missing ${lost.join(', ')}`;
  }
}

const ACKS = new WeakMap<Machine, AckBatch<{ flushAck(): void }>>();

const QUIET: RuntimeHandler = {
  handleFlowOpened() {},
  handleFlowReady() {},
  handleMessage() {},
  handleRawPayload() {},
  handleFlowMoved() {},
  handleFlowClosed() {},
  handleDrained() {},
  handleReceipt() {},
  handleWritable() {},
  handleTick() {},
  handleDeadline() {},
};
