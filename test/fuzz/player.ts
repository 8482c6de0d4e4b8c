/** Plays steps against a Protocol and writes down what the Rust receiver is asked about them. */
import { EVENT_NONE, Protocol, ROLE_CLIENT, ROLE_SERVER } from '../../src/protocol/protocol.js';
import { answerOf } from '../support/rl1-answers.js';
import { type FlowConfig, flowLine } from './config.js';

/** µs since the flow began; steps of one flow never go back. */
export type Step =
  | { kind: 'in'; atUs: number; hex: string }
  | { kind: 'send'; atUs: number; channel: number; mode: number; length: number }
  | { kind: 'wait'; atUs: number }
  /** The other end came from another address. */
  | { kind: 'move'; atUs: number; portOnly: boolean }
  | { kind: 'close'; atUs: number; code: number };

/** A question to the Rust receiver and what it must answer. */
export interface Question {
  lines: string[];
  answer: string;
  /** Index of the step that it belongs to. */
  step: number;
}

const PAYLOAD_BYTES_MAX = 1192;
const PACKETS_PER_STEP_MAX = 32;
const MARGIN_BYTES = 16;

export class Player {
  readonly questions: Question[] = [];
  /** The packets that the Protocol sent in the last step. */
  sent: Uint8Array[] = [];
  private readonly protocol: Protocol;
  private readonly out = new Uint8Array(PAYLOAD_BYTES_MAX);
  private readonly data = new Uint8Array(4096).fill(0x5a);
  private lines: string[];
  private steps = 0;
  private ready = false;

  constructor(private readonly config: FlowConfig) {
    this.protocol = new Protocol({
      maxFlows: 1,
      seed: config.seed,
      registryHash: 0,
      maxAckDelayUs: 25_000,
      limits: config.limits,
    });
    this.lines = [flowLine(config)];
    const role = config.side === 'client' ? ROLE_CLIENT : ROLE_SERVER;
    this.protocol.openFlow(0, role, config.startUs, PAYLOAD_BYTES_MAX);
    this.transmit(config.startUs);
  }

  /** The answer to a payload, '' for other steps. Throws when the Protocol breaks its invariants. */
  play(step: Step): string {
    const nowUs = (this.config.startUs + step.atUs) | 0;
    this.sent = [];
    let answer = '';
    this.protocol.handleTimeout(nowUs);
    this.lines.push(`time ${step.atUs}`);
    if (step.kind === 'in') {
      answer = this.receive(nowUs, Buffer.from(step.hex, 'hex'));
      this.ask(`in ${step.hex}`, answer);
      this.ready = this.ready || answer.includes(' | ready');
    } else if (this.ready) {
      // Not before: what was queued may turn out too large, which only this side knows.
      this.act(step, nowUs);
    }
    this.transmit(nowUs);
    this.protocol.checkInvariants();
    this.steps += 1;
    return answer;
  }

  private act(step: Step, nowUs: number): void {
    if (step.kind === 'send') {
      const { channel, mode, length } = step;
      this.protocol.send(0, nowUs, channel, mode, this.data, 0, length, 0, 0, 0);
    } else if (step.kind === 'move') {
      this.protocol.pathChanged(0, nowUs, step.portOnly);
    } else if (step.kind === 'close') {
      this.lines.push('close');
      this.protocol.close(0, nowUs, step.code, null);
    }
  }

  /** Nothing may be left of a flow that is freed. */
  end(): void {
    this.protocol.freeFlow(0);
    while (this.protocol.pollEvent() !== EVENT_NONE) {}
    this.protocol.checkInvariants();
    const left = Object.entries(this.protocol.pools()).filter(([, count]) => count !== 0);
    if (left.length > 0) {
      throw new Error(`left after the end: ${JSON.stringify(left)}`);
    }
  }

  /** In the middle of other bytes, so that a read beyond the payload shows. */
  private receive(nowUs: number, payload: Uint8Array): string {
    const bytes = new Uint8Array(payload.length + 2 * MARGIN_BYTES).fill(0xb5);
    bytes.set(payload, MARGIN_BYTES);
    return answerOf(this.protocol, nowUs, bytes, MARGIN_BYTES, payload.length);
  }

  private transmit(nowUs: number): void {
    for (let count = 0; count < PACKETS_PER_STEP_MAX; count += 1) {
      const length = this.protocol.pollTransmit(nowUs, this.out, 0, this.out.length);
      if (length === 0) {
        return;
      }
      this.sent.push(this.out.slice(0, length));
      this.ask(`sent ${Buffer.from(this.out.subarray(0, length)).toString('hex')}`, 'ok');
    }
  }

  private ask(line: string, answer: string): void {
    this.lines.push(line);
    this.questions.push({ lines: this.lines, answer, step: this.steps });
    this.lines = [];
  }
}
