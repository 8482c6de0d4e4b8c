/** The runtime of a process's own server, for what only it can tell: no public call leads there. */
import type { Protocol } from '../../src/protocol/index.js';
import { RuntimeReadings } from '../../src/runtime/readings.js';
import type { RuntimeEndpoint } from '../../src/runtime/runtime-endpoint.js';
import type { ServerSample } from './messages.js';

interface Inside {
  readonly endpoint: RuntimeEndpoint & {
    counterNames(): string[];
    counters(out: Float64Array): void;
  };
  readonly protocol: Protocol;
}

let found: Inside | null = null;

/** Call before the server listens: it asks its runtime where it is bound. */
export function watchRuntime(): void {
  const { address } = RuntimeReadings.prototype;
  RuntimeReadings.prototype.address = function (this: RuntimeReadings) {
    found = this as unknown as Inside;
    return address.call(this);
  };
}

/** @throws Error what RL1 knows of its flows contradicts itself */
export function readInside(): Pick<ServerSample, 'counters' | 'refused' | 'rl1' | 'pools'> {
  if (found === null) throw new Error('no runtime was opened');
  const { endpoint, protocol } = found;
  protocol.checkInvariants();
  const names = endpoint.counterNames();
  const values = new Float64Array(names.length);
  endpoint.counters(values);
  const [, ...refused] = protocol.counters;
  const given = protocol.counters.reduce((sum, count) => sum + count, 0);
  return {
    counters: Object.fromEntries(names.map((name, at) => [name, values[at]])),
    refused: endpoint.drops(),
    rl1: { given, refused: refused.reduce((sum, count) => sum + count, 0) },
    pools: { ...protocol.pools() },
  };
}
