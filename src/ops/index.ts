/** What operators see of a server: metrics, health, logs. */
export { BearerGate } from './bearer-gate.js';
export type { ServerFigures, WireFigures } from './figures.js';
export { API_VERSION, health } from './health.js';
export { DurationHistogram } from './histogram.js';
export { createLogger, errorText, LOG_LEVELS, type Logger, type LogLevel } from './logs.js';
export { type MetricsPage, renderMetrics } from './metrics.js';
export { ProcessWatch } from './process-watch.js';
export { TickMeter } from './tick-meter.js';
