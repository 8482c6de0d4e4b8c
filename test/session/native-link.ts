/**
 * Links of the native level: the production endpoint (netcode, NX, rings) over memory queues, the
 * production runtime and RL1, for each client link a machine of its own; and the network between them,
 * which delays, loses and repeats datagrams and swallows those of links that died.
 */
import { SimRings } from '../../src/addon/index.js';
import { Protocol } from '../../src/protocol/index.js';
import type { RuntimeHandler } from '../../src/runtime/handler.js';
import { Runtime } from '../../src/runtime/runtime.js';
import { PROTOCOL_ID, SERVER_ADDRESS, UNIX_S } from '../../src/sim/native/tokens.js';
import { PACKET_BYTES, PAYLOAD_BYTES } from '../../src/util/limits.js';
import type { Prng } from '../../src/util/prng.js';

const START_US = 1_000_000;
const ACK_DELAY_US = 25_000;
const DELAY_MS_MAX = 40;
/** Of one datagram in ten: it may come after its link has been left. */
const DELAY_MS_ODD_MAX = 600;
const FLOWS_AT_SERVER = 16;

export class Machine {
  readonly rings: SimRings;
  readonly protocol: Protocol;
  readonly runtime: Runtime;
  readonly address: string;
  /** Nothing arrives here, nothing from here arrives. */
  isDeaf = false;
  isMute = false;

  /** `privateKey`: a server's. */
  constructor(address: string, seed: number, handler: RuntimeHandler, privateKey?: Uint8Array) {
    this.address = address;
    const maxFlows = privateKey === undefined ? 1 : FLOWS_AT_SERVER;
    const common = { seed, startUs: START_US, unixS: UNIX_S, maxFlows, tickIntervalUs: 0 };
    const options = { ...common, maxPayloadBytes: PAYLOAD_BYTES };
    const keys = { protocolId: PROTOCOL_ID, serverAddresses: [SERVER_ADDRESS] };
    this.rings = new SimRings(
      privateKey === undefined
        ? { ...options, role: 'client' }
        : { ...options, ...keys, role: 'server', privateKey },
    );
    const maxAckDelayUs = ACK_DELAY_US;
    this.protocol = new Protocol({ maxFlows, seed, registryHash: 1, maxAckDelayUs });
    this.runtime = new Runtime({
      endpoint: this.rings,
      protocol: this.protocol,
      handler,
      role: privateKey === undefined ? 'client' : 'server',
      driver: 'immediate',
      tickIntervalUs: 0,
      maxFlows,
      maxPayloadBytes: PACKET_BYTES,
      defer: () => {}, // there is a turn at each step anyway
    });
  }
}

interface Datagram {
  atMs: number;
  from: string;
  to: string;
  bytes: Uint8Array;
}

export class Network {
  nowMs = 0;
  /** Of a thousand datagrams. */
  lossPerMille = 0;
  readonly #machines = new Map<string, Machine>();
  readonly #random: Prng;
  readonly #scratch = new Uint8Array(2048);
  #flying: Datagram[] = [];

  constructor(random: Prng) {
    this.#random = random;
  }

  add(machine: Machine): void {
    this.#machines.set(machine.address, machine);
    machine.rings.native.setTime(START_US + this.nowMs * 1000);
  }

  remove(machine: Machine): void {
    this.#take(machine);
    this.#machines.delete(machine.address);
  }

  step(ms: number): void {
    this.nowMs += ms;
    for (const machine of this.#machines.values()) {
      machine.rings.native.setTime(START_US + this.nowMs * 1000);
    }
    const due = this.#flying.filter(({ atMs }) => atMs <= this.nowMs);
    this.#flying = this.#flying.filter(({ atMs }) => atMs > this.nowMs);
    for (const { from, to, bytes } of due.sort((a, b) => a.atMs - b.atMs)) {
      const machine = this.#machines.get(to);
      if (machine !== undefined && !machine.isDeaf) machine.rings.native.inject(from, bytes);
    }
    for (const machine of [...this.#machines.values()]) {
      machine.runtime.turn();
      this.#take(machine);
    }
  }

  #delayMs(): number {
    return this.#random.below(this.#random.chance(1, 10) ? DELAY_MS_ODD_MAX : DELAY_MS_MAX);
  }

  #take(machine: Machine): void {
    for (;;) {
      const sent = machine.rings.native.pollTransmit(this.#scratch);
      if (sent === null) return;
      if (machine.isMute || this.#random.chance(this.lossPerMille, 1000)) continue;
      const copies = this.#random.chance(1, 50) ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        this.#flying.push({
          atMs: this.nowMs + 1 + this.#delayMs(),
          from: machine.address,
          to: sent.address,
          bytes: this.#scratch.slice(0, sent.length),
        });
      }
    }
  }
}
