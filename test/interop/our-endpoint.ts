/**
 * Our endpoint (src/addon, real sockets) with the same words as a foreign peer: it echoes every
 * payload, or drives payloads and compares their echoes, and its events are awaited by name.
 *
 * One turn per wake: drain → rx ring → tx ring → flush.
 */

import { type Driver, Endpoint, type FlowRef } from '../../src/addon/index.js';
import {
  CLOSE_REASONS,
  RX_CLOSED,
  RX_OPENED,
  RX_PAYLOAD,
  RX_REPLACED,
  TX_DISCONNECT,
  TX_PAYLOAD,
} from '../../src/addon/layout.js';
import { type Line, Mailbox } from './mailbox.js';
import { fillPayload, payloadLength } from './payloads.js';
import { PayloadStream } from './stream.js';
import { PROTOCOL_ID, toHex } from './world.js';

/** Inside the bytes of an OPENED descriptor (u64 client id first). */
const OPENED_TIMEOUT = 28;
const OPENED_USER_DATA = 36;
const USER_DATA_BYTES = 256;
/** Payloads sent and not yet echoed: below the 256 that foreign receive queues hold. */
const WINDOW = 48;
const SCRATCH_BYTES = 2048;
/** No player sends 10,000 payloads in a second; by default the second half would be dropped. */
const ANY_AMOUNT = { packetsPerFlow: null, bytesPerFlow: null };

export interface ServerSettings {
  readonly privateKey: Uint8Array;
  readonly maxFlows?: number;
  readonly maxPayloadBytes?: number;
  /** An IPv6 literal instead of 127.0.0.1. */
  readonly host?: string;
  /** One that was free a moment ago. */
  readonly port?: number;
  readonly maxTokenLifetimeS?: number;
  readonly driver?: Driver;
  readonly tickIntervalUs?: number;
}

export interface OpenedFlow extends FlowRef {
  readonly clientId: bigint;
  readonly timeoutSeconds: number;
  readonly userData: string;
}

interface Drive {
  readonly flow: FlowRef;
  readonly count: number;
  readonly seed: number;
  readonly maxBytes: number;
  sent: number;
  matched: number;
}

export class OurEndpoint {
  /** Lengths of the payloads that came in, when `echoes` is false. */
  readonly received: number[] = [];
  /** False: payloads are noted in `received` instead of echoed. */
  echoes = true;
  readonly #endpoint: Endpoint;
  readonly #mailbox = new Mailbox();
  readonly #scratch = new Uint8Array(SCRATCH_BYTES);
  #drive: Drive | null = null;
  #stream: PayloadStream | null = null;

  private constructor(open: (onWake: () => void) => Endpoint) {
    this.#endpoint = open(() => this.#turn());
  }

  static server(settings: ServerSettings): OurEndpoint {
    const config = {
      host: '127.0.0.1',
      protocolId: PROTOCOL_ID,
      admission: ANY_AMOUNT,
      ...settings,
    };
    return new OurEndpoint((onWake) => Endpoint.openServer(config, onWake));
  }

  static client(host = '127.0.0.1'): OurEndpoint {
    return new OurEndpoint((onWake) => Endpoint.openClient({ host }, onWake));
  }

  get address(): string {
    const { host, port, family } = this.#endpoint.address();
    return family === 6 ? `[${host}]:${port}` : `${host}:${port}`;
  }

  next(event: string): Promise<Line> {
    return this.#mailbox.next(event);
  }

  has(event: string): boolean {
    return this.#mailbox.has(event);
  }

  async nextOpened(): Promise<OpenedFlow> {
    const line = await this.next('opened');
    return {
      slot: Number(line.slot),
      generation: Number(line.generation),
      clientId: BigInt(line.clientId),
      timeoutSeconds: Number(line.timeoutSeconds),
      userData: String(line.userData),
    };
  }

  counter(name: string): number {
    const names = this.#endpoint.counterNames();
    const index = names.indexOf(name);
    if (index < 0) throw new Error(`no counter is called ${name}`);
    const values = new Float64Array(names.length);
    this.#endpoint.counters(values);
    return values[index];
  }

  connect(token: Uint8Array): FlowRef {
    const flow = this.#endpoint.connect(token);
    this.#endpoint.flush();
    return flow;
  }

  /** Sends `count` payloads and compares their echoes; ends with the event `driven`. */
  drive(flow: FlowRef, count: number, seed: number, maxBytes: number): void {
    this.#drive = { flow, count, seed, maxBytes, sent: 0, matched: 0 };
    this.#fillWindow();
    this.#endpoint.flush();
  }

  /**
   * Sends `count` payloads that may get lost; `stream-sent` when all are out. What is driven next ends
   * it with `streamed`, before `driven`.
   */
  stream(flow: FlowRef, count: number, seed: number, maxBytes: number): void {
    this.#stream = new PayloadStream(flow, count, seed, maxBytes, WINDOW);
    this.#fillWindow();
    this.#endpoint.flush();
  }

  disconnect(flow: FlowRef): void {
    this.#reserve(0);
    this.#endpoint.txCommit(TX_DISCONNECT, flow.slot, flow.generation, 0);
    this.#endpoint.flush();
  }

