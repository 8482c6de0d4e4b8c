/** What the results must show. Pure: results in, verdicts and a table out. */

import { bytes, duration, percent, rate } from './report/format.js';
import { type Column, markdownTable } from './report/markdown.js';
import { findRun, type Results, type RunResult, type Wire } from './results.js';
import {
  ALLOCATED_BYTES_MAX,
  GAME_LOSS_RATIO_MAX,
  LOSS_RATIO_MAX,
  LOSS_ROUNDS,
  THRESHOLDS,
} from './thresholds.js';

const RUN_COLUMNS: readonly (Column | string)[] = [
  'run',
  'wire',
  ...[
    'messages',
    'lost',
    'CPU per message',
    'JavaScript of it',
    'allocated per message',
    'round trip p50 / p99',
    'GC pauses / longest',
  ].map((title) => ({ title, isNumber: true })),
];

const GAME_RUN = 'game/500x60';
const GAME_WIRES: readonly Wire[] = ['udp', 'json-ws'];

export interface Verdict {
  name: string;
  measured: string;
  demanded: string;
  goal: string;
  passed: boolean;
}

export function judge(results: Results): Verdict[] {
  return [
    ...ratioVerdicts(results),
    ...lossVerdicts(results),
    allocationVerdict(results),
    ...GAME_WIRES.map((wire) => eventVerdict(results, wire)),
  ];
}

function ratioVerdicts({ ratios }: Results): Verdict[] {
  return THRESHOLDS.map(({ ratio, min, max, goal }) => {
    const value = ratios[ratio];
    const isHeld = value >= (min ?? 0) && value <= (max ?? Number.POSITIVE_INFINITY);
    return {
      name: ratio,
      measured: value === undefined ? 'not measured' : value.toFixed(2),
      demanded: min === undefined ? `at most ${max}` : `at least ${min}`,
      goal: `${goal}`,
      passed: value !== undefined && isHeld,
    };
  });
}

/** Of each run on UDP that loses nothing by plan. */
function lossVerdicts({ runs }: Results): Verdict[] {
  const own = runs.filter(({ wire, lossByRound }) => wire === 'udp' && lossByRound !== undefined);
  return own.map((run) => {
    const failing = failingRounds(run);
    return {
      name: `${run.name} loss on udp`,
      measured: `${(run.lossRatio * 100).toFixed(3)} %, ${failing} of ${run.rounds} rounds above`,
      demanded: `${lossMax(run) * 100} % in ${LOSS_ROUNDS.of - LOSS_ROUNDS.failing + 1} of ${LOSS_ROUNDS.of} rounds`,
      goal: '0',
      passed: failing * LOSS_ROUNDS.of < LOSS_ROUNDS.failing * (run.rounds ?? 1),
    };
  });
}

function failingRounds(run: RunResult): number {
  return (run.lossByRound ?? []).filter((ratio) => ratio > lossMax(run)).length;
}

function lossMax({ name }: RunResult): number {
  return name === GAME_RUN ? GAME_LOSS_RATIO_MAX : LOSS_RATIO_MAX;
}

function allocationVerdict(results: Results): Verdict {
  const bytes = findRun(results, 'echo/saturated', 'udp')?.allocatedBytesPerMessage;
  return {
    name: 'echo/saturated bytes allocated per message on udp',
    measured: bytes === undefined ? 'not measured' : bytes.toFixed(1),
    demanded: `at most ${ALLOCATED_BYTES_MAX}`,
    goal: '0',
    passed: bytes !== undefined && bytes <= ALLOCATED_BYTES_MAX,
  };
}

/** Of the game: every reliable event that the server sent was heard by whom it was sent to. */
function eventVerdict(results: Results, wire: Wire): Verdict {
  const counts = findRun(results, GAME_RUN, wire)?.events;
  return {
    name: `${GAME_RUN} events on ${wire}`,
    measured: counts === undefined ? 'not measured' : `${counts.received} of ${counts.sent} heard`,
    demanded: 'all, and some',
    goal: 'all',
    passed: counts !== undefined && counts.sent > 0 && counts.received === counts.sent,
  };
}

/** For the job's summary: the verdicts, and below them what is reported and not held. */
export function markdown({ runs }: Results, verdicts: readonly Verdict[]): string {
  const checks = verdicts.map(({ name, measured, demanded, goal, passed }) => {
    return [name, measured, demanded, goal, passed ? 'passed' : 'FAILED'];
  });
  return [
    ...markdownTable(['check', 'measured', 'demanded', 'goal', 'outcome'], checks),
    '',
    ...markdownTable(RUN_COLUMNS, runs.map(runCells)),
  ].join('\n');
}

function runCells(run: RunResult): string[] {
  const { rttUs, gcPauseMs } = run;
  return [
    run.name,
    run.wire,
    rate(run.deliveredPerSecond),
    percent(run.lossRatio),
    duration(run.serverCpuNsPerMessage),
    duration(run.jsNsPerMessage),
    bytes(run.allocatedBytesPerMessage),
    `${duration(rttUs.p50 * 1e3)} / ${duration(rttUs.p99 * 1e3)}`,
    `${gcPauseMs.count} / ${duration(gcPauseMs.max * 1e6)}`,
  ];
}
