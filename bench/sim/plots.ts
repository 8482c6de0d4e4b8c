/** The plots of docs/TESTING.md and docs/TIME.md. */
import { join } from 'node:path';
import { type LatencyRow, LOSSES, measureLatency, ROUND_TRIP_US } from './latency.js';
import { playoutSpec } from './playout-plot.js';
import { writePlot } from './plot.js';
import { ratePlots } from './rate-plots.js';

/** Measures and draws them into `folder`; tells the figures. */
export async function drawPlots(folder: string, write: (text: string) => void): Promise<void> {
  const rows = measureLatency();
  const path = join(folder, 'delivery-latency.svg');
  await writePlot(path, latencyPlot(rows));
  for (const { kind, lossPercent, quantile, ms } of rows) {
    write(`${kind}, ${lossPercent} % lost, ${quantile}: ${ms.toFixed(1)} ms\n`);
  }
  write(`${path}\n`);
  const playout = join(folder, 'playout.svg');
  await writePlot(playout, playoutSpec());
  write(`${playout}\n`);
  for (const [name, spec] of Object.entries(ratePlots())) {
    const rates = join(folder, `${name}.svg`);
    await writePlot(rates, spec);
    write(`${rates}\n`);
  }
}

function latencyPlot(rows: readonly LatencyRow[]): Parameters<typeof writePlot>[1] {
  const kinds = [...new Set(rows.map(({ kind }) => kind))];
  return {
    title: {
      text: 'How long messages take against packet loss',
      subtitle: `simulated; 60 messages of 100 B a second, round trip ${ROUND_TRIP_US / 1000} ms, loss each way`,
    },
    data: { values: rows.map((row) => ({ ...row, loss: `${row.lossPercent}` })) },
    facet: {
      column: { field: 'quantile', sort: ['median', '99 of 100'], title: null },
    },
    spec: {
      width: 330,
      height: 300,
      mark: { type: 'line', point: { size: 40 }, strokeWidth: 2 },
      encoding: {
        x: {
          field: 'loss',
          type: 'ordinal',
          sort: LOSSES.map((thousandths) => `${thousandths / 10}`),
          title: 'packets lost, %',
          axis: { labelAngle: 0 },
        },
        y: {
          field: 'ms',
          type: 'quantitative',
          scale: { type: 'log', domain: [20, 400], clamp: true },
          title: 'ms from send to delivery (log)',
        },
        color: { field: 'kind', type: 'nominal', sort: kinds, title: null, legend: { columns: 3 } },
        shape: { field: 'kind', type: 'nominal', sort: kinds, title: null },
        // Lines that lie upon each other show through.
        strokeDash: { field: 'kind', type: 'nominal', sort: kinds, title: null },
      },
    },
  };
}
