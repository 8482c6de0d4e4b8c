/**
 * `@ggscale/transport`: the SDK at the top (`ggscale.Client`, `ggscale.WithHighPerformanceTransport`);
 * the game server is `@ggscale/transport/server`.
 */
export * from './sdk/index.js';
