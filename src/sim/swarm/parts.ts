/** The pieces that random worlds of both levels are made of; each draws from a stream of its own. */
import type { ChannelOptions, ProtocolLimits } from '../../protocol/api.js';
import { CHANNELS_MAX, SEND_BYTES_MAX } from '../../util/limits.js';
import type { Fault } from '../fault.js';
import { bursts, type LinkProfile, type PathProfile, PROFILES } from '../network/profile.js';
import { ratio, Stream } from '../random.js';
import { GameClientWorkload, GameServerWorkload } from '../workload/game.js';
import { RandomWorkload } from '../workload/random.js';
import { GreedyWorkload, Together } from '../workload/steady.js';
import type { MakeWorkload, Workload, WorkloadLimits } from '../workload/workload.js';

/** Where an int32 clock is about to wrap, as µs since its origin. */
const CLOCK_WRAP_US = 0x80000000 - 1_500_000;

/** What both ends must agree on: where their numbers start. */
export function limitsFor(shape: Stream): ProtocolLimits {
  const nearWrap = shape.isHit(1, 2);
  return {
    firstSequence: nearWrap ? shape.between(64_900, 65_535) : shape.between(0, 65_535),
    firstMessageId: nearWrap ? shape.between(65_000, 65_535) : shape.between(0, 65_535),
  };
}

/** A receiver that takes little, so that its sender meets every bound. */
export function tinyReceiver(shape: Stream): ProtocolLimits {
  const messageBytes = shape.pick([1024, 4096, 20_000, 65_536]);
  const receiveBudgetBytes = messageBytes * shape.between(1, 4);
  return {
    channels: shape.between(1, 32),
    messageBytes,
    unreliableMessageBytes: shape.pick([1024, 4096, 16_384]),
    windowIds: shape.pick([1, 2, 16, 100, 512]),
    receiveBudgetBytes,
    reassemblyBytes: receiveBudgetBytes * shape.pick([1, 2, 4, 1000]) + 1024,
    partials: shape.between(1, 8),
    sendReliableBytes: shape.pick([4096, 65_536, 1 << 20]),
    sendUnreliableBytes: shape.pick([1024, 16_384, 65_536]),
    sendBytes: shape.pick([1 << 18, SEND_BYTES_MAX]),
  };
}

/** How a node's channels share the wire: all alike in half of the worlds, else anything. */
export function channelsFor(seed: number, node: number, limits: ProtocolLimits): ChannelOptions[] {
  const random = new Stream(seed, 'channels', node);
  if (random.isHit(1, 2)) return [];
  return Array.from({ length: limits.channels ?? CHANNELS_MAX }, () => ({
    priority: random.between(0, 7),
    weight: random.pick([1, 1, 2, 5, 255]),
  }));
}

/** What a node's clock shows at first: anything, and half of the time close to the wrap of int32. */
export function clockStartUs(random: Stream): number {
  return random.isHit(1, 2)
    ? CLOCK_WRAP_US + random.between(0, 1_000_000)
    : random.between(0, 1 << 21) * 1024;
}

export function pathFor(seed: number, client: number, profile: string | null): PathProfile {
  const random = new Stream(seed, 'path', client);
  const named = profile ?? random.pick(Object.keys(PROFILES));
  const base = PROFILES[named];
  if (base === undefined) throw new RangeError(`no profile is called ${named}`);
  if (profile !== null) return base;
  return {
    ...base,
    name: `${base.name}*`,
    up: spoil(random, base.up),
    down: spoil(random, base.down),
  };
}

/** A named link with some of its faults made worse, each with even chances. */
function spoil(random: Stream, link: LinkProfile): LinkProfile {
  const worse = {
    loss: ratio(random.between(1, 25), 100),
    burst: bursts(random.between(1, 10), 100, random.between(2, 12)),
    reorder: ratio(random.between(1, 40), 100),
    reorderUs: random.between(1_000, 100_000),
    duplicate: ratio(random.between(1, 20), 100),
    corrupt: ratio(random.between(1, 10), 100),
    jitterUs: random.between(0, 60_000),
  };
  return {
    ...link,
    ...(random.isHit(1, 2) ? { loss: worse.loss } : {}),
    ...(random.isHit(1, 3) ? { burst: worse.burst } : {}),
    ...(random.isHit(1, 2) ? { reorder: worse.reorder, reorderUs: worse.reorderUs } : {}),
    ...(random.isHit(1, 3) ? { duplicate: worse.duplicate } : {}),
    ...(random.isHit(1, 4) ? { corrupt: worse.corrupt } : {}),
    ...(random.isHit(1, 3) ? { jitterUs: worse.jitterUs } : {}),
  };
}

