/**
 * Echoes many payloads between two endpoints with nothing but drain, poll, commit and flush, and
 * prints how much the JavaScript heap grew. Run with small semi-spaces, so that garbage shows as
 * scavenges, and from a clock near 2^31 µs, so that a time that leaves the small integers shows too.
 */
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Endpoint } from '../../../src/addon/endpoint.js';
import { RX_PAYLOAD, TX_PAYLOAD } from '../../../src/addon/layout.js';
import { type Flow, openPair } from '../peers.js';

const BATCH = 64;
const PAYLOAD_BYTES = 100;
const WARM_UP_BATCHES = 2_000;
const BATCHES = Number(process.argv[2] ?? 4_000);

const nowUs = Number(process.hrtime.bigint() / 1000n);
const clockOffsetUs = 2 ** 31 - 1_000_000 + 2 ** 32 - (nowUs % 2 ** 32);
const { server, client, atServer, atClient } = await openPair(
  {
    clockOffsetUs,
    receiveBufferBytes: 1 << 20,
    // Faster than any player.
    admission: { packetsPerFlow: null, bytesPerFlow: null },
  },
  { clockOffsetUs, receiveBufferBytes: 1 << 20 },
);
const serverEnd = server.endpoint;
const clientEnd = client.endpoint;
let checksum = 0;

function takePayloads(endpoint: Endpoint, answerTo: Flow | null): number {
  endpoint.drain();
  let count = 0;
  while (endpoint.rxPoll()) {
    if (endpoint.kind !== RX_PAYLOAD) continue;
    checksum = (checksum + endpoint.bytes[endpoint.offset] + endpoint.arrivalUs) | 0;
    count++;
    if (answerTo !== null) commit(endpoint, answerTo, endpoint.length);
  }
  endpoint.rxRelease();
  endpoint.setDeadline((endpoint.nowUs + 1_000_000) | 0);
  endpoint.flush();
  return count;
}

function commit(endpoint: Endpoint, flow: Flow, length: number): void {
  const at = endpoint.txReserve(length);
  endpoint.bytes[at] = length & 0xff;
  endpoint.txCommit(TX_PAYLOAD, flow.slot, flow.generation, length);
}

function run(batches: number): number {
  let packets = 0;
  for (let batch = 0; batch < batches; batch++) {
    for (let i = 0; i < BATCH; i++) commit(clientEnd, atClient, PAYLOAD_BYTES);
    clientEnd.flush();
    packets += takePayloads(serverEnd, atServer);
    packets += takePayloads(clientEnd, null);
  }
  return packets;
}

let records = 0;
let scavenges = 0;
type GcEntry = PerformanceEntry & { detail: { kind: number } };

/** Garbage of packets shows as scavenges; V8 also collects the rest when some time has passed. */
function count(entries: PerformanceEntry[]): void {
  records += entries.length;
  for (const entry of entries as GcEntry[]) {
    if (entry.detail.kind === constants.NODE_PERFORMANCE_GC_MINOR) scavenges++;
  }
}
const observer = new PerformanceObserver((list) => count(list.getEntries()));
observer.observe({ entryTypes: ['gc'] });

run(WARM_UP_BATCHES);
// Its own record comes some rounds of the loop later; it is taken out of the count.
global.gc?.();
for (let round = 0; round < 20 && records === 0; round++) {
  await new Promise((resolve) => setImmediate(resolve));
}
await new Promise((resolve) => setImmediate(resolve));
observer.takeRecords();
scavenges = 0;
const before = getHeapStatistics().used_heap_size;
const startNs = process.hrtime.bigint();
const packets = run(BATCHES);
const elapsedNs = Number(process.hrtime.bigint() - startNs);
const grown = getHeapStatistics().used_heap_size - before;
await new Promise((resolve) => setImmediate(resolve));
count(observer.takeRecords());
clientEnd.close();
serverEnd.close();
const report = {
  packets,
  expected: BATCHES * BATCH * 2,
  scavenges,
  grownBytes: grown,
  bytesPerPacket: grown / packets,
  nsPerPacket: Math.round(elapsedNs / packets),
  checksum,
};
process.stdout.write(`${JSON.stringify(report)}\n`);
observer.disconnect();
