/**
 * A server and its clients, each a Protocol over the emulated network, without netcode: the fast
 * level. Flows open and end by plan; the world itself plays the part of netcode (who is connected,
 * and that a peer which went without a word is missed after a while).
 */
import { DROP_REASON_NAMES, ROLE_CLIENT, ROLE_SERVER } from '../../protocol/protocol.js';
import * as limits from '../../util/limits.js';
import { Engine, EVENT_ACT, EVENT_ARRIVE, EVENT_OWN, EVENT_TICK, EVENT_TIMER } from '../engine.js';
import type { Fault } from '../fault.js';
import { type MakeProtocol, makeProtocol } from '../make-protocol.js';
import { FATE_CARRIED } from '../network/link.js';
import { Ledger } from '../oracle/ledger.js';
import { mix32, Stream } from '../random.js';
import type { Trace } from '../trace.js';
import type { WorkloadLimits } from '../workload/workload.js';
import type { CoreConfig } from './core-config.js';
import { CLOSE_CODES, CoreEnd } from './core-end.js';
import { CoreNode } from './core-node.js';
import { checkFreed } from './core-oracle.js';

const EVENT_OPEN = EVENT_OWN;
const EVENT_END = EVENT_OWN + 1;
const EVENT_GONE = EVENT_OWN + 2;

/** Netcode's part: a silent peer is given up after so long. */
export const GONE_US = 5_000_000;

export class CoreWorld extends Engine {
  /** 0 is the server. */
  readonly nodes: CoreNode[] = [];
  /** Pairs: 2p is the client's end, 2p + 1 the server's. */
  readonly ends: CoreEnd[] = [];
  flowsOpened = 0;
  datagrams = 0;
  /** False once the liveness phase has begun. */
  isTalking = true;
  private readonly freeSlots: number[] = [];
  private readonly lives: Stream;

  constructor(
    readonly config: CoreConfig,
    trace: Trace | null = null,
    make: MakeProtocol = makeProtocol,
  ) {
    super(
      config.seed,
      config.clients.map((client) => client.path),
      config.faults,
      trace,
      config.turnsPerCheck,
    );
    this.lives = new Stream(config.seed, 'lives of flows');
    const { server, clients, flowsPerClient } = config;
    this.nodes.push(new CoreNode(this, 0, 's', server, make));
    for (const [index, client] of clients.entries()) {
      this.nodes.push(new CoreNode(this, index + 1, `c${index}`, client.node, make));
      for (let flow = 0; flow < flowsPerClient; flow++) this.addPair(index, flow);
    }
    for (let slot = this.nodes[0].ends.length - 1; slot >= 0; slot--) this.freeSlots.push(slot);
    for (const node of this.nodes) {
      if (node.options.tickUs > 0) this.scheduleTick(node, 1);
    }
    for (let pair = 0; pair < this.ends.length >> 1; pair++) {
      const delayUs = config.churn ? this.lives.between(0, 200_000) : 0;
      this.agenda.push(delayUs, EVENT_OPEN, pair, 1);
    }
  }

  private addPair(client: number, flow: number): void {
    const node = this.nodes[client + 1];
    const [server] = this.nodes;
    const both = commonLimits(node, server);
    const suffix = this.config.flowsPerClient > 1 ? `${client}.${flow}` : `${client}`;
    const index = this.ends.length;
    const at = `c${suffix}`;
    const up = this.ups[client];
    const down = this.downs[client];
    const near = new CoreEnd(this, index, at, both, node, true, up, `${at}>s`);
    const far = new CoreEnd(this, index + 1, `s${suffix}`, both, server, false, down, `s>${at}`);
    near.peer = far;
    far.peer = near;
    near.leastUs = this.leastDownUs[client];
    far.leastUs = this.leastUpUs[client];
    this.ends.push(near, far);
  }

  protected handle(kind: number, a: number, b: number): void {
    switch (kind) {
      case EVENT_ARRIVE:
        this.inFlight -= 1;
        this.ends[this.packets.to[a]].node.arrive(a);
        break;
      case EVENT_TIMER:
        this.nodes[a].timer();
        break;
      case EVENT_TICK:
        this.tick(this.nodes[a], b);
        break;
      default:
        this.applicationEvent(kind, a, b);
    }
  }

  /** What the application does of itself waits for the process to run. */
  private applicationEvent(kind: number, a: number, b: number): void {
    const end = this.ends[kind === EVENT_OPEN || kind === EVENT_END ? 2 * a + (b & 1) : a];
    if (end.node.isStalled) {
      this.agenda.push(end.node.stalledUntilUs, kind, a, b);
      return;
    }
    if (kind === EVENT_ACT) this.act(end, b);
    else if (kind === EVENT_OPEN) this.open(end);
    else if (kind === EVENT_END) this.beginEnd(end, b >> 1);
    else if (kind === EVENT_GONE && end.isOpen && end.epoch === b) this.freeNow(end);
  }

