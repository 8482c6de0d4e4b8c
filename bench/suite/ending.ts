/** However the program ends, what it started ends with it. */
import { constants } from 'node:os';
import { watchParent } from '../match/parent-watch.js';
import { killAll } from './line-process.js';

/** Signals, the parent's death and a closed output end the program; its children at every exit. */
export function endWithParent(): void {
  process.on('exit', killAll);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
  }
  watchParent(() => process.exit(1));
  process.stdout.on('error', () => process.exit(1));
}
