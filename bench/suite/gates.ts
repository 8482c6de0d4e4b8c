/** What the results must show. Pure: results in, verdicts and a table out. */
import { findRun, type Results, type RunResult } from './results.js';
import { ALLOCATED_BYTES_MAX, LOSS_RATIO_MAX, LOSS_ROUNDS, THRESHOLDS } from './thresholds.js';

export interface Verdict {
  name: string;
  measured: string;
  demanded: string;
  goal: string;
  passed: boolean;
}

export function judge(results: Results): Verdict[] {
  return [...ratioVerdicts(results), ...lossVerdicts(results), allocationVerdict(results)];
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
      demanded: `${LOSS_RATIO_MAX * 100} % in ${LOSS_ROUNDS.of - LOSS_ROUNDS.failing + 1} of ${LOSS_ROUNDS.of} rounds`,
      goal: '0',
      passed: failing * LOSS_ROUNDS.of < LOSS_ROUNDS.failing * (run.rounds ?? 1),
    };
  });
}

function failingRounds({ lossByRound = [] }: RunResult): number {
  return lossByRound.filter((ratio) => ratio > LOSS_RATIO_MAX).length;
}

function allocationVerdict(results: Results): Verdict {
  const bytes = findRun(results, 'echo/saturated', 'udp')?.allocatedBytesPerMessage;
  return {
    name: 'echo/saturated bytes allocated per message on udp',
    measured: bytes === undefined ? 'not measured' : bytes.toFixed(1),
    demanded: `at most ${ALLOCATED_BYTES_MAX}`,
    goal: '0 beside the text',
    passed: bytes !== undefined && bytes <= ALLOCATED_BYTES_MAX,
  };
}

/** For the job's summary: the verdicts, and below them what is reported and not held. */
export function markdown({ runs }: Results, verdicts: readonly Verdict[]): string {
  const lines = ['| check | measured | demanded | goal | |', '|---|---|---|---|---|'];
  for (const { name, measured, demanded, goal, passed } of verdicts) {
    const outcome = passed ? 'passed' : 'FAILED';
    lines.push(`| ${name} | ${measured} | ${demanded} | ${goal} | ${outcome} |`);
  }
  lines.push(
    '',
    '| run | wire | messages/s | CPU ns/message | JS ns/message | RTT p50 / p99 µs | loss | GC pauses (longest ms) |',
    '|---|---|---|---|---|---|---|---|',
  );
  for (const run of runs) {
    const cells = [
      run.name,
      run.wire,
      run.deliveredPerSecond.toFixed(0),
      run.serverCpuNsPerMessage.toFixed(0),
      run.jsNsPerMessage.toFixed(0),
      `${run.rttUs.p50.toFixed(0)} / ${run.rttUs.p99.toFixed(0)}`,
      `${(run.lossRatio * 100).toFixed(3)} %`,
      `${run.gcPauseMs.count} (${run.gcPauseMs.max.toFixed(1)})`,
    ];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}
