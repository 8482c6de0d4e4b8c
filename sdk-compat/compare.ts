/** Whether two runs of one program came to the same, and what the contract lets differ. */
import type { Transcript } from './transcript.js';

/** What became of one run of a program, as its client knows it. */
export interface RunOfClient {
  lanes: Transcript;
  /** Reasons of `transport.fallback` events. */
  fallbacks: string[];
  /** Why the program failed; null: it came to its end. */
  failure: string | null;
}

/** The same with what the server knows. */
export interface Run extends RunOfClient {
  /** Wires that carried its messages. */
  wires: string[];
  /** How often somebody came in; who resumes does not. */
  joins: number;
}

/**
 * How a lane is compared:
 * - `same` (the default): entry for entry;
 * - `newest`: an unreliable stream: what came may have gaps, but was sent, came once, never went back;
 * - `any order`: a reliable unordered channel: the same entries in some order;
 * - two texts: exactly one entry, which begins so with the option off and so with it on.
 */
export type Rule = 'same' | 'newest' | 'any order' | { off: string; on: string };

/** One line per difference; none: the runs, the first with the option off, are alike. */
export function differences(a: Run, b: Run, rules: Readonly<Record<string, Rule>> = {}): string[] {
  const found: string[] = [];
  if (a.failure !== b.failure) found.push(`failure: ${a.failure} | ${b.failure}`);
  const lanes = new Set([...Object.keys(a.lanes), ...Object.keys(b.lanes)]);
  for (const lane of lanes) {
    const left = a.lanes[lane] ?? [];
    const right = b.lanes[lane] ?? [];
    const rule = rules[lane] ?? 'same';
    if (rule === 'newest') {
      found.push(...goingBack(lane, left), ...goingBack(lane, right));
    } else if (rule === 'any order') {
      found.push(...unequal(lane, [...left].sort(), [...right].sort()));
    } else if (typeof rule === 'object') {
      found.push(...notAsSaid(lane, left, rule.off), ...notAsSaid(lane, right, rule.on));
    } else {
      found.push(...unequal(lane, left, right));
    }
  }
  return found;
}

function unequal(lane: string, left: string[], right: string[]): string[] {
  const found: string[] = [];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    if (left[i] !== right[i]) found.push(`${lane} ${i}: ${left[i]} | ${right[i]}`);
  }
  return found;
}

function notAsSaid(lane: string, entries: string[], beginning: string): string[] {
  if (entries.length === 1 && entries[0].startsWith(beginning)) return [];
  return [`${lane}: ${entries.join(' ')}, due ${beginning}`];
}

/** Entries of such a lane begin with the number of the message: `[7,…]`. */
function goingBack(lane: string, entries: string[]): string[] {
  const found: string[] = [];
  let newest = -1;
  if (entries.length === 0) found.push(`${lane}: nothing came`);
  for (const entry of entries) {
    const number = (JSON.parse(entry) as number[])[0];
    if (!(number > newest)) found.push(`${lane}: ${number} after ${newest}`);
    newest = Math.max(newest, number);
  }
  return found;
}
