/**
 * A server and its clients with everything that production has above the sockets: netcode with its
 * handshake and NX, the rings, the Runtime, RL1. Addresses are what a NAT makes of them.
 */
import type { ClosedFlow, OpenedFlow } from '../../runtime/handler.js';
import { CLOSE_PROTOCOL_ERROR } from '../../util/close-codes.js';
import * as limits from '../../util/limits.js';
import { Engine, EVENT_ACT, EVENT_ARRIVE, EVENT_OWN, EVENT_TIMER } from '../engine.js';
import type { Fault } from '../fault.js';
import { type MakeProtocol, makeProtocol } from '../make-protocol.js';
import { FATE_CARRIED } from '../network/link.js';
import { Ledger } from '../oracle/ledger.js';
import { violate } from '../oracle/violation.js';
import { mix32, Stream } from '../random.js';
import type { Trace } from '../trace.js';
import type { WorkloadLimits } from '../workload/workload.js';
import type { NativeConfig, NativeNodeOptions } from './native-config.js';
import { NativeEnd } from './native-end.js';
import { NativeNode } from './native-node.js';
import { NonceWatch } from './native-oracle.js';
import { flowIn, SERVER_ADDRESS, TokenMint } from './tokens.js';

const EVENT_DIAL = EVENT_OWN;
const EVENT_END = EVENT_OWN + 1;
const CLOSE_CODES = [1000, 1001, 4000, 65_535] as const;
const FIRST_PORT = 40_000;

/** One connection that was dialled: both directions' books, and the codes that its ends closed with. */
interface Flow {
  client: number;
  up: Ledger;
  down: Ledger;
  saidCodes: number[];
}

export class NativeWorld extends Engine {
  /** 0 is the server, i + 1 client i. */
  readonly nodes: NativeNode[] = [];
  /** The clients' ends, then one of the server for each flow that was ever let in. */
  readonly ends: NativeEnd[] = [];
  readonly flows: Flow[] = [];
  readonly mint: TokenMint;
  datagrams = 0;
  /** Datagrams for an address that nobody has (any more). */
  unmapped = 0;
  isTalking = true;
  private isDialling = true;
  /** The address that the network gives each client, and who has or had which. */
  readonly addresses: string[] = [];
  private readonly ownerOf = new Map<string, number>();
  private readonly addressNames: string[] = [SERVER_ADDRESS];
  private readonly rebinds: number[] = [];
  private readonly serverEnds: (NativeEnd | null)[] = [];
  private readonly lives: Stream;
  private readonly nonces = new NonceWatch();

  constructor(
    readonly config: NativeConfig,
    trace: Trace | null = null,
    readonly make: MakeProtocol = makeProtocol,
  ) {
    super(
      config.seed,
      config.clients.map((client) => client.path),
      config.faults,
      trace,
      config.turnsPerCheck,
    );
    this.lives = new Stream(config.seed, 'lives of flows');
    this.mint = new TokenMint(config.seed, config.timeoutS, config.tokenLifeS);
    this.nodes.push(new NativeNode(this, 0, 's', config.server, this.mint.privateKey));
    for (const [client, { node: options }] of config.clients.entries()) {
      const node = new NativeNode(this, client + 1, `c${client}`, options, null);
      this.nodes.push(node);
      const both = commonLimits(options, config.server);
      const end = new NativeEnd(this, client, `c${client}`, both, node, true, client);
      end.leastUs = this.leastDownUs[client];
      this.ends.push(end);
      this.rebinds.push(0);
      this.addresses.push('');
      this.serverEnds.push(null);
      this.useAddress(client, `203.0.113.${client + 1}:${FIRST_PORT}`);
      const delayUs = config.churn ? this.lives.between(0, 300_000) : config.dialUs;
      this.agenda.push(delayUs, EVENT_DIAL, client, 0);
    }
  }

  clientEnds(): NativeEnd[] {
    return this.ends.slice(0, this.config.clients.length);
  }

