/**
 * The corpus of the rl1 target, which libFuzzer found in the Rust receiver, as flows for the comparison of
 * src/protocol with it. The format is that of native/fuzz/src/rl1.rs.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FlowConfig } from '../config.js';
import { PARAMS, paramsBytes } from '../encode.js';
import { type Play, replay } from '../generate.js';
import type { Step } from '../player.js';
import { corpusFolder } from './libfuzzer.js';

const PAYLOAD_BYTES_MAX = 1192;
const FROM_SERVER = 1;

export function rl1Corpus(): { file: string; play: Play }[] {
  const folder = corpusFolder('rl1');
  const files = readdirSync(folder).sort();
  return files.map((file) => ({ file, play: playOf(readFileSync(join(folder, file))) }));
}

/** Any bytes are a flow. */
export function playOf(bytes: Uint8Array): Play {
  const input = new Input(bytes);
  const flags = input.number(1);
  const config = configOf(flags);
  const steps: Step[] = [];
  let atUs = 0;
  if (flags & 4) {
    const sender = config.side === 'client' ? FROM_SERVER : 0;
    steps.push({ kind: 'in', atUs, hex: hexOf(paramsBytes({ ...PARAMS, flags: sender })) });
  }
  while (!input.isEmpty()) {
    const kind = input.number(1) & 3;
    if (kind === 2) {
      atUs += input.number(2) * 1024;
      steps.push({ kind: 'wait', atUs });
    } else if (kind === 3) {
      steps.push({ kind: 'send', atUs, channel: 0, mode: 3, length: 8 });
    } else {
      const payload = input.take(input.number(1));
      const zeros = kind === 1 ? input.number(2) : 0;
      const length = Math.min(payload.length + zeros, PAYLOAD_BYTES_MAX);
      const whole = new Uint8Array(Math.max(length, payload.length));
      whole.set(payload);
      // Netcode knows no empty payload.
      if (length > 0) steps.push({ kind: 'in', atUs, hex: hexOf(whole.subarray(0, length)) });
    }
  }
  return replay(config, steps);
}

function configOf(flags: number): FlowConfig {
  const limits =
    flags & 2
      ? {
          channels: 3,
          partials: 2,
          windowIds: 4,
          unreliableMessageBytes: 1024,
          messageBytes: 2048,
          receiveBudgetBytes: 3072,
        }
      : {
          channels: 32,
          partials: 8,
          windowIds: 512,
          unreliableMessageBytes: 16_384,
          messageBytes: 262_144,
          receiveBudgetBytes: 524_288,
        };
  return {
    side: flags & 1 ? 'client' : 'server',
    limits: { ...limits, firstSequence: 0, firstMessageId: flags & 8 ? 65_534 : 0 },
    seed: 1,
    startUs: 0,
  };
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** As native/fuzz/src/input.rs reads: past the end everything is zero and empty. */
class Input {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  isEmpty(): boolean {
    return this.at >= this.bytes.length;
  }

  take(length: number): Uint8Array {
    const taken = this.bytes.subarray(this.at, this.at + length);
    this.at += taken.length;
    return taken;
  }

  /** Little-endian. */
  number(bytes: number): number {
    return this.take(bytes).reduce((sum, byte, index) => sum + byte * 2 ** (8 * index), 0);
  }
}
