/** Every way to drive an endpoint. They differ in when and where; what a game sees is the same. */
import type { ServerConfig } from '../../src/addon/endpoint.js';

export type Setup = Pick<
  ServerConfig,
  'driver' | 'tickIntervalUs' | 'threads' | 'affinity' | 'rings'
>;

const TICK_US = 1_000_000 / 240;

export const DRIVERS: Readonly<Record<string, Setup>> = {
  immediate: { driver: 'immediate' },
  auto: { driver: 'auto' },
  tick: { driver: 'tick', tickIntervalUs: TICK_US },
  'threads 1': { driver: 'immediate', threads: 1 },
  'threads 2': { driver: 'auto', threads: 2 },
  'threads 2, tick': { driver: 'tick', tickIntervalUs: TICK_US, threads: 2 },
  'threads 4': { driver: 'auto', threads: 4 },
};
