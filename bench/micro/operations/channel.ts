/**
 * One message through the whole RL1 core in memory: `send`, `pollTransmit`, `handlePacket`, `pollEvent`, by
 * mode, both ends in one process. Ends acknowledge to the rules, so a tenth of an acknowledgement and
 * what timers do is in each.
 */
import {
  EVENT_MESSAGE,
  EVENT_NONE,
  MODE_RELIABLE_ORDERED,
  MODE_RELIABLE_UNORDERED,
  MODE_UNRELIABLE,
  MODE_UNRELIABLE_SEQUENCED,
  Protocol,
  ROLE_CLIENT,
  ROLE_SERVER,
} from '../../../src/protocol/protocol.js';
import { PACKET_BYTES } from '../../../src/util/limits.js';
import type { Operation } from './operation.js';

const MODES: readonly [string, number][] = [
  ['unreliable', MODE_UNRELIABLE],
  ['unreliable-sequenced', MODE_UNRELIABLE_SEQUENCED],
  ['reliable-unordered', MODE_RELIABLE_UNORDERED],
  ['reliable-ordered', MODE_RELIABLE_ORDERED],
];
const MESSAGE_BYTES = 100;
const STEP_US = 100;

export function channelOperations(): Operation[] {
  return MODES.map(([name, mode]) => {
    const pair = new Pair(mode);
    return {
      group: 'channel',
      name: `send and receive, ${name}`,
      run: () => pair.exchange(),
      expected: MESSAGE_BYTES + 0x5a,
      bytes: MESSAGE_BYTES,
    };
  });
}

class Pair {
  private readonly client = newProtocol(1);
  private readonly server = newProtocol(2);
  private readonly data = new Uint8Array(MESSAGE_BYTES).fill(0x5a);
  private readonly wire = new Uint8Array(PACKET_BYTES);
  private nowUs = 0;
  private received = 0;

  constructor(private readonly mode: number) {
    this.client.openFlow(0, ROLE_CLIENT, this.nowUs, PACKET_BYTES);
    this.server.openFlow(0, ROLE_SERVER, this.nowUs, PACKET_BYTES);
    for (let step = 0; step < 100; step += 1) this.step();
  }

  /** What the server received for the one message: its length and last byte. */
  exchange(): number {
    this.client.send(0, this.nowUs, 0, this.mode, this.data, 0, MESSAGE_BYTES, 0, 0, 0);
    this.received = 0;
    this.step();
    return this.received;
  }

  private step(): void {
    this.carry(this.client, this.server);
    this.carry(this.server, this.client);
    this.nowUs = (this.nowUs + STEP_US) | 0;
    this.client.handleTimeout(this.nowUs);
    this.server.handleTimeout(this.nowUs);
  }

  private carry(from: Protocol, to: Protocol): void {
    const { wire, nowUs } = this;
    for (;;) {
      const length = from.pollTransmit(nowUs, wire, 0, wire.length);
      if (length === 0) return;
      to.handlePacket(0, nowUs, nowUs, wire, 0, length);
      for (let kind = to.pollEvent(); kind !== EVENT_NONE; kind = to.pollEvent()) {
        if (kind !== EVENT_MESSAGE) continue;
        const { bytes, offset, length: size } = to.event;
        this.received += size + bytes[offset + size - 1];
      }
    }
  }
}

function newProtocol(seed: number): Protocol {
  return new Protocol({ maxFlows: 1, seed, registryHash: 1, maxAckDelayUs: 25_000 });
}