export function faultsFor(
  seed: number,
  clients: number,
  safetyUs: number,
  profile: string | null,
): Fault[] {
  const random = new Stream(seed, 'faults');
  const kinds = random.between(0, 63);
  const faults: Fault[] = [];
  const count = random.between(0, 8);
  for (let index = 0; index < count; index++) {
    const fault = oneFault(random, clients, safetyUs, profile);
    if ((kinds & (1 << KIND_BITS[fault.kind])) !== 0) faults.push(fault);
  }
  return faults;
}

const KIND_BITS: Readonly<Record<Fault['kind'], number>> = {
  dark: 0,
  path: 1,
  stall: 2,
  drift: 3,
  jump: 4,
  squeeze: 5,
  rebind: 6,
  restart: 7,
};

function oneFault(
  random: Stream,
  clients: number,
  safetyUs: number,
  profile: string | null,
): Fault {
  const fromUs = random.between(0, safetyUs);
  const node = random.between(0, clients);
  const client = random.between(0, clients - 1);
  const toUs = fromUs + random.between(1_000, 2_500_000);
  switch (random.between(0, 7)) {
    case 0:
      return { kind: 'path', client, path: pathFor(seedOf(random), client, profile), fromUs };
    case 1:
      return { kind: 'stall', node, fromUs, toUs: fromUs + random.between(1_000, 800_000) };
    case 2:
      return { kind: 'drift', node, ppm: random.between(-500, 500), fromUs };
    case 3:
      return { kind: 'jump', node, byUs: random.between(1_000, 5_000_000), fromUs };
    case 4: {
      const [rxPackets, txPackets] = [random.between(1, 20), random.between(1, 20)];
      return { kind: 'squeeze', node, rxPackets, txPackets, fromUs, toUs };
    }
    default: {
      const why = random.pick(['blackhole', 'partition', 'one-way'] as const);
      const direction = why === 'one-way' ? random.pick(['up', 'down'] as const) : 'both';
      const all = [...Array(clients).keys()];
      const hit = why === 'partition' ? all : [client];
      return { kind: 'dark', why, direction, clients: hit, fromUs, toUs };
    }
  }
}

function seedOf(random: Stream): number {
  return random.next31();
}

/** A NAT moves clients; at the core level the server is told as NX would tell it. */
export function rebinds(seed: number, clients: number, safetyUs: number): Fault[] {
  const random = new Stream(seed, 'rebinds');
  const count = random.isHit(1, 3) ? random.between(1, 4) : 0;
  const faults: Fault[] = [];
  for (let index = 0; index < count; index++) {
    const client = random.between(0, clients - 1);
    const what = random.pick(['port', 'port', 'address'] as const);
    faults.push({ kind: 'rebind', client, what, fromUs: random.between(0, safetyUs) });
  }
  return faults;
}

export function workloadsFor(seed: number, shape: Stream): MakeWorkload {
  const kind = shape.between(0, 9);
  const tickHz = shape.pick([20, 30, 60]);
  return (flow, isClient, startUs, limits): Workload => {
    const index = flow * 2 + (isClient ? 1 : 0);
    if (kind <= 5 || limits.channels < 4) return new RandomWorkload(seed, index, startUs, limits);
    const game = isClient
      ? new GameClientWorkload(seed, index, startUs)
      : new GameServerWorkload(seed, index, startUs, tickHz, limits);
    if (kind <= 7) return game;
    return new Together([game, bulkFor(seed, index, startUs, limits, isClient)]);
  };
}

/** Downloads beside the game, as a map or a replay would be. */
function bulkFor(
  seed: number,
  index: number,
  startUs: number,
  limits: WorkloadLimits,
  isClient: boolean,
): Workload {
  const random = new Stream(seed, 'bulk', index);
  const most = Math.min(limits.messageBytes, 262_144);
  const bytes = random.between(most >> 2, most);
  const count = isClient ? 1 : random.between(1, 4);
  const mode = random.pick([2, 3]);
  const fromUs = startUs + random.between(0, 1_000_000);
  return new GreedyWorkload(limits.channels - 1, mode, bytes, fromUs, count);
}
