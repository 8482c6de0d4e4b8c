/**
 * What is compared with what. A ratio of CPU is the median of the ratios of the rounds, which were
 * interleaved; the others compare two figures of the same run. Pure.
 *
 * `udp/floor` below 1: udp is the cheaper one. `json-ws/udp` above 1: so is udp.
 */
import { median, rounded } from './histogram.js';
import { findRun, isOwnWire, type Results, type RunResult } from './results.js';

const COALESCED = 'coalesced/8';

export function ratiosOf(runs: readonly RunResult[]): Record<string, number> {
  const ratios: Record<string, number> = {};
  const set = (name: string, value: number | null): void => {
    if (value !== null && Number.isFinite(value) && value > 0) ratios[name] = rounded(value, 4);
  };
  for (const name of new Set(runs.map((run) => run.name))) {
    const of = (wire: string): RunResult | undefined => pick(runs, name, wire);
    const udp = of('udp');
    if (udp === undefined) continue;
    if (name !== COALESCED) set(`${name} cpu udp/floor`, cpuRatio(udp, of('floor')));
    for (const wire of ['json-ws', 'json-http', 'json-dgram']) {
      set(`${name} cpu ${wire}/udp`, cpuRatio(of(wire), udp));
    }
    for (const { wire, name: its } of runs) {
      if (its === name && !isOwnWire(wire)) set(`${name} cpu ${wire}/udp`, cpuRatio(of(wire), udp));
    }
    const ws = of('json-ws');
    set(`${name} bytes json-ws/udp`, quotient(ws?.wireBytesPerMessage, udp.wireBytesPerMessage));
    set(`${name} rtt-p99 udp/json-ws`, quotient(udp.rttUs.p99, ws?.rttUs.p99));
    set(`${name} rtt-p99 udp/floor`, quotient(udp.rttUs.p99, of('floor')?.rttUs.p99));
    set(`${name} one-way-p99 udp/json-ws`, quotient(udp.oneWayUs?.p99, ws?.oneWayUs?.p99));
  }
  const udp = (name: string): RunResult | undefined => pick(runs, name, 'udp');
  // Eight messages share a packet: what a message costs, to an eighth of a packet of the floor.
  const eighth = cpuRatio(udp(COALESCED), pick(runs, COALESCED, 'floor'));
  set('coalesced/8 cpu udp/(floor/8)', eighth === null ? null : eighth * 8);
  set('flows cpu 100000/1000', cpuRatio(udp('flows/100000'), udp('flows/1000')));
  for (const wire of ['udp', 'json-ws']) {
    const [none, one] = [pick(runs, 'stalled/none', wire), pick(runs, 'stalled/one', wire)];
    set(`stalled one-way-p99 one/none ${wire}`, quotient(one?.oneWayUs?.p99, none?.oneWayUs?.p99));
    const [before, twice] = [pick(runs, 'overload/before', wire), pick(runs, 'overload/2x', wire)];
    set(`overload rtt-p50 2x/before ${wire}`, quotient(twice?.rttUs.p50, before?.rttUs.p50));
  }
  return ratios;
}

/** Ratios that differ by more than `share` of the larger one; names that only one of them has too. */
export function disagreements(
  a: Pick<Results, 'ratios'>,
  b: Pick<Results, 'ratios'>,
  names: readonly string[],
  share: number,
): { name: string; a: number | undefined; b: number | undefined }[] {
  return names
    .map((name) => ({ name, a: a.ratios[name], b: b.ratios[name] }))
    .filter(({ a: one, b: other }) => {
      if (one === undefined || other === undefined) return true;
      return Math.abs(one - other) > share * Math.max(one, other);
    });
}

function pick(runs: readonly RunResult[], name: string, wire: string): RunResult | undefined {
  return findRun({ runs: [...runs] }, name, wire);
}

/** Per message of each; null when one of them is missing. */
export function cpuRatio(a: RunResult | undefined, b: RunResult | undefined): number | null {
  if (a === undefined || b === undefined) return null;
  const [own, other] = [a.cpuNsByRound ?? [], b.cpuNsByRound ?? []];
  if (own.length > 0 && own.length === other.length) {
    return median(own.map((ns, round) => ns / other[round]));
  }
  return quotient(a.serverCpuNsPerMessage, b.serverCpuNsPerMessage);
}

function quotient(a: number | undefined, b: number | undefined): number | null {
  return a === undefined || b === undefined || b === 0 ? null : a / b;
}
