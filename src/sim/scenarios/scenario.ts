/** A named scenario: conditions, what must hold, and what was measured. */
import { Violation } from '../oracle/violation.js';
import { type Variation, withVariation } from './variation.js';

/** In the order in which it is shown. */
export type Measured = Record<string, string>;

export interface Outcome {
  passed: boolean;
  measured: Measured;
}

export interface Scenario {
  /** T01 … of the list in docs/TESTING.md. */
  id: string;
  title: string;
  conditions: string;
  criterion: string;
  /** Plays it on its fixed seeds. */
  run(): Outcome;
}

/** What cannot be promised yet. `run` shows where it stands. */
export interface PendingScenario {
  id: string;
  title: string;
  reason: string;
  run?(): Outcome;
}

/** Runs a scenario; a broken invariant is a failure that says so. */
export function play(scenario: Pick<Scenario, 'run'>, variation: Variation = {}): Outcome {
  try {
    return withVariation(variation, () => scenario.run());
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    return { passed: false, measured: { broken: error.message } };
  }
}

export function ms(us: number): string {
  return `${(us / 1000).toFixed(1)} ms`;
}

export function percent(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`;
}
