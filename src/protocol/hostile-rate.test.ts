/** What a peer can do to the rate at which it is sent to. */
import t from 'tap';
import { defaultParams, packet } from '../../test/support/rl1-packets.js';
import {
  EVENT_NONE,
  MODE_RELIABLE_ORDERED,
  MODE_UNRELIABLE,
  Protocol,
  ProtocolStats,
  ROLE_SERVER,
} from './protocol.js';

const WAY_US = 15_000;

/** A server past PARAMS; the peer is in our hands. */
class Target {
  readonly protocol: Protocol;
  nowUs = 0;
  /** Packet numbers sent, with when they reach the peer. */
  readonly sent: { atUs: number; number: number; bytes: number }[] = [];
  private readonly out = new Uint8Array(1200);
  private readonly stats = new ProtocolStats();
  private sequence = 0;

  constructor() {
    const options = { maxFlows: 1, seed: 3, registryHash: 0, maxAckDelayUs: 25_000 };
    this.protocol = new Protocol(options);
    this.protocol.openFlow(0, ROLE_SERVER, 0, 1200);
    this.give(defaultParams(false));
  }

  give(bytes: Uint8Array): void {
    this.protocol.handlePacket(0, this.nowUs, this.nowUs, bytes, 0, bytes.length);
    while (this.protocol.pollEvent() !== EVENT_NONE);
    this.drain();
  }

  say(frames: number[], largest?: number): void {
    const ack = largest === undefined ? undefined : { largest };
    this.give(packet(this.sequence++ & 0xffff, frames, ack));
  }

  send(mode: number, bytes: number): void {
    this.protocol.send(0, this.nowUs, 1, mode, new Uint8Array(bytes), 0, bytes, 0, 0, 0);
    this.drain();
  }

  wait(us: number): void {
    this.nowUs += us;
    if (this.protocol.hasDeadline && ((this.protocol.deadlineUs - this.nowUs) | 0) <= 0) {
      this.protocol.handleTimeout(this.nowUs);
      this.drain();
    }
  }

  get figures(): ProtocolStats {
    this.protocol.stats(0, this.stats);
    return this.stats;
  }

  private drain(): void {
    for (;;) {
      const bytes = this.protocol.pollTransmit(this.nowUs, this.out, 0, 1200);
      if (bytes === 0) return;
      const number = (this.out[1] ?? 0) | ((this.out[2] ?? 0) << 8);
      if (this.out[0] !== 0x47) this.sent.push({ atUs: this.nowUs + WAY_US, number, bytes });
    }
  }
}

t.test('a peer that makes us acknowledge does not keep our data from leaving', async (t) => {
  const target = new Target();
  for (let round = 0; round < 20_000; round += 1) {
    target.wait(125);
    target.say([1]);
  }
  const before = target.sent.length;
  target.send(MODE_RELIABLE_ORDERED, 200);
  t.equal(target.sent.length, before + 1, 'at once');
});

// Four times what was delivered is as far as a start goes; without a bound it was forty times.
t.test('acknowledgements that come at once do not look like a faster path', async (t) => {
  const target = new Target();
  const { protocol, sent } = target;
  let before = 0;
  let after = 0;
  while (target.nowUs < 250_000) {
    for (let k = 0; k < 4; k += 1) {
      if (protocol.queuedBytes(0) < 500_000) target.send(MODE_RELIABLE_ORDERED, 1000);
    }
    target.wait(20);
    const isHeld = target.nowUs > 120_000 && target.nowUs < 180_000;
    if (!isHeld && (sent[0]?.atUs ?? Infinity) + WAY_US <= target.nowUs) {
      target.say([], sent.shift()?.number);
    }
    if (target.nowUs <= 120_000) before = target.figures.rateBytesPerS;
    after = Math.max(after, target.figures.rateBytesPerS);
  }
  t.ok(before > 100_000, `${before} B/s before`);
  t.ok(after < 6 * before, `at most ${after} B/s after ${before}`);
});

t.test('an acknowledgement after a quarter of an hour is no round trip', async (t) => {
  const target = new Target();
  for (let index = 0; index < 7; index += 1) {
    target.send(MODE_UNRELIABLE, 8);
    target.wait(1000);
  }
  const numbers = target.sent.map(({ number }) => number);
  target.nowUs += 20_000;
  target.say([], numbers[6]);
  while (target.nowUs < 1_060_000_000) target.wait(1_000_000);
  for (const index of [5, 4, 3]) target.say([], numbers[index]);
  t.ok(target.figures.srttUs < 1_000_000, `${target.figures.srttUs} µs`);
  const before = target.sent.length;
  target.send(MODE_RELIABLE_ORDERED, 8);
  for (let tick = 0; tick < 1000; tick += 1) target.wait(1024);
  t.ok(target.sent.length - before < 30, `${target.sent.length - before} packets in a second`);
});