  /** The server's end of a client's present flow. */
  serverEndOf(near: NativeEnd): NativeEnd | null {
    const end = this.serverEnds[near.client];
    return end !== null && end.flow === near.flow ? end : null;
  }

  protected handle(kind: number, a: number, b: number): void {
    switch (kind) {
      case EVENT_ARRIVE:
        this.arrive(a);
        break;
      case EVENT_TIMER:
        this.nodes[a].timer();
        break;
      default:
        this.applicationEvent(kind, a, b);
    }
  }

  private applicationEvent(kind: number, a: number, b: number): void {
    const end = this.ends[a];
    if (end.node.isStalled) {
      this.agenda.push(end.node.stalledUntilUs, kind, a, b);
      return;
    }
    end.node.setTime();
    if (kind === EVENT_DIAL) this.dial(end);
    else if (kind === EVENT_ACT) this.act(end, b);
    else if (kind === EVENT_END) this.beginEnd(end, b);
    end.node.after();
  }

  /** A client asks its backend for a token, or has one already, and begins the handshake. */
  dial(end: NativeEnd, old: Uint8Array | null = null): void {
    if (end.isOpen || end.isDialling || !this.isDialling) return;
    const flow = this.flows.length;
    const salt = mix32(this.seed + flow);
    this.flows.push({
      client: end.client,
      up: new Ledger(`${end.name}>s`, salt),
      down: new Ledger(`s>${end.name}`, mix32(salt)),
      saidCodes: [],
    });
    end.flow = flow;
    end.isDialling = true;
    end.dialledUs = this.nowUs;
    const token = old ?? this.mint.mint(end.client + 1, flow, end.node.unixS);
    end.node.dials += 1;
    end.slot = end.node.runtime.connect(token);
    end.node.ends[end.slot] = end;
    this.trace?.node(this.nowUs, end.name, `dials, flow ${flow}`);
  }

  /** The server's process dies without a word, and another one takes its place. */
  restartServer(): void {
    const [old] = this.nodes;
    for (const end of this.ends) if (!end.isClient && end.isOpen) this.gone(end, 'the server died');
    const options = { ...old.options, seed: old.options.seed + 1 };
    const { privateKey } = this.mint;
    this.nodes[0] = new NativeNode(this, 0, 's', options, privateKey, old.clock);
  }

  /** Nobody dials any more. */
  stopDialling(): void {
    this.isDialling = false;
  }

  /** RuntimeHandler: netcode let somebody in. */
  opened(node: NativeNode, opened: OpenedFlow): void {
    const isServer = node.index === 0;
    const flow = isServer ? flowIn(opened.userData) : this.ends[node.index - 1].flow;
    const known = this.flows[flow];
    if (known === undefined) violate('handshake', `${node.name}: flow ${flow} was never dialled`);
    const end = isServer ? this.newServerEnd(known.client) : this.ends[known.client];
    if (end.isOpen) violate('handshake', `${end.name} has flow ${end.flow} and got ${flow}`);
    end.flow = flow;
    end.isDialling = false;
    end.slot = opened.slot;
    end.openedUs = this.nowUs;
    node.ends[opened.slot] = end;
    const [out, input] = end.isClient ? [known.up, known.down] : [known.down, known.up];
    end.begin(out, input, this.config.workload(flow, end.isClient, this.nowUs, end.limits));
    end.replies = this.config.replies && this.isTalking;
    this.trace?.node(this.nowUs, end.name, `is open, flow ${flow}, slot ${end.slot}`);
    this.scheduleAct(end);
    if (this.config.churn && end.isClient) this.planEnd(end);
  }

  private newServerEnd(client: number): NativeEnd {
    const near = this.ends[client];
    const [server] = this.nodes;
    const { index, name, limits: both } = near;
    const end = new NativeEnd(this, this.ends.length, `s${index}`, both, server, false, client);
    end.leastUs = this.leastUpUs[client];
    end.older = this.serverEnds[client];
    this.serverEnds[client] = end;
    this.ends.push(end);
    this.trace?.node(this.nowUs, end.name, `is new, for ${name}`);
    return end;
  }

