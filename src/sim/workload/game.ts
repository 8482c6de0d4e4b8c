/**
 * The traffic of the first game on this transport (a platform brawler), as measured: snapshots at the
 * tick, newest wins; inputs on change and at least every 50 ms, the last three in each; a few events
 * and now and then the state of the match. Sizes are those of its FlatBuffers messages.
 */
import {
  MODE_RELIABLE_ORDERED,
  MODE_RELIABLE_UNORDERED,
  MODE_UNRELIABLE_SEQUENCED,
} from '../../protocol/api.js';
import { Stream } from '../random.js';
import type { Speaker, Workload, WorkloadLimits } from './workload.js';

const CHANNEL_STATE = 0;
const CHANNEL_SNAPSHOT = 1;
const CHANNEL_EVENT = 2;
const CHANNEL_INPUT = 3;
/** Snapshot bytes with 2, 4, 8, 16 and 64 players. */
const SNAPSHOT_BYTES = [112, 232, 408, 760, 2872];
const INPUT_BYTES = 36;
const INPUT_KEEP_ALIVE_US = 50_000;
const INPUT_REDUNDANCY = 2;
const EVENT_BYTES = [26, 143] as const;
const STATE_BYTES = 244;
/** A match state changes a few times a minute: one tick in this many at 60 Hz. */
const STATE_EVERY_TICKS = 900;
/** 3 to 8 events per second and match: one tick in this many at 60 Hz. */
const EVENT_EVERY_TICKS = 11;

export class GameServerWorkload implements Workload {
  nextUs: number;
  private readonly random: Stream;
  private readonly startUs: number;
  private readonly snapshotBytes: number;
  private tick = 0;

  constructor(
    seed: number,
    index: number,
    startUs: number,
    private readonly tickHz: number,
    private readonly limits: WorkloadLimits,
    snapshotBytes?: number,
  ) {
    this.random = new Stream(seed, 'game server', index);
    this.snapshotBytes = snapshotBytes ?? this.random.pick(SNAPSHOT_BYTES);
    this.startUs = startUs;
    this.nextUs = startUs;
  }

  act(nowUs: number, speaker: Speaker): void {
    const { random } = this;
    // Ticks that a stalled server missed are skipped, as a game skips them.
    while (this.nextUs <= nowUs) {
      this.tick += 1;
      this.nextUs = this.startUs + Math.round((this.tick * 1_000_000) / this.tickHz);
    }
    const wanted = this.snapshotBytes + random.between(0, 64);
    const bytes = Math.min(wanted, this.limits.unreliableMessageBytes);
    speaker.send(CHANNEL_SNAPSHOT, MODE_UNRELIABLE_SEQUENCED, bytes, 0, 1, 0);
    if (random.isHit(1, EVENT_EVERY_TICKS)) {
      const length = random.between(EVENT_BYTES[0], EVENT_BYTES[1]);
      speaker.send(CHANNEL_EVENT, MODE_RELIABLE_UNORDERED, length, 0, 0, 0);
    }
    if (random.isHit(1, STATE_EVERY_TICKS)) {
      speaker.send(CHANNEL_STATE, MODE_RELIABLE_ORDERED, STATE_BYTES, 0, 0, 0);
    }
  }
}

export class GameClientWorkload implements Workload {
  nextUs: number;
  private readonly random: Stream;

  constructor(seed: number, index: number, startUs: number) {
    this.random = new Stream(seed, 'game client', index);
    this.nextUs = startUs;
  }

  act(nowUs: number, speaker: Speaker): void {
    const { random } = this;
    const bytes = INPUT_BYTES + 12 * random.between(0, 2);
    speaker.send(CHANNEL_INPUT, MODE_UNRELIABLE_SEQUENCED, bytes, 0, 0, INPUT_REDUNDANCY);
    if (random.isHit(1, 200)) {
      speaker.send(CHANNEL_STATE, MODE_RELIABLE_ORDERED, random.between(8, 60), 0, 0, 0);
    }
    // Fighting: a change every one to three frames; otherwise the keep-alive.
    const frames = random.isHit(3, 5) ? random.between(1, 3) : 0;
    this.nextUs = nowUs + (frames > 0 ? frames * 16_667 : INPUT_KEEP_ALIVE_US);
  }
}
