/**
 * The load for peers whose client is JavaScript too: what native/bench/src/load does, in its words. It
 * decides what is sent when, counts and times; a client only carries.
 *
 * Closed loop: a window of messages in flight per flow; each echo makes room for the next. Paced: each
 * flow at its own fixed times, whatever comes back. Times count from when a message was meant to leave.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Prng } from '../../../src/util/prng.js';
import type { Connected, LoadMark } from '../../suite/words.js';
import { Recorder } from './recorder.js';

/** All flows of the load on one peer. */
export interface PeerClient {
  /** Resolves when messages can be sent on it. */
  open(flow: number): Promise<void>;
  /** `message` is used again after the call. */
  send(flow: number, message: Buffer): void;
}

/** A client is made with what it calls for each message that comes. */
export type OpenClient = (options: LoadOptions, heard: Heard) => Promise<PeerClient>;
export type Heard = (message: Uint8Array) => void;

export interface LoadOptions {
  host: string;
  port: number;
  flows: number;
  /** 0: a closed loop. */
  hz: number;
  window: number;
  payloadBytes: number;
  /** Sleep between sends instead of looking at the clock all the time. */
  sleeps: boolean;
}

/** Flow, number and time at the front of a message, 32 bits each, little-endian. */
const HEAD_BYTES = 12;
/** Connections half open at a time. */
const PENDING = 16;
/** What is reliable comes back in this time after the last send, or is lost. */
const TAIL_MS = 2_000;

export class LoadEngine {
  private client!: PeerClient;
  private readonly inFlight: Uint32Array;
  private readonly message: Buffer;
  private readonly rtt = new Recorder();
  private readonly lag = new Recorder();
  private readonly phasesUs: Float64Array;
  private isRunning = false;
  private runs = 0;
  private offered = 0;
  private delivered = 0;
  private strange = 0;
  private seq = 0;
  private stretchUs = 0;

  constructor(private readonly options: LoadOptions) {
    const { flows, hz, payloadBytes } = options;
    this.inFlight = new Uint32Array(flows);
    this.message = Buffer.alloc(payloadBytes);
    const prng = new Prng(1); // the same phases in every run
    const share = (): number => (prng.nextInt32() >>> 0) / 2 ** 32;
    this.phasesUs = new Float64Array(hz > 0 ? flows : 0).map(() => (share() * 1e6) / hz);
    this.phasesUs.sort();
  }

  async prepare(open: OpenClient): Promise<void> {
    this.client = await open(this.options, (message) => this.hear(message));
  }

  async connect(): Promise<Connected> {
    const startMs = performance.now();
    let next = 0;
    let connected = 0;
    const opener = async (): Promise<void> => {
      while (next < this.options.flows) {
        const flow = next;
        next += 1;
        await this.client.open(flow);
        connected += 1;
      }
    };
    await Promise.all(Array.from({ length: PENDING }, opener));
    return { connected, closed: 0, seconds: (performance.now() - startMs) / 1000 };
  }

  run(): void {
    this.isRunning = true;
    this.runs += 1;
    this.startStretch();
    if (this.options.hz > 0) void this.pace(this.runs);
    else this.fillWindows();
  }

  mark(): LoadMark {
    const { user, system } = process.cpuUsage();
    const mark = {
      offered: this.offered,
      delivered: this.delivered,
      strange: this.strange,
      rttNs: this.rtt.take(),
      lagNs: this.lag.take(),
      cpuNs: (user + system) * 1000,
      wallNs: Number(process.hrtime.bigint()),
    };
    this.startStretch();
    return mark;
  }

  async pause(): Promise<LoadMark> {
    this.isRunning = false;
    const untilMs = performance.now() + TAIL_MS;
    while (performance.now() < untilMs && this.inFlight.some((count) => count > 0)) await sleep(1);
    return this.mark();
  }

  private startStretch(): void {
    this.offered = 0;
    this.delivered = 0;
    this.rtt.take();
    this.lag.take();
    this.stretchUs = nowUs();
  }

  private fillWindows(): void {
    for (let flow = 0; flow < this.options.flows; flow += 1) {
      while (this.inFlight[flow] < this.options.window) this.send(flow, nowUs());
    }
  }

  private async pace(run: number): Promise<void> {
    const { hz, flows, sleeps } = this.options;
    let cycleUs = nowUs();
    let next = 0;
    while (this.isRunning && run === this.runs) {
      const us = nowUs();
      for (let dueUs = cycleUs + this.phasesUs[next]; dueUs <= us; ) {
        this.lag.record((us - dueUs) * 1000);
        this.send(next, dueUs);
        next += 1;
        if (next === flows) {
          next = 0;
          cycleUs += 1e6 / hz;
        }
        dueUs = cycleUs + this.phasesUs[next];
      }
      if (sleeps) await sleep(1);
      else await new Promise(setImmediate);
    }
  }

  private send(flow: number, dueUs: number): void {
    this.message.writeUInt32LE(flow, 0);
    this.message.writeUInt32LE(this.seq, 4);
    this.message.writeUInt32LE(dueUs >>> 0, 8);
    this.seq = (this.seq + 1) >>> 0;
    this.offered += 1;
    this.inFlight[flow] += 1;
    this.client.send(flow, this.message);
  }

  private hear(message: Uint8Array): void {
    if (message.length < HEAD_BYTES) {
      this.strange += 1;
      return;
    }
    const view = new DataView(message.buffer, message.byteOffset, message.length);
    const flow = view.getUint32(0, true);
    if (flow >= this.options.flows || this.inFlight[flow] === 0) {
      this.strange += 1;
      return;
    }
    this.inFlight[flow] -= 1;
    const us = nowUs();
    const sentUs = view.getUint32(8, true);
    if (sentUs >= Math.floor(this.stretchUs)) {
      this.delivered += 1;
      this.rtt.record(Math.max(0, us - sentUs) * 1000);
    }
    if (this.isRunning && this.options.hz === 0) this.send(flow, us);
  }
}

/** Since the process began: below 2^32 for an hour. */
function nowUs(): number {
  return performance.now() * 1000;
}