  /** RuntimeHandler: a flow ended without our asking, or a handshake failed. */
  closedByPeer(node: NativeNode, slot: number, closed: ClosedFlow): void {
    const end = node.ends[slot];
    if (end === null) violate('state-after-close', `${node.name}: free slot ${slot} was closed`);
    if (closed.code === CLOSE_PROTOCOL_ERROR) {
      violate('protocol-violation', `${end.name} was closed: ${closed.reason}`);
    }
    const isReplaced = closed.code === 1000 && closed.reason === '';
    if (closed.wasClean && !this.flows[end.flow].saidCodes.includes(closed.code) && !isReplaced) {
      violate('closed-code', `${end.name} was closed with ${closed.code} ${closed.reason}`);
    }
    this.gone(end, `${closed.code} ${closed.reason}`);
  }

  drained(end: NativeEnd): void {
    end.drained();
    if (end.closesWhenDrained) this.close(end);
  }

  actAtTick(node: NativeNode): void {
    if (!this.isTalking) return;
    for (const end of node.ends) end?.act();
  }

  private act(end: NativeEnd, flow: number): void {
    if (!this.isTalking || !end.isOpen || end.flow !== flow) return;
    end.startTurn();
    end.act();
    this.scheduleAct(end);
  }

  private scheduleAct(end: NativeEnd): void {
    const { nextUs } = end.workload;
    if (end.node.options.tickUs > 0 || nextUs === Number.POSITIVE_INFINITY) return;
    this.agenda.push(Math.max(nextUs, this.nowUs), EVENT_ACT, end.index, end.flow);
  }

  private planEnd(end: NativeEnd): void {
    const lifeUs = this.lives.between(500_000, 8_000_000);
    const by = this.lives.isHit(1, 2) ? end : this.serverEndOf(end);
    if (by !== null) this.agenda.push(this.nowUs + lifeUs, EVENT_END, by.index, end.flow);
  }

  private beginEnd(end: NativeEnd, flow: number): void {
    if (!this.isTalking || !end.isOpen || end.flow !== flow) return;
    end.startTurn();
    end.closeCode = this.lives.pick(CLOSE_CODES);
    if (this.lives.isHit(1, 2)) {
      end.closesWhenDrained = true;
      end.stop();
      end.isWatching = true;
      end.node.runtime.watchDrained(end.slot);
    } else this.close(end);
  }

  /**
   * The application closes. A client's runtime says so and forgets the flow with the turn, a server's
   * when what it sent has been acknowledged.
   */
  close(end: NativeEnd): void {
    this.trace?.node(this.nowUs, end.name, `closes with ${end.closeCode}`);
    this.flows[end.flow].saidCodes.push(end.closeCode);
    end.node.runtime.closeFlow(end.slot, end.closeCode, 'bye', end.isClient);
    this.gone(end, 'closed here');
  }

  private gone(end: NativeEnd, why: string): void {
    this.trace?.node(this.nowUs, end.name, `flow ${end.flow} is over: ${why}`);
    end.node.ends[end.slot] = null;
    end.isOpen = false;
    end.in.isOver = true;
    end.isDialling = false;
    end.closesWhenDrained = false;
    end.closedUs = this.nowUs;
    end.closeReason = why;
    this.hash.add(end.index, -1, end.flow);
    if (!end.isClient || !this.config.redials || !this.isDialling) return;
    this.agenda.push(this.nowUs + this.lives.between(50_000, 1_000_000), EVENT_DIAL, end.client, 0);
  }

