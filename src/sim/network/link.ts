/**
 * One direction of a path, sans-IO: `offer` says what becomes of a packet that is given to it now.
 *
 *   offer ─▶ dark? ─▶ queue and rate ─▶ loss, bursts ─▶ corrupt ─▶ delay, jitter, reorder ─▶ duplicate
 *
 * Every concern draws from its own stream.
 *
 * Invariant: offered = Σ fates; without reordering, packets arrive in the order they were offered.
 */
import { hitsBelow, Stream } from '../random.js';
import type { LinkProfile } from './profile.js';

export const FATE_CARRIED = 0;
export const FATE_LOST = 1;
export const FATE_LOST_IN_BURST = 2;
export const FATE_QUEUE_FULL = 3;
/** 4 … name the kinds of darkness, see DARK_… */
export const FATE_BLACKHOLE = 4;
export const FATE_PARTITION = 5;
export const FATE_ONE_WAY = 6;
/** Used by the world: nobody has this address, or the flow there is another one by now. */
export const FATE_UNMAPPED = 7;
export const FATE_NAMES: readonly string[] = [
  'carried',
  'lost',
  'lost-in-burst',
  'queue-full',
  'blackhole',
  'partition',
  'one-way',
  'unmapped',
];

/** Reasons of darkness, a mask: they may overlap. */
export const DARK_BLACKHOLE = 1;
export const DARK_PARTITION = 2;
export const DARK_ONE_WAY = 4;

/** Headers that the link carries beside a payload of ours: IPv4 and UDP. */
const IP_UDP_BYTES = 28;
/** Departures remembered for a queue that is bounded in packets; the bound is below this. */
const DEPARTURES = 1024;
const DEPARTURES_MASK = DEPARTURES - 1;

export class Link {
  /** Mask of DARK_…: while not 0, everything is lost. */
  dark = 0;
  /** What the last offer decided, world µs; `copyUs` is −1 without a duplicate. */
  arriveUs = 0;
  copyUs = -1;
  /** −1, or the bit that is flipped. */
  corruptBit = -1;
  /** By fate. */
  readonly counters = new Float64Array(FATE_NAMES.length);
  readonly bytes = new Float64Array(FATE_NAMES.length);
  copies = 0;
  private readonly loss: Stream;
  private readonly burst: Stream;
  private readonly corrupt: Stream;
  private readonly jitter: Stream;
  private readonly reorder: Stream;
  private readonly duplicate: Stream;
  private readonly pause: Stream;
  private profile!: LinkProfile;
  private lossBelow = 0;
  private toBadBelow = 0;
  private toGoodBelow = 0;
  private lossInBadBelow = 0;
  private corruptBelow = 0;
  private reorderBelow = 0;
  private duplicateBelow = 0;
  private isBad = false;
  private burstPackets = 0;
  /** When the limited link has sent all that waits. */
  private idleAtUs = 0;
  private readonly departures = new Float64Array(DEPARTURES);
  private departuresHead = 0;
  private departuresTail = 0;
  private lastArriveUs = 0;
  private pauseFromUs = 0;
  private pauseToUs = 0;

  constructor(seed: number, name: string, profile: LinkProfile) {
    this.loss = new Stream(seed, `${name} loss`);
    this.burst = new Stream(seed, `${name} burst`);
    this.corrupt = new Stream(seed, `${name} corrupt`);
    this.jitter = new Stream(seed, `${name} jitter`);
    this.reorder = new Stream(seed, `${name} reorder`);
    this.duplicate = new Stream(seed, `${name} duplicate`);
    this.pause = new Stream(seed, `${name} pause`);
    this.setProfile(profile);
  }

  /** Other conditions from now on; what is on its way stays on its way. */
  setProfile(profile: LinkProfile): void {
    if (profile.queuePackets >= DEPARTURES) throw new RangeError('queuePackets is above 1023');
    this.profile = profile;
    this.lossBelow = hitsBelow(profile.loss);
    this.corruptBelow = hitsBelow(profile.corrupt);
    this.reorderBelow = hitsBelow(profile.reorder);
    this.duplicateBelow = hitsBelow(profile.duplicate);
    const { burst } = profile;
    this.toBadBelow = burst === null ? 0 : hitsBelow(burst.toBad);
    this.toGoodBelow = burst === null ? 0 : hitsBelow(burst.toGood);
    this.lossInBadBelow = burst === null ? 0 : hitsBelow(burst.lossInBad);
    if (burst === null) this.isBad = false;
  }

  /** How long a packet offered now would wait for those before it, in µs. */
  queueUs(nowUs: number): number {
    return Math.max(0, this.idleAtUs - nowUs);
  }

