import type { Engine } from './engine.js';
import { Violation } from './oracle/violation.js';

/** What a run of one seed came to. */
export interface RunResult {
  seed: number;
  level: 'core' | 'native';
  /** Over all events; the same seed has the same hash everywhere. */
  hash: string;
  worldUs: number;
  events: number;
  /** Datagrams given to the network. */
  datagrams: number;
  /** Messages accepted by `send`, and given to applications. */
  messagesSent: number;
  messagesDelivered: number;
  flows: number;
  /** How often what happened: fates of datagrams, refusals and tallies, by name. */
  seen: Record<string, number>;
  failure: RunFailure | null;
}

export interface RunFailure {
  oracle: string;
  message: string;
  atUs: number;
}

/** Adds the counts of `from` to those of `to`. */
export function addCounts(
  to: Record<string, number>,
  from: Readonly<Record<string, number>>,
): void {
  for (const [name, count] of Object.entries(from)) to[name] = (to[name] ?? 0) + count;
}

/** Counters and their names as a record. */
export function countsOf(
  names: readonly string[],
  values: ArrayLike<number>,
): Record<string, number> {
  return Object.fromEntries(names.map((name, index) => [name, values[index]]));
}

/** Plays the phases of a world; a Violation becomes the run's failure, and a line of its trace. */
export function failureOf(world: Engine, phases: () => void): RunFailure | null {
  try {
    phases();
    return null;
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    world.trace?.world(world.nowUs, `VIOLATION ${error.message}`);
    return { oracle: error.oracle, message: error.message, atUs: world.nowUs };
  }
}
