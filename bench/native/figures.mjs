// From the samples of a run to its figures. Pure.

/** What more flows at the same total rate are compared with (`ratioToFewFlows`). */
const FEW_FLOWS = 1_000;

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The value that a share of the samples does not exceed, over several histograms as the processes
 * give them: `{max, buckets: [[lowest value, count], …]}`. A bucket is 1/64 of its value wide.
 */
export function percentile(histograms, share) {
  const counts = new Map();
  for (const { buckets } of histograms) {
    for (const [value, count] of buckets) counts.set(value, (counts.get(value) ?? 0) + count);
  }
  const values = [...counts.keys()].sort((a, b) => a - b);
  const total = values.reduce((sum, value) => sum + counts.get(value), 0);
  let seen = 0;
  for (const value of values) {
    seen += counts.get(value);
    if (seen >= total * share) return value;
  }
  return 0;
}

/** Server CPU per echoed packet between the two marks, in nanoseconds. */
export function nsPerPacket({ before, after }) {
  return (after.cpuNs - before.cpuNs) / (after.echoed - before.echoed);
}

/** Counts by name in `after` that were not in `before`. */
export function difference(after = {}, before = {}) {
  const grown = Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)]);
  return Object.fromEntries(grown.filter(([, value]) => value > 0));
}

/**
 * @param run an entry of the matrix
 * @param samples what `Pair.measure` gave, a round each
 * @param floors the floor's samples of the same rounds, flows and pacing
 * @param memory what `Pair.memory` holds
 */
export function figuresOf(run, samples, floors, memory) {
  const sum = (pick) => samples.reduce((total, sample) => total + pick(sample), 0);
  const offered = sum(({ sent }) => sent.offered);
  const delivered = sum(({ sent }) => sent.delivered);
  const wallNs = sum(({ before, after }) => after.wallNs - before.wallNs);
  const cpuNs = sum(({ before, after }) => after.cpuNs - before.cpuNs);
  const drops = {};
  for (const { before, settled } of samples) {
    for (const [name, count] of Object.entries(difference(settled.drops, before.drops))) {
      drops[name] = (drops[name] ?? 0) + count;
    }
  }
  const costs = samples.map(nsPerPacket);
  const ratios = costs.map((cost, round) => cost / nsPerPacket(floors[round]));
  const syscalls = samples.map(({ after }) => after.syscallNs);
  const rtts = samples.map(({ sent }) => sent.rttNs);
  const lags = samples.map(({ sent }) => sent.lagNs);
  return {
    driver: run.driver,
    flows: run.flows,
    connected: memory?.connected.connected ?? run.flows,
    pacedHz: run.pacedHz,
    nsPerPacket: median(costs),
    ratioToFloor: median(ratios),
    ratioRange: [Math.min(...ratios), Math.max(...ratios)],
    syscallUs: { p50: percentile(syscalls, 0.5) / 1e3, p99: percentile(syscalls, 0.99) / 1e3 },
    bytesPerFlow: perFlow(run, samples, memory, 'residentBytes'),
    heapBytesPerFlow: perFlow(run, samples, memory, 'heapBytes'),
    clientBytesPerFlow: memory?.connected.residentBytesPerFlow ?? 0,
    drops,
    offered,
    delivered,
    lossRatio: offered === 0 ? 0 : (offered - delivered) / offered,
    packetsPerSecond: sum(({ before, after }) => after.echoed - before.echoed) / (wallNs / 1e9),
    serverCpuRatio: cpuNs / wallNs,
    rttUs: { p50: percentile(rtts, 0.5) / 1e3, p99: percentile(rtts, 0.99) / 1e3 },
    lagUs: { p99: percentile(lags, 0.99) / 1e3 },
    rounds: samples.length,
  };
}

/** Grown since before the first connected; what follows a handshake has ended by the last round. */
function perFlow(run, samples, memory, field) {
  if (!memory) return 0;
  return Math.round((samples.at(-1).settled[field] - memory.before[field]) / run.flows);
}

/** Of the costs of two runs that were measured in the same rounds: the median. */
function ratioOf(samples, others) {
  return median(samples.map((sample, round) => nsPerPacket(sample) / nsPerPacket(others[round])));
}

/** The floor is told once, at 100 flows saturated, or at what was run. */
export function reportOf(measured) {
  const isFloor = ({ run }) => run.driver === 'floor';
  const all = measured.map((entry) => {
    const floor = measured.find(
      (other) =>
        isFloor(other) &&
        other.run.flows === entry.run.flows &&
        other.run.pacedHz === entry.run.pacedHz,
    );
    const figures = figuresOf(entry.run, entry.samples, floor.samples, entry.memory);
    const few = measured.find(
      ({ run }) =>
        run.group === 'scale' && run.driver === entry.run.driver && run.flows === FEW_FLOWS,
    );
    if (entry.run.group === 'scale' && few !== undefined) {
      figures.ratioToFewFlows = ratioOf(entry.samples, few.samples);
    }
    return figures;
  });
  const floors = all.filter(({ driver }) => driver === 'floor');
  const chosen = floors.find(({ flows, pacedHz }) => flows === 100 && pacedHz === 0) ?? floors[0];
  return {
    floorNsPerPacket: chosen?.nsPerPacket ?? 0,
    runs: all.filter(({ driver }) => driver !== 'floor'),
    floors,
  };
}
