import type { RecordableHistogram } from 'node:perf_hooks';

/** Inputs in flight that are still timed: a minute at 60 a second. */
const INPUTS_MAX = 4096;

/**
 * Round trips through the game: from when an input was due to when a snapshot that has seen it
 * arrives. Every input counts, also those that share a snapshot after a stall.
 */
export class AckTimer {
  private readonly dueMs = new Float64Array(INPUTS_MAX);
  private sentSeq = 0;
  private ackedSeq = 0;

  onInput(seq: number, dueMs: number): void {
    this.dueMs[seq % INPUTS_MAX] = dueMs;
    this.sentSeq = seq;
  }

  /** Records microseconds for every input between the last ack and this one. */
  onAck(seq: number, nowMs: number, histograms: readonly RecordableHistogram[]): void {
    const newest = Math.min(seq, this.sentSeq);
    const oldest = Math.max(this.ackedSeq + 1, this.sentSeq - INPUTS_MAX + 1);
    for (let acked = oldest; acked <= newest; acked += 1) {
      const us = Math.max(1, Math.round((nowMs - this.dueMs[acked % INPUTS_MAX]) * 1000));
      for (const histogram of histograms) histogram.record(us);
    }
    if (newest > this.ackedSeq) this.ackedSeq = newest;
  }

  /** Inputs without an answer yet. */
  get outstanding(): number {
    return this.sentSeq - this.ackedSeq;
  }
}
