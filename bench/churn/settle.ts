/** When a server at rest has nobody left who was not there before. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ServerCounts } from './messages.js';

const LOOK_MS = 1000;
/** The last timer that fired is kept by who might have had to stop it. */
const TIMERS_KEPT = 2;

interface Counted {
  state: ServerCounts;
}

export interface SettleOptions {
  /** All the time that it may need. */
  graceMs: number;
  /** Default: once a second. */
  lookMs?: number;
  signal?: AbortSignal;
}

/** What is there in the end and was not at first. Tokens are remembered until they expire. */
export function leftOf(fresh: Counted, final: Counted): string[] {
  const left: string[] = [];
  const compare = (name: string, before: number, after: number, slack = 0) => {
    if (after > before + slack) left.push(`${name}: ${before} before, ${after} left`);
  };
  for (const name of ['players', 'suspended', 'flows', 'pending', 'fds'] as const) {
    compare(name, fresh.state[name], final.state[name]);
  }
  for (const part of ['handles', 'objects'] as const) {
    for (const [name, after] of Object.entries(final.state[part])) {
      const slack = part === 'objects' && name === 'Timeout' ? TIMERS_KEPT : 0;
      compare(`${part}: ${name}`, fresh.state[part][name] ?? 0, after, slack);
    }
  }
  return left;
}

/** The sample, with objects, in which nothing is left, or the first one after all the time. */
export async function settle<Sample extends Counted>(
  server: { sample(withObjects: boolean): Promise<Sample> },
  fresh: Sample,
  { graceMs, lookMs = LOOK_MS, signal }: SettleOptions,
): Promise<Sample> {
  const startMs = performance.now();
  for (;;) {
    // Objects are looked at once nothing else is left: that visits the whole heap.
    const isOver = performance.now() - startMs > graceMs;
    if (isOver || leftOf(fresh, await server.sample(false)).length === 0) {
      const sample = await server.sample(true);
      if (isOver || leftOf(fresh, sample).length === 0) return sample;
    }
    await pause(lookMs, undefined, { signal });
  }
}
