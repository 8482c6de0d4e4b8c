/** Time by benchmark.js, bytes by V8's own count; what the operations returned is checked after both. */
import Benchmark from 'benchmark';
import { median } from '../../suite/histogram.js';
import { Gauges } from '../../suite/servers/gauges.js';
import { type Group, type Operation, Sink } from './operation.js';

export interface MeasureSize {
  /** Of each operation. */
  seconds: number;
  minSamples: number;
  /** Iterations over which allocated bytes are counted. */
  iterations: number;
}

export interface OperationFigures {
  group: Group;
  name: string;
  ns: number;
  /** Relative margin of error of `ns`, percent, 95 % confidence. */
  rmePercent: number;
  samples: number;
  /** On the JavaScript heap, per iteration. */
  allocatedBytes: number;
  bytes?: number;
  /** Sum of what was returned, modulo 2^32, and how often. */
  sink: { value: number; calls: number };
}

/** Medians of so many: V8 compiles when it likes, and that is on the heap too. */
const LOOKS = 5;

/** @throws Error when an operation fails, or returns something else than it must */
export function measure(operation: Operation, size: MeasureSize): OperationFigures {
  const { group, name, bytes, run } = operation;
  const sink = new Sink();
  const { stats, error } = timed(() => sink.add(run()), size);
  if (error !== undefined) throw error;
  const allocatedBytes = allocatedPer(() => sink.add(run()), size.iterations);
  sink.check(operation);
  const { value, calls } = sink;
  return {
    group,
    name,
    ns: stats.mean * 1e9,
    rmePercent: stats.rme,
    samples: stats.sample.length,
    allocatedBytes,
    ...(bytes === undefined ? {} : { bytes }),
    sink: { value, calls },
  };
}

function timed(work: () => void, { seconds, minSamples }: MeasureSize) {
  const benchmark = new Benchmark(work, { maxTime: seconds, minSamples });
  benchmark.run({ async: false });
  return benchmark as Benchmark & { error?: Error };
}

/** What looking allocates itself is taken off: the median of looks at nothing. */
export function allocatedPer(work: () => void, iterations: number): number {
  const gauges = new Gauges();
  const grown = (count: number): number => {
    const before = gauges.take().allocatedBytes ?? 0;
    for (let index = 0; index < count; index += 1) work();
    return (gauges.take().allocatedBytes ?? 0) - before;
  };
  grown(iterations); // compilation allocates too
  const typical = (count: number): number => {
    return median(Array.from({ length: LOOKS }, () => grown(count)));
  };
  const own = typical(iterations) - typical(0);
  return Math.max(0, Math.round((own / iterations) * 10) / 10);
}
