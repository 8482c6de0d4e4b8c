/** What one fuzzed flow is: side, limits, where numbers begin; all drawn from its seed. */
import type { ProtocolLimits } from '../../src/protocol/protocol.js';
import type { Prng } from '../../src/util/prng.js';

export interface FlowConfig {
  side: 'client' | 'server';
  limits: Required<
    Pick<
      ProtocolLimits,
      | 'channels'
      | 'partials'
      | 'windowIds'
      | 'unreliableMessageBytes'
      | 'messageBytes'
      | 'receiveBudgetBytes'
      | 'firstSequence'
      | 'firstMessageId'
    >
  > &
    Pick<ProtocolLimits, 'reassemblyBytes'>;
  /** Of the Protocol: where it leaves numbers out. */
  seed: number;
  /** int32; some flows begin shortly before it wraps. */
  startUs: number;
}

const DEFAULTS = {
  channels: 32,
  partials: 8,
  windowIds: 512,
  unreliableMessageBytes: 16384,
  messageBytes: 262144,
  receiveBudgetBytes: 524288,
};

export function drawConfig(prng: Prng): FlowConfig {
  const limits = prng.chance(1, 2) ? { ...DEFAULTS } : smallLimits(prng);
  const firstMessageId = prng.chance(1, 2) ? 0 : 65500 + prng.below(36);
  return {
    side: prng.chance(3, 4) ? 'server' : 'client',
    limits: {
      ...limits,
      firstSequence: prng.chance(1, 2) ? prng.below(0x10000) : 65500 + prng.below(36),
      firstMessageId,
    },
    seed: prng.nextInt32(),
    startUs: prng.chance(1, 2) ? 0 : 0x7fffffff - 1_000_000,
  };
}

/** A receiver that takes little meets its limits early. */
export function smallLimits(prng: Prng): typeof DEFAULTS {
  const messageBytes = 1024 + prng.below(5000);
  return {
    channels: 1 + prng.below(9),
    partials: 1 + prng.below(3),
    windowIds: 1 + prng.below(12),
    unreliableMessageBytes: 1024 + prng.below(4000),
    messageBytes,
    receiveBudgetBytes: messageBytes + prng.below(6000),
  };
}

/** The line that tells the Rust receiver about the flow. */
export function flowLine({ side, limits }: FlowConfig): string {
  const words = [
    side,
    limits.channels,
    limits.partials,
    limits.windowIds,
    limits.unreliableMessageBytes,
    limits.messageBytes,
    limits.receiveBudgetBytes,
    limits.firstMessageId,
  ];
  return `flow ${words.join(' ')}`;
}