  /** A packet of `payloadBytes` is given to the link; answers its fate. */
  offer(nowUs: number, payloadBytes: number): number {
    const fate = this.decide(nowUs, payloadBytes);
    this.counters[fate] += 1;
    this.bytes[fate] += payloadBytes;
    return fate;
  }

  private decide(nowUs: number, payloadBytes: number): number {
    const { profile } = this;
    if (this.dark !== 0) return this.darkFate();
    let atUs = nowUs;
    if (profile.rateBitsPerS > 0) {
      atUs = this.passQueue(nowUs, payloadBytes + IP_UDP_BYTES);
      if (atUs < 0) return FATE_QUEUE_FULL;
    }
    if (this.lossBelow > 0 && this.loss.hit(this.lossBelow)) return FATE_LOST;
    if (this.toBadBelow > 0 && this.losesInBurst()) return FATE_LOST_IN_BURST;
    this.corruptBit = -1;
    if (this.corruptBelow > 0 && this.corrupt.hit(this.corruptBelow)) {
      this.corruptBit = this.corrupt.between(0, payloadBytes * 8 - 1);
    }
    this.arriveUs = this.arrival(atUs);
    this.copyUs = -1;
    if (this.duplicateBelow > 0 && this.duplicate.hit(this.duplicateBelow)) {
      this.copyUs = this.arriveUs + this.duplicate.between(0, profile.delayUs);
      this.copies += 1;
    }
    return FATE_CARRIED;
  }

  private darkFate(): number {
    if ((this.dark & DARK_BLACKHOLE) !== 0) return FATE_BLACKHOLE;
    return (this.dark & DARK_PARTITION) !== 0 ? FATE_PARTITION : FATE_ONE_WAY;
  }

  /** When the last bit has left, or −1 when the queue has no room. */
  private passQueue(nowUs: number, bytes: number): number {
    const { rateBitsPerS, queueBytes, queuePackets } = this.profile;
    const startUs = Math.max(nowUs, this.idleAtUs);
    const waitingBytes = ((startUs - nowUs) * rateBitsPerS) / 8_000_000;
    if (queueBytes > 0 && waitingBytes + bytes > queueBytes) return -1;
    if (queuePackets > 0 && this.waitingPackets(nowUs) >= queuePackets) return -1;
    this.idleAtUs = startUs + Math.ceil((bytes * 8_000_000) / rateBitsPerS);
    if (queuePackets > 0) {
      this.departures[this.departuresTail] = this.idleAtUs;
      this.departuresTail = (this.departuresTail + 1) & DEPARTURES_MASK;
    }
    return this.idleAtUs;
  }

  private waitingPackets(nowUs: number): number {
    while (
      this.departuresHead !== this.departuresTail &&
      this.departures[this.departuresHead] <= nowUs
    ) {
      this.departuresHead = (this.departuresHead + 1) & DEPARTURES_MASK;
    }
    return (this.departuresTail - this.departuresHead) & DEPARTURES_MASK;
  }

  private losesInBurst(): boolean {
    const packetsMax = this.profile.burst?.packetsMax ?? 0;
    if (this.isBad && packetsMax > 0 && this.burstPackets >= packetsMax) this.isBad = false;
    const isLost = this.isBad && this.burst.hit(this.lossInBadBelow);
    this.burstPackets = this.isBad ? this.burstPackets + 1 : 0;
    if (this.burst.hit(this.isBad ? this.toGoodBelow : this.toBadBelow)) this.isBad = !this.isBad;
    return isLost;
  }

  private arrival(departUs: number): number {
    const { profile } = this;
    let atUs = departUs + profile.delayUs;
    if (profile.jitterUs > 0) {
      const sum =
        this.jitter.between(0, profile.jitterUs) + this.jitter.between(0, profile.jitterUs);
      atUs += sum >> 1;
    }
    if (profile.pauseEveryUs > 0) atUs = this.afterPause(atUs);
    if (this.reorderBelow > 0 && this.reorder.hit(this.reorderBelow)) {
      return atUs + this.reorder.between(1, profile.reorderUs);
    }
    if (atUs < this.lastArriveUs) atUs = this.lastArriveUs;
    this.lastArriveUs = atUs;
    return atUs;
  }

  /** A packet that would arrive during a pause arrives at its end. */
  private afterPause(atUs: number): number {
    const { pauseEveryUs, pauseUs } = this.profile;
    while (atUs >= this.pauseToUs) {
      const half = pauseEveryUs >> 1;
      this.pauseFromUs = this.pauseToUs + this.pause.between(half, pauseEveryUs + half);
      this.pauseToUs = this.pauseFromUs + this.pause.between(pauseUs >> 1, pauseUs);
    }
    return atUs >= this.pauseFromUs ? this.pauseToUs : atUs;
  }
}
