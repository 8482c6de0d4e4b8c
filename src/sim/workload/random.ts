/**
 * Anything that is legal: phases of silence, of steady talk, bursts and bulk, over some channels, all
 * modes, sizes from nothing to the largest message, with and without expiry, keys, redundancy and receipts.
 */
import { SEND_FULL } from '../../protocol/api.js';
import { Stream } from '../random.js';
import type { Speaker, Workload, WorkloadLimits } from './workload.js';

/** Sizes, each class with a weight; the last two are for messages in pieces. */
const SIZES: readonly (readonly [weight: number, low: number, high: number])[] = [
  [2, 0, 3],
  [40, 4, 64],
  [36, 65, 300],
  [8, 301, 1000],
  [6, 1001, 1260],
  [6, 1261, 4096],
  [2, 4097, 16_384],
];
const SIZE_WEIGHTS = SIZES.reduce((sum, [weight]) => sum + weight, 0);
const BULK_BYTES = [16_385, 262_144] as const;
const HELD_BACK_MAX = 64;

interface Message {
  channel: number;
  mode: number;
  length: number;
  expiresUs: number;
  key: number;
  redundancy: number;
  wantsReceipt: boolean;
}

export class RandomWorkload implements Workload {
  nextUs: number;
  private readonly phases: Stream;
  private readonly messages: Stream;
  private readonly receipts: Stream;
  private readonly channels: number[] = [];
  private readonly modes: number[] = [];
  private phaseEndUs: number;
  private intervalUs = 0;
  private perAct = 0;
  /** Reliable messages that were refused for now, oldest first. */
  private readonly heldBack: Message[] = [];

  constructor(
    seed: number,
    index: number,
    startUs: number,
    private readonly limits: WorkloadLimits,
  ) {
    this.phases = new Stream(seed, 'workload phases', index);
    this.messages = new Stream(seed, 'workload messages', index);
    this.receipts = new Stream(seed, 'workload receipts', index);
    const shape = new Stream(seed, 'workload shape', index);
    const count = shape.between(1, Math.min(limits.channels, 6));
    for (let i = 0; i < count; i++) this.channels.push(shape.between(0, limits.channels - 1));
    const modes = shape.between(1, 15);
    for (let mode = 0; mode < 4; mode++) if ((modes & (1 << mode)) !== 0) this.modes.push(mode);
    this.phaseEndUs = startUs;
    this.nextUs = startUs;
  }

  act(nowUs: number, speaker: Speaker): void {
    this.offerAgain(speaker);
    if (nowUs >= this.phaseEndUs) this.startPhase(nowUs);
    for (let i = 0; i < this.perAct; i++) this.say(speaker, this.draw());
    this.nextUs = nowUs + this.intervalUs;
  }

  private startPhase(nowUs: number): void {
    const { phases } = this;
    const kind = phases.between(0, 9);
    this.phaseEndUs = nowUs + phases.between(100_000, 1_500_000);
    if (kind < 2) {
      this.perAct = 0; // silence
      this.intervalUs = this.phaseEndUs - nowUs;
    } else if (kind < 8) {
      this.perAct = phases.between(1, 3); // talk
      this.intervalUs = Math.round(1_000_000 / phases.pick([10, 20, 30, 60, 60, 128]));
    } else {
      this.perAct = phases.between(10, 120); // a burst, then silence
      this.intervalUs = this.phaseEndUs - nowUs;
    }
  }

  private draw(): Message {
    const random = this.messages;
    const channel = random.pick(this.channels);
    const mode = random.pick(this.modes);
    const length = this.drawLength(mode);
    const isPlain = length < 4;
    const expires = random.isHit(1, 8) ? random.between(1_000, 300_000) : 0;
    const key = random.isHit(1, 8) ? random.between(1, 7) : 0;
    const redundancy = random.isHit(1, 6) ? random.between(1, 7) : 0;
    const wantsReceipt = this.receipts.isHit(1, 5);
    return {
      channel,
      mode,
      length,
      expiresUs: isPlain ? 0 : expires,
      key: isPlain ? 0 : key,
      redundancy,
      wantsReceipt: wantsReceipt && !isPlain,
    };
  }

  private drawLength(mode: number): number {
    const random = this.messages;
    const most = mode >= 2 ? this.limits.messageBytes : this.limits.unreliableMessageBytes;
    const isBulk = random.isHit(1, 400);
    let weight = random.between(0, SIZE_WEIGHTS - 1);
    let row = 0;
    while (weight >= SIZES[row][0]) {
      weight -= SIZES[row][0];
      row += 1;
    }
    const length = random.between(SIZES[row][1], SIZES[row][2]);
    const bulk = random.between(BULK_BYTES[0], BULK_BYTES[1]);
    return Math.min(isBulk && mode >= 2 ? bulk : length, most);
  }

  private say(speaker: Speaker, message: Message): void {
    if (this.offer(speaker, message) || message.mode < 2) return;
    if (this.heldBack.length < HELD_BACK_MAX) this.heldBack.push(message);
  }

  private offerAgain(speaker: Speaker): void {
    while (this.heldBack.length > 0 && this.offer(speaker, this.heldBack[0])) {
      this.heldBack.shift();
    }
  }

  private offer(speaker: Speaker, message: Message): boolean {
    const { channel, mode, length, expiresUs, key, redundancy, wantsReceipt } = message;
    const code = speaker.send(channel, mode, length, expiresUs, key, redundancy, wantsReceipt);
    return code !== SEND_FULL;
  }
}
