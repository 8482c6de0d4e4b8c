/**
 * A modelled TCP connection that carries small messages one way, as a game over TCP would: an ordered
 * byte stream with TCP_NODELAY, a segment for each message. What modern stacks do about loss is in it:
 * selective acknowledgements, RACK-TLP (RFC 8985), a retransmission timeout (RFC 6298) of at least 200 ms
 * as in Linux. What is left out is in TCP's favour: a congestion window (losses never shut it here),
 * delayed acknowledgements, the limit on SACK blocks, the handshake.
 *
 *   message ─▶ segment ─▶ link ─▶ log of arrivals ─▶ in order ─▶ application
 *      ▲                               │
 *      └── acknowledgement: length of the log, so all that arrived is known from any of them
 */
import { EventHeap } from '../event-heap.js';
import { FATE_CARRIED, Link } from './link.js';
import type { PathProfile } from './profile.js';

const EVENT_WRITE = 0;
const EVENT_SEGMENT = 1;
const EVENT_ACK = 2;
const EVENT_TIMER = 3;

/** TCP's header with timestamps, beyond the UDP header that the link counts. */
const HEADER_BYTES = 24;
const RTO_US_MIN = 200_000;
const RTO_US_MAX = 60_000_000;
const RTO_US_FIRST = 1_000_000;
const DUPLICATE_THRESHOLD = 3;

export interface TcpTraffic {
  seed: number;
  path: PathProfile;
  messageBytes: number;
  intervalUs: number;
  count: number;
}

interface Segment {
  sentUs: number;
  /** Sent and not acknowledged. */
  isInFlight: boolean;
  isAcked: boolean;
  isResent: boolean;
}

/** Latency of each message, µs, in order: written at the sender, read at the receiver. */
export function tcpLatencies(traffic: TcpTraffic): Float64Array {
  const model = new TcpModel(traffic);
  model.run();
  return model.latencyUs;
}

class TcpModel {
  readonly latencyUs: Float64Array;
  private nowUs = 0;
  private readonly agenda = new EventHeap();
  private readonly up: Link;
  private readonly down: Link;
  private readonly segments: Segment[] = [];
  /** First segment that is not acknowledged. */
  private oldest = 0;
  private srttUs = 0;
  private rttVarUs = 0;
  private leastRttUs = Number.POSITIVE_INFINITY;
  private rtoUs = RTO_US_FIRST;
  /** When the newest of the segments that arrived was sent. */
  private rackUs = -1;
  /** Highest segment that was acknowledged. */
  private highest = -1;
  private hasProbed = false;
  private timerUs = Number.POSITIVE_INFINITY;
  private lastSendUs = 0;
  // The receiver: segments in order of arrival, and how much of that the sender knows.
  private readonly log: number[] = [];
  private readonly arrived = new Set<number>();
  private nextInOrder = 0;
  private known = 0;

  constructor(private readonly traffic: TcpTraffic) {
    const { seed, path, count } = traffic;
    this.down = new Link(seed, 'tcp data', path.down);
    this.up = new Link(seed, 'tcp acks', path.up);
    this.latencyUs = new Float64Array(count);
    this.agenda.push(0, EVENT_WRITE, 0, 0);
  }

  run(): void {
    const { agenda } = this;
    while (agenda.pop()) {
      this.nowUs = agenda.timeUs;
      if (agenda.kind === EVENT_WRITE) this.write(agenda.a);
      else if (agenda.kind === EVENT_SEGMENT) this.receive(agenda.a);
      else if (agenda.kind === EVENT_ACK) this.acknowledged(agenda.a);
      else this.timer();
    }
  }

  private write(message: number): void {
    const { count, intervalUs } = this.traffic;
    if (message + 1 < count) {
      this.agenda.push((message + 1) * intervalUs, EVENT_WRITE, message + 1, 0);
    }
    this.segments.push({ sentUs: 0, isInFlight: false, isAcked: false, isResent: false });
    this.transmit(message);
    this.arm();
  }

  private transmit(index: number): void {
    const segment = this.segments[index];
    segment.isInFlight = true;
    segment.sentUs = this.nowUs;
    this.lastSendUs = this.nowUs;
    if (this.down.offer(this.nowUs, this.traffic.messageBytes + HEADER_BYTES) === FATE_CARRIED) {
      this.agenda.push(this.down.arriveUs, EVENT_SEGMENT, index, 0);
    }
  }

