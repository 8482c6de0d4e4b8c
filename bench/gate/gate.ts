/** What the rounds of the gate must show. Pure: reports in, verdicts out. */
import { median, type Report, WIRES } from '../match/report.js';

/** More loss than this on loopback means that packets were thrown away, not that they were few. */
const LOSS_RATIO_MAX = 0.001;

export interface Check {
  name: string;
  detail: string;
  passed: boolean;
}

/**
 * Ratios of one round compare two wires that ran at the same time on the same machine; their median
 * over the rounds is gated, because a single round on a busy machine is not to be trusted.
 */
export function judge(reports: readonly Report[]): Check[] {
  const cpu = median(reports.map(({ ratios }) => ratios.serverCpuNsPerMessage));
  const bytes = median(reports.map(({ ratios }) => ratios.bytesPerMessage));
  const loss = median(reports.map(({ wires }) => wires.udp.lossRatio));
  const disagreements = reports.filter(
    ({ wires }) => !WIRES.every((wire) => wires[wire].eventsAgree),
  );
  return [
    {
      name: 'udp costs less server CPU per message',
      detail: `median json-ws / udp: ${cpu.toFixed(2)}, must be above 1`,
      passed: cpu > 1,
    },
    {
      name: 'udp costs fewer bytes per message',
      detail: `median json-ws / udp: ${bytes.toFixed(2)}, must be above 1`,
      passed: bytes > 1,
    },
    {
      name: 'udp loses nothing on loopback',
      detail: `median loss: ${(loss * 100).toFixed(3)} %, at most ${LOSS_RATIO_MAX * 100} %`,
      passed: loss <= LOSS_RATIO_MAX,
    },
    {
      name: 'every player got the events its match sent, in order',
      detail: `rounds with a difference: ${disagreements.length}`,
      passed: reports.length > 0 && disagreements.length === 0,
    },
  ];
}

/** One row per round, and the checks below. */
export function markdown(reports: readonly Report[], checks: readonly Check[]): string {
  const lines = [
    '| round | wire | µs CPU/message | B/message | RTT p50 ms | RTT p99 ms | loss % | GC pauses | ticks skipped |',
    '|---|---|---|---|---|---|---|---|---|',
  ];
  for (const [index, { wires }] of reports.entries()) {
    for (const wire of WIRES) {
      const { serverCpuNsPerMessage, bytesPerMessage, rttUs, lossRatio, gcPauseMs } = wires[wire];
      const { serverTicksSkipped } = wires[wire];
      const cells = [
        index + 1,
        wire,
        (serverCpuNsPerMessage / 1000).toFixed(1),
        bytesPerMessage.toFixed(1),
        (rttUs.p50 / 1000).toFixed(1),
        (rttUs.p99 / 1000).toFixed(1),
        (lossRatio * 100).toFixed(3),
        `${gcPauseMs.count} (longest ${gcPauseMs.max.toFixed(1)} ms)`,
        serverTicksSkipped,
      ];
      lines.push(`| ${cells.join(' | ')} |`);
    }
  }
  lines.push('', '| check | measured | |', '|---|---|---|');
  for (const { name, detail, passed } of checks) {
    lines.push(`| ${name} | ${detail} | ${passed ? 'passed' : 'FAILED'} |`);
  }
  return lines.join('\n');
}