  close(): void {
    this.#endpoint.close();
    this.#mailbox.fail('our endpoint is closed');
  }

  #turn(): void {
    const endpoint = this.#endpoint;
    endpoint.drain();
    while (endpoint.rxPoll()) this.#handleDescriptor();
    endpoint.rxRelease();
    this.#fillWindow();
    endpoint.flush();
  }

  #handleDescriptor(): void {
    const { kind, slot, generation, aux0, aux1 } = this.#endpoint;
    if (kind === RX_PAYLOAD) {
      this.#handlePayload();
    } else if (kind === RX_OPENED) {
      this.#mailbox.post({ event: 'opened', slot, generation, ...this.#readOpened() });
    } else if (kind === RX_CLOSED) {
      this.#mailbox.post({ event: 'closed', slot, generation, reason: CLOSE_REASONS[aux0] });
    } else if (kind === RX_REPLACED) {
      const by = { bySlot: aux0, byGeneration: aux1 };
      this.#mailbox.post({ event: 'replaced', slot, generation, ...by });
    }
  }

  #readOpened(): { clientId: string; timeoutSeconds: number; userData: string } {
    const { view, bytes, offset } = this.#endpoint;
    const userData = offset + OPENED_USER_DATA;
    return {
      clientId: view.getBigUint64(offset, true).toString(),
      timeoutSeconds: view.getInt32(offset + OPENED_TIMEOUT, true),
      userData: toHex(bytes.slice(userData, userData + USER_DATA_BYTES)),
    };
  }

  #handlePayload(): void {
    const { bytes, slot, generation, offset, length } = this.#endpoint;
    const drive = this.#drive;
    if (this.#isStreamEcho({ slot, generation })) return;
    if (drive !== null && drive.flow.slot === slot && drive.flow.generation === generation) {
      this.#checkEcho(drive);
    } else if (this.echoes) {
      const at = this.#reserve(length);
      bytes.copyWithin(at, offset, offset + length);
      this.#endpoint.txCommit(TX_PAYLOAD, slot, generation, length);
    } else {
      this.received.push(length);
    }
  }

  /** Checks the echoes of a stream. The first one of a drive ends it. */
  #isStreamEcho({ slot, generation }: FlowRef): boolean {
    const stream = this.#stream;
    if (stream === null || stream.flow.slot !== slot || stream.flow.generation !== generation) {
      return false;
    }
    if (this.#drive !== null && this.#isDue(this.#drive)) {
      const { sent, arrived } = stream;
      this.#mailbox.post({ event: 'streamed', sent, arrived });
      this.#stream = null;
      return false;
    }
    const { bytes, offset, length } = this.#endpoint;
    const wrong = stream.take(Buffer.from(bytes.buffer, bytes.byteOffset + offset, length));
    if (wrong !== null) this.#mailbox.fail(wrong);
    return true;
  }

  #isDue(drive: Drive): boolean {
    const { bytes, offset, length } = this.#endpoint;
    const expected = this.#scratch;
    const due = fillPayload(drive.seed, drive.matched, drive.maxBytes, expected, 0);
    const echo = Buffer.from(bytes.buffer, bytes.byteOffset + offset, length);
    return drive.matched < drive.sent && echo.compare(expected.subarray(0, due)) === 0;
  }

  #checkEcho(drive: Drive): void {
    const { length } = this.#endpoint;
    if (!this.#isDue(drive)) {
      this.#mailbox.fail(`echo ${drive.matched} of ${length} B differs from its payload`);
      return;
    }
    drive.matched += 1;
    if (drive.matched === drive.count) {
      this.#drive = null;
      this.#mailbox.post({ event: 'driven', sent: drive.sent, matched: drive.matched });
    }
  }

  #fillWindow(): void {
    this.#fillStream();
    const drive = this.#drive;
    if (drive === null) return;
    const { flow, seed, maxBytes } = drive;
    while (drive.sent < drive.count && drive.sent - drive.matched < WINDOW) {
      const at = this.#reserve(payloadLength(drive.sent, maxBytes));
      const length = fillPayload(seed, drive.sent, maxBytes, this.#endpoint.bytes, at);
      this.#endpoint.txCommit(TX_PAYLOAD, flow.slot, flow.generation, length);
      drive.sent += 1;
    }
  }

  #fillStream(): void {
    const stream = this.#stream;
    if (stream === null || stream.sent === stream.count) return;
    const { slot, generation } = stream.flow;
    for (let length = stream.due; length > 0; length = stream.due) {
      const at = this.#reserve(length);
      stream.write(this.#endpoint.bytes, at);
      this.#endpoint.txCommit(TX_PAYLOAD, slot, generation, length);
    }
    if (stream.sent === stream.count) this.#mailbox.post({ event: 'stream-sent' });
  }

  /** The window keeps the ring far from full. */
  #reserve(bytes: number): number {
    const at = this.#endpoint.txReserve(bytes);
    if (at < 0) throw new Error('the tx ring is full');
    return at;
  }
}