  /** A datagram leaves a node for an address. */
  route(from: NativeNode, packet: number, address: string): void {
    const { packets } = this;
    this.datagrams += 1;
    const isUp = from.index > 0;
    const client = isUp ? from.index - 1 : this.ownerOf.get(address);
    const page = packets.page(packet);
    const offset = packets.offset(packet);
    const length = packets.length[packet];
    const name = isUp ? `${from.name}>s` : `s>c${client ?? '?'}`;
    // A client has the keys of its present flow only; a server may still end an earlier one.
    const sealer = isUp ? `${name} flow ${this.ends[client ?? 0].flow}` : name;
    this.nonces.see(sealer, page, offset, isUp ? 1 : this.flows.length);
    if (client === undefined || (!isUp && this.addresses[client] !== address)) {
      this.unmapped += 1;
      packets.free(packet);
      return;
    }
    packets.to[packet] = isUp ? 0 : client + 1;
    packets.tag[packet] = this.nameOf(this.addresses[client]);
    const link = isUp ? this.ups[client] : this.downs[client];
    const first = page[offset];
    const fate = this.carry(link, packet);
    this.hash.add(from.index, length, fate);
    this.hash.add(first, client, 0);
    const arriveUs = fate === FATE_CARRIED ? link.arriveUs : 0;
    this.trace?.sent(this.nowUs, name, fate, arriveUs, `type ${first & 15}, ${length} B`);
  }

  /** Somebody else's datagram, or a copy, arrives at the server. */
  inject(packet: number, address: string, atUs: number): void {
    this.packets.to[packet] = 0;
    this.packets.tag[packet] = this.nameOf(address);
    this.inFlight += 1;
    this.agenda.push(atUs, EVENT_ARRIVE, packet, 0);
  }

  private arrive(packet: number): void {
    this.inFlight -= 1;
    const { packets } = this;
    const node = this.nodes[packets.to[packet]];
    const address = this.addressNames[packets.tag[packet]];
    if (node.index === 0) node.arrive(packet, address);
    else if (this.addresses[node.index - 1] === address) node.arrive(packet, SERVER_ADDRESS);
    else {
      this.unmapped += 1;
      packets.free(packet);
    }
  }

  private nameOf(address: string): number {
    const known = this.addressNames.lastIndexOf(address);
    return known >= 0 ? known : this.addressNames.push(address) - 1;
  }

  private useAddress(client: number, address: string): void {
    this.ownerOf.set(address, client);
    this.addresses[client] = address;
  }

  /** The NAT forgets the client's mapping and makes another one. */
  rebind(client: number, what: 'port' | 'address'): void {
    this.rebinds[client] += 1;
    const count = this.rebinds[client];
    const [host] = this.addresses[client].split(':');
    const moved = what === 'port' ? host : `198.51.${100 + client}.${count}`;
    this.useAddress(client, `${moved}:${FIRST_PORT + count}`);
  }

  protected faultNode(fault: Fault, isOver: boolean): void {
    if (fault.kind === 'rebind') this.rebind(fault.client, fault.what);
    if (fault.kind === 'restart') this.restartServer();
    if (!('node' in fault)) return;
    const node = this.nodes[fault.node];
    if (fault.kind === 'stall') {
      node.stalledUntilUs = isOver ? 0 : fault.toUs;
      if (isOver) node.wake();
    } else if (fault.kind === 'squeeze') node.squeeze(isOver ? null : fault);
    else if (fault.kind === 'drift') node.clock.setDrift(this.nowUs, fault.ppm);
    else if (fault.kind === 'jump') node.clock.jumpAhead(this.nowUs, fault.byUs);
    node.wakeAt(this.nowUs + 1);
  }
}

/** What both ends take. */
function commonLimits(a: NativeNodeOptions, b: NativeNodeOptions): WorkloadLimits {
  const least = (
    name: 'channels' | 'messageBytes' | 'unreliableMessageBytes',
    otherwise: number,
  ): number => Math.min(a.limits[name] ?? otherwise, b.limits[name] ?? otherwise);
  return {
    channels: least('channels', limits.CHANNELS_MAX),
    messageBytes: least('messageBytes', limits.RELIABLE_MESSAGE_BYTES_MAX),
    unreliableMessageBytes: least('unreliableMessageBytes', limits.UNRELIABLE_MESSAGE_BYTES_MAX),
  };
}
