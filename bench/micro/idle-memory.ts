/**
 * node --expose-gc dist/bench/micro/idle-memory.js [flows]
 *
 * Bytes of JavaScript memory per idle flow: `flows` server flows that had their handshake and a few
 * messages of four channels each way, then said nothing more. Counted are the heap and the array
 * buffers, their spare room included, the event loop's own memory not.
 */
import {
  EVENT_NONE,
  MODE_RELIABLE_ORDERED,
  MODE_UNRELIABLE_SEQUENCED,
  Protocol,
  ROLE_CLIENT,
  ROLE_SERVER,
} from '../../src/protocol/protocol.js';

const PAYLOAD_BYTES = 1192;
/** Time between two handshakes; what a flow starts is over by then. */
const TURN_US = 400_000;
const MESSAGE = new Uint8Array(100);

function usedBytes(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function newProtocol(maxFlows: number): Protocol {
  return new Protocol({ maxFlows, seed: 1, registryHash: 1, maxAckDelayUs: 25_000 });
}

/** Carries everything from slot `fromSlot` of `from` to slot `toSlot` of `to`. */
function pump(from: Protocol, to: Protocol, toSlot: number, nowUs: number): void {
  const wire = new Uint8Array(1280);
  for (;;) {
    const length = from.pollTransmit(nowUs, wire, 0, wire.length);
    if (length === 0) {
      return;
    }
    to.handlePacket(toSlot, nowUs, nowUs, wire, 0, length);
    while (to.pollEvent() !== EVENT_NONE) {
      // taken
    }
  }
}

/** A control and a game channel, reliable, and inputs against snapshots. */
function talk(server: Protocol, slot: number, client: Protocol, nowUs: number): void {
  for (let round = 0; round < 3; round += 1) {
    const end = (nowUs + round * 1000) | 0;
    for (const channel of [0, 31]) {
      server.send(slot, end, channel, MODE_RELIABLE_ORDERED, MESSAGE, 0, 100, 0, 0, 0);
      client.send(0, end, channel, MODE_RELIABLE_ORDERED, MESSAGE, 0, 100, 0, 0, 0);
    }
    server.send(slot, end, 1, MODE_UNRELIABLE_SEQUENCED, MESSAGE, 0, 100, 0, 0, 0);
    client.send(0, end, 1, MODE_UNRELIABLE_SEQUENCED, MESSAGE, 0, 100, 0, 0, 2);
    pump(client, server, slot, end);
    pump(server, client, 0, end);
  }
  for (let at = 30_000; at < TURN_US; at += 30_000) {
    const laterUs = (nowUs + at) | 0;
    client.handleTimeout(laterUs);
    server.handleTimeout(laterUs);
    pump(client, server, slot, laterUs);
    pump(server, client, 0, laterUs);
  }
}

function bytesPerIdleFlow(flows: number): number {
  const before = usedBytes();
  const server = newProtocol(flows);
  // One client after another, each gone again; the server keeps them all.
  const client = newProtocol(1);
  for (let slot = 0; slot < flows; slot += 1) {
    const nowUs = (slot * TURN_US) | 0;
    client.openFlow(0, ROLE_CLIENT, nowUs, PAYLOAD_BYTES);
    server.openFlow(slot, ROLE_SERVER, nowUs, PAYLOAD_BYTES);
    pump(client, server, slot, nowUs);
    pump(server, client, 0, nowUs);
    talk(server, slot, client, nowUs);
    client.freeFlow(0);
  }
  const { packets, messages, sendBytes } = server.pools();
  if (packets + messages + sendBytes > 0) {
    throw new Error('the flows are not idle');
  }
  return (usedBytes() - before) / flows;
}

const flows = Number(process.argv[2] ?? 100_000);
console.log(`${bytesPerIdleFlow(flows).toFixed(0)} B per idle flow, ${flows} flows`);
