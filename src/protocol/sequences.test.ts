import { readFileSync } from 'node:fs';
import t from 'tap';
import { answerOf } from '../../test/support/rl1-answers.js';
import { defaultParams, packet } from '../../test/support/rl1-packets.js';
import { PacketHeader, parseHeader } from './header.js';
import { Protocol, type ProtocolLimits, ROLE_CLIENT, ROLE_SERVER } from './protocol.js';

interface SequenceVector {
  name: string;
  side: 'client' | 'server';
  limits: ProtocolLimits;
  steps: { atUs: number; hex: string; answer: string }[];
}

interface FloorVector {
  name: string;
  steps: ({ receive: number; acks: number | null } | { send: true; named: number[] })[];
}

function vectors<T>(name: string): T {
  const url = new URL(`../../test/vectors/rl1/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as T;
}

function opened(side: 'client' | 'server', limits: ProtocolLimits): Protocol {
  const options = { maxFlows: 1, seed: 1, registryHash: 0, maxAckDelayUs: 25_000, limits };
  const protocol = new Protocol(options);
  protocol.openFlow(0, side === 'client' ? ROLE_CLIENT : ROLE_SERVER, 0, 1200);
  return protocol;
}

for (const vector of vectors<SequenceVector[]>('sequences')) {
  t.test(`vector: ${vector.name}`, async (t) => {
    const protocol = opened(vector.side, vector.limits);
    vector.steps.forEach(({ atUs, hex, answer }, index) => {
      if (protocol.hasDeadline) {
        protocol.handleTimeout(atUs);
      }
      const payload = new Uint8Array(Buffer.from(hex, 'hex'));
      t.equal(answerOf(protocol, atUs, payload), answer, `step ${index}`);
      protocol.checkInvariants();
    });
  });
}

/** The numbers that a block names, by the words of docs/wire/rl1.md §3. */
function namedBy(bytes: Uint8Array): number[] {
  const header = new PacketHeader();
  parseHeader(bytes, 0, bytes.length, header);
  const named = Array.from({ length: header.run + 1 }, (_, back) => header.largest - back);
  const first = header.largest - (header.run === 255 ? 256 : header.run + 2);
  for (let index = 0; index < header.bitmapBytes * 8; index += 1) {
    if (((bytes[header.bitmapOffset + (index >> 3)] ?? 0) >> (index & 7)) & 1) {
      named.push(first - index);
    }
  }
  return named.map((number) => number & 0xffff);
}

for (const vector of vectors<FloorVector[]>('floors')) {
  t.test(`vector: ${vector.name}`, async (t) => {
    const protocol = opened('server', {});
    const out = new Uint8Array(1200);
    const sent: number[] = [];
    answerOf(protocol, 0, defaultParams(false));
    t.equal(protocol.pollTransmit(0, out, 0, 1200), 28, 'PARAMS');
    for (const step of vector.steps) {
      if ('receive' in step) {
        const largest = sent[step.acks ?? -1];
        const ping = packet(step.receive, [1], largest === undefined ? undefined : { largest });
        t.equal(answerOf(protocol, 0, ping), 'accept');
      } else {
        const length = protocol.pollTransmit(0, out, 0, 1200);
        t.ok(length > 0, 'a PING is answered at once');
        t.same(namedBy(out.subarray(0, length)), step.named);
        sent.push((out[1] ?? 0) | ((out[2] ?? 0) << 8));
      }
    }
  });
}