  private act(end: CoreEnd, epoch: number): void {
    if (!this.isTalking || !end.isOpen || end.epoch !== epoch) return;
    const { node } = end;
    node.nodeUs = node.clock.at(this.nowUs);
    end.startTurn();
    end.act();
    node.finish();
    this.scheduleAct(end);
  }

  private scheduleAct(end: CoreEnd): void {
    const { nextUs } = end.workload;
    if (!end.isOpen || end.node.options.tickUs > 0 || nextUs === Number.POSITIVE_INFINITY) return;
    this.agenda.push(Math.max(nextUs, this.nowUs), EVENT_ACT, end.index, end.epoch);
  }

  private tick(node: CoreNode, count: number): void {
    this.scheduleTick(node, count + 1);
    node.turn();
  }

  private scheduleTick(node: CoreNode, count: number): void {
    this.agenda.push(Math.round(count * node.options.tickUs), EVENT_TICK, node.index, count);
  }

  /** Inside the turn of a ticked node: everybody there says what is due. */
  actAtTick(node: CoreNode): void {
    if (!this.isTalking) return;
    for (const end of node.ends) {
      if (end === null) continue;
      end.startTurn();
      end.act();
    }
  }

  /** The server's end first: netcode tells the server of a connection before the client. */
  private open(end: CoreEnd): void {
    const { config } = this;
    const { node, peer } = end;
    if (end.isOpen || end.isClient !== peer.isOpen || (!end.isClient && !this.isTalking)) return;
    const pair = end.index >> 1;
    if (!end.isClient) {
      const flow = this.flowsOpened;
      this.flowsOpened += 1;
      const salt = mix32(this.seed + flow);
      const up = new Ledger(peer.linkName, salt);
      const down = new Ledger(end.linkName, mix32(salt));
      const startUs = this.nowUs + end.leastUs;
      end.slot = this.freeSlots.pop() ?? -1;
      end.begin(down, up, config.workload(flow, false, this.nowUs, end.limits));
      end.epoch += 1;
      peer.begin(up, down, config.workload(flow, true, startUs, end.limits));
      peer.epoch = end.epoch;
      peer.isOpen = false; // until its own event
      this.agenda.push(startUs, EVENT_OPEN, pair, 0);
      if (config.churn) this.planEnd(pair, end.epoch);
    } else {
      end.slot = node.ends.indexOf(null);
      end.isOpen = true;
    }
    end.replies = config.replies;
    node.ends[end.slot] = end;
    node.nodeUs = node.clock.at(this.nowUs);
    const role = end.isClient ? ROLE_CLIENT : ROLE_SERVER;
    node.protocol.openFlow(end.slot, role, node.nodeUs, config.payloadBytes);
    this.trace?.node(this.nowUs, end.name, `opens slot ${end.slot}, epoch ${end.epoch}`);
    node.finish();
    this.scheduleAct(end);
  }

  private planEnd(pair: number, epoch: number): void {
    const { lives } = this;
    const lifeUs = lives.between(200_000, 6_000_000);
    const by = lives.between(0, 1);
    const end = this.ends[2 * pair + by];
    end.freeAtMessage = lives.isHit(1, 8) ? lives.between(1, 200) : -1;
    end.peer.freeAtMessage = -1;
    this.agenda.push(this.nowUs + lifeUs, EVENT_END, pair, (epoch << 1) | by);
  }

  /** One of the three ways to go: CLOSE at once, CLOSE when drained, without a word. */
  private beginEnd(end: CoreEnd, epoch: number): void {
    if (!this.isTalking || !end.isOpen || end.epoch !== epoch) return;
    const way = this.lives.between(0, 4);
    const { node } = end;
    node.nodeUs = node.clock.at(this.nowUs);
    end.startTurn();
    if (way === 0) this.freeNow(end);
    else if (way <= 2) this.close(end, this.lives.pick(CLOSE_CODES));
    else this.closeWhenDrained(end, this.lives.pick(CLOSE_CODES));
    node.finish();
  }

  close(end: CoreEnd, code: number): void {
    end.closeCode = code;
    this.trace?.node(this.nowUs, end.name, `closes with ${code}`);
    const reason = this.lives.isHit(1, 2) ? REASON : null;
    end.node.protocol.close(end.slot, end.node.nodeUs, code, reason);
    this.endWithTurn(end);
  }

  endWithTurn(end: CoreEnd): void {
    end.isEnding = true;
    end.node.endings.push(end);
  }

