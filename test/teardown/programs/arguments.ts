/**
 * Every function of the native module with arguments of every kind, in a process of its own: a call
 * may throw an Error, and nothing else may happen. The argument is the seed.
 */
import { loadBinding } from '../../../src/addon/load-binding.js';
import { createRingMemory } from '../../../src/addon/ring-memory.js';
import { generateKey } from '../../../src/addon/tokens.js';

const CALLS_PER_FUNCTION = 300;
const SIZES = { rxCapacity: 8, txCapacity: 8, rxArenaBytes: 16_384, txArenaBytes: 16_384 };

let state = Number(process.argv[2]) >>> 0;
function below(limit: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}

const memory = () => new Uint8Array(createRingMemory(SIZES));
const detached = new Uint8Array(2048);
structuredClone(detached, { transfer: [detached.buffer] });
const traps = {
  get() {
    throw new Error('trap');
  },
};

const KINDS: (() => unknown)[] = [
  ...[undefined, null, true, 0, -1, 1.5, Number.NaN, 2 ** 32, 2 ** 53, -(2 ** 31)].map(
    (value) => () => value,
  ),
  ...[1n, -1n, 2n ** 64n, '', '127.0.0.1:1', 'tick', Symbol('s')].map((value) => () => value),
  () => ({}),
  () => [],
  () => () => {},
  () => new Proxy({}, traps),
  () => new Uint8Array(below(3000)),
  () => new Float64Array(below(200)),
  () => detached,
  () => new ArrayBuffer(32),
  () => new DataView(new ArrayBuffer(32)),
  () => memory(),
  () => memory().subarray(8),
  () => new Uint8Array(new SharedArrayBuffer(below(2000))),
];
const any = () => KINDS[below(KINDS.length)]();

let calls = 0;
let refused = 0;
function attempt(work: () => unknown): unknown {
  calls++;
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error)) throw new Error(`${String(error)} was thrown`);
    refused++;
    return null;
  }
}

type Functions = Record<string, (...args: unknown[]) => unknown>;

function callAll(target: object, names: string[], receivers: (() => unknown)[]): void {
  for (const name of names) {
    const method = (target as Functions)[name];
    if (typeof method !== 'function') continue;
    for (let i = 0; i < CALLS_PER_FUNCTION; i++) {
      const args = Array.from({ length: below(5) }, any);
      closeIfOpen(attempt(() => method.apply(receivers[below(receivers.length)](), args)));
    }
  }
}

function closeIfOpen(made: unknown): void {
  const { close } = (made ?? {}) as { close?: () => void };
  if (typeof close === 'function') close.call(made);
}

const binding = loadBinding();
const common = {
  driver: 'immediate',
  tickIntervalUs: 0,
  receiveBufferBytes: 0,
  sendBufferBytes: 0,
  maxPayloadBytes: 1200,
  clockOffsetUs: 0,
  host: '127.0.0.1',
  port: 0,
  maxFlows: 4,
};
const server = { ...common, protocolId: 1n, privateKey: generateKey(), serverAddresses: [] };
const sim = { role: 'client', seed: 1, startUs: 0, unixS: 0, ...common };
const { openServer, openClient, openSim } = binding as unknown as Functions;
const openers: [Functions[string], object][] = [
  [openServer, server],
  [openClient, common],
  [openSim, sim],
];
// Good options but for one, and one that nobody knows.
for (const [open, good] of openers) {
  for (const name of [...Object.keys(good), 'threads', 'affinity', 'admission', 'nx', 'else']) {
    for (const kind of KINDS) {
      const options = { ...good, [name]: kind() };
      closeIfOpen(attempt(() => open(memory(), options, () => {})));
    }
  }
}
callAll(binding, Object.keys(binding), [() => binding, any]);
const natives = openers.map(([open, good]) => open(memory(), good, () => {}) as object);
for (const native of natives) {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(native));
  const methods = names.filter((name) => !['constructor', 'close'].includes(name));
  callAll(native, methods, [() => native, () => native, any, () => natives[below(3)]]);
}
for (const native of natives) callAll(native, ['close'], [() => native, any]);
process.stdout.write(calls > 5_000 && refused > 1_000 ? 'survived\n' : `${calls} ${refused}\n`);
