/** A farm's worker: plays a chunk of seeds. */
import { addCounts, type Level, type RunResult, runSeed } from '../../src/sim/index.js';

export interface Chunk {
  first: number;
  last: number;
  level: Level;
  profile: string | null;
}

export interface ChunkResult {
  seeds: number;
  datagrams: number;
  messagesDelivered: number;
  worldUs: number;
  /** XOR of the hashes' low halves: equal on every machine. */
  hash: number;
  seen: Record<string, number>;
  failures: RunResult[];
}

export default function playChunk(chunk: Chunk): ChunkResult {
  const { first, last, level, profile } = chunk;
  const sum: ChunkResult = {
    seeds: 0,
    datagrams: 0,
    messagesDelivered: 0,
    worldUs: 0,
    hash: 0,
    seen: {},
    failures: [],
  };
  for (let seed = first; seed <= last; seed++) {
    const result = play(seed, level, profile);
    sum.seeds += 1;
    sum.datagrams += result.datagrams;
    sum.messagesDelivered += result.messagesDelivered;
    sum.worldUs += result.worldUs;
    addCounts(sum.seen, result.seen);
    sum.hash ^= Number.parseInt(result.hash.slice(8), 16);
    if (result.failure !== null) sum.failures.push(result);
  }
  return sum;
}

/** An error that no oracle raised is a finding too. */
function play(seed: number, level: Level, profile: string | null): RunResult {
  try {
    return runSeed({ seed, level, profile });
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return {
      seed,
      level,
      hash: '0'.repeat(16),
      worldUs: 0,
      events: 0,
      datagrams: 0,
      messagesSent: 0,
      messagesDelivered: 0,
      flows: 0,
      seen: {},
      failure: { oracle: 'crash', message, atUs: 0 },
    };
  }
}
