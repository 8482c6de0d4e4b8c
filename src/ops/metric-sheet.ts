/** One scrape's metrics in a registry that lives as long as the scrape. */
import type * as prom from 'prom-client';
import { BUCKET_BOUNDS_S, type DurationHistogram } from './histogram.js';

export type Labels = Record<string, string>;
export type Sample = [labels: Labels, value: number];

const PREFIX = 'ggscale_';

export class MetricSheet {
  readonly #prom: typeof prom;
  readonly #registry: prom.Registry;

  constructor(library: typeof prom) {
    this.#prom = library;
    this.#registry = new library.Registry();
  }

  /** A value that goes up and down. */
  gauge(name: string, help: string, values: number | readonly Sample[]): void {
    const samples = samplesOf(values);
    const gauge = new this.#prom.Gauge({
      name: PREFIX + name,
      help,
      labelNames: labelNames(samples),
      registers: [this.#registry],
    });
    for (const [labels, value] of samples) gauge.set(labels, value);
  }

  /** A sum since the start; `name` ends with `_total`. */
  counter(name: string, help: string, values: number | readonly Sample[]): void {
    const samples = samplesOf(values);
    const counter = new this.#prom.Counter({
      name: PREFIX + name,
      help,
      labelNames: labelNames(samples),
      registers: [this.#registry],
    });
    for (const [labels, value] of samples) counter.inc(labels, value);
  }

  /** Durations since the start; `name` ends with `_seconds`. */
  durations(name: string, help: string, entries: readonly [Labels, DurationHistogram][]): void {
    const full = PREFIX + name;
    const values = entries.flatMap(([labels, histogram]) =>
      histogramLines(full, labels, histogram),
    );
    // prom-client's own histogram counts for itself; of a foreign one it needs what it would print.
    const metric = {
      name: full,
      help,
      type: 'histogram',
      get: async () => ({ ...metric, values }),
    };
    this.#registry.registerMetric(metric as unknown as prom.Metric);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

function samplesOf(values: number | readonly Sample[]): readonly Sample[] {
  return typeof values === 'number' ? [[{}, values]] : values;
}

/** Without any name prom-client would print a value of its own where there is none yet. */
function labelNames(samples: readonly Sample[]): string[] {
  return samples.length === 0 ? ['none'] : Object.keys(samples[0][0]);
}

function histogramLines(name: string, labels: Labels, histogram: DurationHistogram) {
  const { count } = histogram;
  const bucket = (le: string, value: number) => {
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value };
  };
  return [
    ...histogram.cumulative().map((value, i) => bucket(String(BUCKET_BOUNDS_S[i]), value)),
    bucket('+Inf', count),
    { metricName: `${name}_sum`, labels, value: histogram.sumS },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
