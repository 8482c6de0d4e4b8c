import { SEND_FULL } from '../../protocol/api.js';
import type { Speaker, Workload } from './workload.js';

export interface SteadyOptions {
  channel?: number;
  mode: number;
  bytes: number;
  /** Per act. */
  messages?: number;
  intervalUs: number;
  fromUs?: number;
  /** No act at or after this. */
  toUs?: number;
  redundancy?: number;
  expiresUs?: number;
  key?: number;
  wantsReceipt?: boolean;
}

/** The same messages at a fixed rate. */
export class SteadyWorkload implements Workload {
  nextUs: number;
  refused = 0;
  private readonly options: Required<SteadyOptions>;

  constructor(options: SteadyOptions) {
    this.options = {
      channel: 0,
      messages: 1,
      fromUs: 0,
      toUs: Number.POSITIVE_INFINITY,
      redundancy: 0,
      expiresUs: 0,
      key: 0,
      wantsReceipt: false,
      ...options,
    };
    this.nextUs = this.options.fromUs;
  }

  act(nowUs: number, speaker: Speaker): void {
    const { channel, mode, bytes, messages, expiresUs, key, redundancy } = this.options;
    const { wantsReceipt } = this.options;
    while (this.nextUs <= nowUs) {
      for (let i = 0; i < messages; i++) {
        const code = speaker.send(channel, mode, bytes, expiresUs, key, redundancy, wantsReceipt);
        if (code >= SEND_FULL) this.refused += 1;
      }
      this.nextUs += this.options.intervalUs;
    }
    if (this.nextUs >= this.options.toUs) this.nextUs = Number.POSITIVE_INFINITY;
  }
}

/** Always something to send: offers messages until `send` refuses, and again a little later. */
export class GreedyWorkload implements Workload {
  nextUs: number;
  private left: number;

  constructor(
    private readonly channel: number,
    private readonly mode: number,
    private readonly bytes: number,
    fromUs: number,
    count = Number.POSITIVE_INFINITY,
    private readonly intervalUs = 5_000,
    private readonly wantsReceipt = false,
  ) {
    this.nextUs = fromUs;
    this.left = count;
  }

  act(nowUs: number, speaker: Speaker): void {
    while (this.left > 0) {
      const { channel, mode, bytes, wantsReceipt } = this;
      if (speaker.send(channel, mode, bytes, 0, 0, 0, wantsReceipt) >= SEND_FULL) break;
      this.left -= 1;
    }
    this.nextUs = this.left > 0 ? nowUs + this.intervalUs : Number.POSITIVE_INFINITY;
  }
}

/** Several at once. */
export class Together implements Workload {
  nextUs = 0;

  constructor(private readonly parts: readonly Workload[]) {
    this.follow();
  }

  act(nowUs: number, speaker: Speaker): void {
    for (const part of this.parts) if (part.nextUs <= nowUs) part.act(nowUs, speaker);
    this.follow();
  }

  private follow(): void {
    this.nextUs = Number.POSITIVE_INFINITY;
    for (const part of this.parts) this.nextUs = Math.min(this.nextUs, part.nextUs);
  }
}