  closeWhenDrained(end: CoreEnd, code: number): void {
    end.closeCode = code;
    end.closesWhenDrained = true;
    end.stop();
    this.trace?.node(this.nowUs, end.name, 'drains, then closes');
    this.watch(end);
  }

  watch(end: CoreEnd): void {
    end.isWatching = true;
    end.node.protocol.watchDrained(end.slot);
  }

  /** At the end of a turn: flows that are over leave their slots. */
  endFlows(node: CoreNode): void {
    while (node.endings.length > 0) {
      const end = node.endings.pop() as CoreEnd;
      if (end.isOpen) this.freeNow(end);
    }
  }

  /** Netcode says disconnect (or nothing): the slot is free, and the peer finds out some day. */
  freeNow(end: CoreEnd): void {
    const { node, peer } = end;
    end.keepFigures();
    node.protocol.freeFlow(end.slot);
    checkFreed(end);
    end.isOpen = false;
    end.in.isOver = true;
    end.closesWhenDrained = false;
    node.ends[end.slot] = null;
    if (!end.isClient) this.freeSlots.push(end.slot);
    this.trace?.node(this.nowUs, end.name, `frees slot ${end.slot}`);
    this.hash.add(end.index, -1, end.epoch);
    if (peer.isOpen) this.agenda.push(this.nowUs + GONE_US, EVENT_GONE, peer.index, peer.epoch);
    else if (this.isTalking && this.config.churn) {
      const afterUs = this.lives.between(0, 1_000_000);
      this.agenda.push(this.nowUs + afterUs, EVENT_OPEN, end.index >> 1, 1);
    }
  }

  /** A packet of `end` goes onto its link. */
  give(end: CoreEnd, packet: number): void {
    const { packets, trace } = this;
    this.datagrams += 1;
    packets.to[packet] = end.peer.index;
    packets.tag[packet] = end.epoch;
    const length = packets.length[packet];
    const text = trace?.describe(packets.page(packet), packets.offset(packet), length) ?? '';
    const fate = this.carry(end.link, packet);
    this.hash.add(end.index, length, fate);
    trace?.sent(
      this.nowUs,
      end.linkName,
      fate,
      fate === FATE_CARRIED ? end.link.arriveUs : 0,
      text,
    );
  }

  traceTaken(end: CoreEnd, packet: number, reason: number): void {
    const { packets, trace } = this;
    const sentMs = (packets.sentUs[packet] / 1000).toFixed(3);
    const what = reason === 0 ? 'takes' : `refuses (${DROP_REASON_NAMES[reason]})`;
    trace?.node(this.nowUs, end.name, `${what} ${packets.length[packet]} B sent at ${sentMs}`);
  }

  protected faultNode(fault: Fault, isOver: boolean): void {
    if (fault.kind === 'rebind') this.movePeer(fault.client, fault.what === 'port');
    if (!('node' in fault)) return;
    const node = this.nodes[fault.node];
    switch (fault.kind) {
      case 'stall':
        node.stalledUntilUs = isOver ? 0 : fault.toUs;
        if (isOver) node.turn();
        break;
      case 'drift':
        node.clock.setDrift(this.nowUs, fault.ppm);
        node.wakeAt(this.nowUs + 1);
        break;
      case 'jump':
        node.clock.jumpAhead(this.nowUs, fault.byUs);
        node.wakeAt(this.nowUs + 1);
        break;
      case 'squeeze':
        node.squeeze(isOver ? null : fault);
        break;
    }
  }

  /** The server learns that a client goes on from elsewhere. */
  private movePeer(client: number, portOnly: boolean): void {
    const [server] = this.nodes;
    if (server.isStalled) return;
    server.nodeUs = server.clock.at(this.nowUs);
    for (const end of this.ends) {
      if (end.isClient || !end.isOpen || end.peer.node.index !== client + 1) continue;
      server.protocol.pathChanged(end.slot, server.nodeUs, portOnly);
    }
    server.finish();
  }
}

const REASON = new Uint8Array([0x62, 0x79, 0x65]);

/** What both ends take. */
function commonLimits(a: CoreNode, b: CoreNode): WorkloadLimits {
  const first = a.options.protocol.limits ?? {};
  const second = b.options.protocol.limits ?? {};
  const least = (
    name: 'channels' | 'messageBytes' | 'unreliableMessageBytes',
    otherwise: number,
  ): number => Math.min(first[name] ?? otherwise, second[name] ?? otherwise);
  return {
    channels: least('channels', limits.CHANNELS_MAX),
    messageBytes: least('messageBytes', limits.RELIABLE_MESSAGE_BYTES_MAX),
    unreliableMessageBytes: least('unreliableMessageBytes', limits.UNRELIABLE_MESSAGE_BYTES_MAX),
  };
}