  private resend(index: number): void {
    this.segments[index].isResent = true;
    this.transmit(index);
  }

  private receive(index: number): void {
    if (!this.arrived.has(index)) {
      this.arrived.add(index);
      this.log.push(index);
    }
    while (this.arrived.has(this.nextInOrder)) {
      const writtenUs = this.nextInOrder * this.traffic.intervalUs;
      this.latencyUs[this.nextInOrder] = this.nowUs - writtenUs;
      this.nextInOrder += 1;
    }
    if (this.up.offer(this.nowUs, HEADER_BYTES) === FATE_CARRIED) {
      this.agenda.push(this.up.arriveUs, EVENT_ACK, this.log.length, 0);
    }
  }

  private acknowledged(logLength: number): void {
    const isNews = logLength > this.known;
    for (; this.known < logLength; this.known++) {
      const index = this.log[this.known];
      const segment = this.segments[index];
      segment.isAcked = true;
      this.highest = Math.max(this.highest, index);
      this.rackUs = Math.max(this.rackUs, segment.sentUs);
      if (!segment.isResent) this.sample(this.nowUs - segment.sentUs);
      segment.isInFlight = false;
    }
    while (this.segments[this.oldest]?.isAcked) this.oldest += 1;
    if (isNews) {
      this.hasProbed = false;
      this.rtoUs = this.freshRto();
    }
    this.detectLost();
    this.arm();
  }

  /** RFC 8985 §6.2: sent before something that arrived, and overdue by the reordering window. */
  private detectLost(): void {
    for (let index = this.oldest; index < this.highest; index++) {
      const segment = this.segments[index];
      if (!segment.isInFlight || segment.sentUs >= this.rackUs) continue;
      if (this.nowUs < this.overdueUs(index)) continue;
      this.resend(index);
    }
  }

  private overdueUs(index: number): number {
    const isPassed = this.highest - index >= DUPLICATE_THRESHOLD;
    const reorderUs = isPassed ? 0 : this.leastRttUs / 4;
    return this.segments[index].sentUs + this.srttUs + reorderUs;
  }

  private timer(): void {
    if (this.nowUs < this.timerUs) return;
    this.timerUs = Number.POSITIVE_INFINITY;
    if (this.oldest === this.segments.length) return;
    const isLossDue = this.lossUs() <= this.nowUs;
    if (isLossDue) this.detectLost();
    else if (!this.hasProbed && this.srttUs > 0) {
      // RFC 8985 §7.3: the last segment again, to be told of what is missing before it.
      this.hasProbed = true;
      this.resend(this.segments.length - 1);
    } else {
      this.rtoUs = Math.min(RTO_US_MAX, this.rtoUs * 2);
      this.hasProbed = true;
      this.resend(this.oldest);
    }
    this.arm();
  }

  /** When the first segment that was passed by another is overdue. */
  private lossUs(): number {
    let atUs = Number.POSITIVE_INFINITY;
    for (let index = this.oldest; index < this.highest; index++) {
      const { isInFlight, sentUs } = this.segments[index];
      if (isInFlight && sentUs < this.rackUs) atUs = Math.min(atUs, this.overdueUs(index));
    }
    return atUs;
  }

  private arm(): void {
    if (this.oldest === this.segments.length) return;
    const probeUs = 2 * this.srttUs;
    const waitUs = this.hasProbed || this.srttUs === 0 ? this.rtoUs : Math.min(probeUs, this.rtoUs);
    const atUs = Math.ceil(Math.min(this.lossUs(), this.lastSendUs + waitUs));
    this.timerUs = Math.max(atUs, this.nowUs + 1);
    this.agenda.push(this.timerUs, EVENT_TIMER, 0, 0);
  }

  private sample(rttUs: number): void {
    this.leastRttUs = Math.min(this.leastRttUs, rttUs);
    if (this.srttUs === 0) {
      this.srttUs = rttUs;
      this.rttVarUs = rttUs / 2;
      return;
    }
    this.rttVarUs += (Math.abs(this.srttUs - rttUs) - this.rttVarUs) / 4;
    this.srttUs += (rttUs - this.srttUs) / 8;
  }

  private freshRto(): number {
    if (this.srttUs === 0) return RTO_US_FIRST;
    return Math.max(RTO_US_MIN, this.srttUs + 4 * this.rttVarUs);
  }
}
