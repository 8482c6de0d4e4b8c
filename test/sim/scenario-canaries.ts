/** What a scenario must notice: a part of its world spoiled, one for each at least. */
import { Protocol } from '../../src/protocol/protocol.js';
import type { Fault } from '../../src/sim/fault.js';
import { type MakeProtocol, makeProtocol } from '../../src/sim/make-protocol.js';
import type { LinkProfile } from '../../src/sim/network/profile.js';
import { mix32, NEVER, ratio } from '../../src/sim/random.js';
import type { Variation } from '../../src/sim/scenarios/variation.js';
import { tapped, type WireWatcher } from '../../src/sim/wire-tap.js';
import { SILENCE } from '../../src/sim/workload/workload.js';

export interface ScenarioCanary {
  id: string;
  spoiled: string;
  variation: Variation;
}

type Spoil<T> = (old: T) => Partial<T>;

/** Other links for all clients; `down` alone when `up` is left out. */
function links(spoil: Spoil<LinkProfile>): Variation {
  const worse = <C extends { path: { up: LinkProfile; down: LinkProfile } }>(client: C): C => {
    const { up, down } = client.path;
    const path = { ...client.path, up: { ...up, ...spoil(up) }, down: { ...down, ...spoil(down) } };
    return { ...client, path };
  };
  return {
    core: (config) => ({ ...config, clients: config.clients.map(worse) }),
    native: (config) => ({ ...config, clients: config.clients.map(worse) }),
  };
}

function faults(change: (fault: Fault) => Fault | null): Variation {
  const changed = (old: readonly Fault[]): Fault[] =>
    old.map(change).filter((fault) => fault !== null);
  return {
    core: (config) => ({ ...config, faults: changed(config.faults) }),
    native: (config) => ({ ...config, faults: changed(config.faults) }),
  };
}

/** Of packets that repeat a message with an id, only one in `oneIn` leaves. */
class ResendsSeldom implements WireWatcher {
  private readonly seen = new Set<string>();
  private packets = 0;

  constructor(private readonly oneIn: number) {}

  packet(): boolean {
    this.packets += 1;
    return true;
  }

  message(node: number, slot: number, key: number, id: number, piece: number): boolean {
    const name = `${node}.${slot} ${key} ${id} ${piece}`;
    if (id < 0 || !this.seen.has(name)) {
      this.seen.add(name);
      return true;
    }
    return mix32(this.packets) % this.oneIn === 0;
  }
}

function resendsSeldom(oneIn: number): MakeProtocol {
  return (options, node) => tapped(makeProtocol(options, node), node, new ResendsSeldom(oneIn));
}

class SendsAllThrice extends Protocol {
  override send(...args: Parameters<Protocol['send']>): number {
    args[9] = 2;
    return super.send(...args);
  }
}

class NeverDrains extends Protocol {
  override watchDrained(): void {}
}

const thrice: MakeProtocol = (options) => new SendsAllThrice(options);
const neverDrains: MakeProtocol = (options) => new NeverDrains(options);

export const scenarioCanaries: readonly ScenarioCanary[] = [
  {
    id: 'T01',
    spoiled: 'a fifth slower than it says',
    variation: links(({ delayUs }) => ({ delayUs: delayUs * 1.2 })),
  },
  { id: 'T02', spoiled: '90 % lost', variation: links(() => ({ loss: ratio(90, 100) })) },
  { id: 'T03', spoiled: '90 % lost too', variation: links(() => ({ loss: ratio(90, 100) })) },
  { id: 'T03', spoiled: 'nothing corrupt', variation: links(() => ({ corrupt: NEVER })) },
  { id: 'T04', spoiled: 'all sent three times', variation: { protocol: thrice } },
  { id: 'T05', spoiled: 'resends seldom leave', variation: { protocol: resendsSeldom(4) } },
  { id: 'T05-spare', spoiled: '20 % lost', variation: links(() => ({ loss: ratio(20, 100) })) },
  { id: 'T06', spoiled: 'resends seldom leave', variation: { protocol: resendsSeldom(20) } },
  {
    id: 'T08',
    spoiled: 'five times as many corrupt',
    variation: links(({ corrupt }) => ({ corrupt: ratio(corrupt.n * 5, corrupt.of) })),
  },
  { id: 'T08', spoiled: 'nothing corrupt', variation: links(() => ({ corrupt: NEVER })) },
  { id: 'T09', spoiled: 'no copies', variation: links(() => ({ duplicate: NEVER })) },
  { id: 'T10', spoiled: 'all sent three times', variation: { protocol: thrice } },
  {
    id: 'T11',
    spoiled: 'dark for 1.5 s longer',
    variation: faults((fault) =>
      fault.kind === 'dark' ? { ...fault, toUs: fault.toUs + 1_500_000 } : fault,
    ),
  },
  { id: 'T12', spoiled: 'no partition', variation: faults(() => null) },
  {
    id: 'T12',
    spoiled: 'a timeout of 6 s',
    variation: { native: (config) => ({ ...config, timeoutS: 6 }) },
  },
  { id: 'T13', spoiled: 'nothing lost', variation: faults(() => null) },
  {
    id: 'T14',
    spoiled: 'without NX',
    variation: { native: (config) => ({ ...config, nx: 'off' }) },
  },
  {
    id: 'T15',
    spoiled: 'without NX',
    variation: { native: (config) => ({ ...config, nx: 'off' }) },
  },
  {
    id: 'T14-base',
    spoiled: 'with NX',
    variation: { native: (config) => ({ ...config, nx: 'on' }) },
  },
  {
    id: 'T06-full',
    spoiled: 'a third of the rate',
    variation: links(({ rateBitsPerS }) => ({ rateBitsPerS: rateBitsPerS / 3 })),
  },
  {
    id: 'T19',
    spoiled: 'four fifths of the rate',
    variation: links(({ rateBitsPerS }) => ({ rateBitsPerS: rateBitsPerS * 0.8 })),
  },
  {
    id: 'T20',
    spoiled: 'nothing beside CUBIC',
    variation: { core: (config) => ({ ...config, workload: () => SILENCE }) },
  },
  {
    id: 'T21',
    spoiled: '70 ms more delay',
    variation: links(({ delayUs }) => ({ delayUs: delayUs + 70_000 })),
  },
  {
    id: 'T19-short',
    spoiled: 'a path that loses 20 %',
    variation: links(() => ({ loss: ratio(20, 100) })),
  },
  {
    id: 'T20-game',
    spoiled: 'links of an eighth of the rate',
    variation: links(({ rateBitsPerS }) => ({ rateBitsPerS: rateBitsPerS / 8 })),
  },
  {
    id: 'T22',
    spoiled: '40 ms more delay',
    variation: links(({ delayUs }) => ({ delayUs: delayUs + 40_000 })),
  },
  {
    id: 'T23',
    spoiled: 'every third flow has nothing to send',
    variation: {
      core: (config) => ({
        ...config,
        workload: (flow, isClient, startUs, limits) =>
          flow % 3 === 0 ? SILENCE : config.workload(flow, isClient, startUs, limits),
      }),
    },
  },
  {
    id: 'T25',
    spoiled: 'twice the delay',
    variation: links(({ delayUs }) => ({ delayUs: delayUs * 2 })),
  },
  {
    id: 'T26',
    spoiled: 'numbers far from their wrap',
    variation: {
      core: (config) => {
        const { limits } = config.server.protocol;
        const far = { ...limits, firstSequence: 100, firstMessageId: 100 };
        const node = { ...config.server, protocol: { ...config.server.protocol, limits: far } };
        return {
          ...config,
          server: node,
          clients: config.clients.map((client) => ({
            ...client,
            node: { ...client.node, protocol: { ...client.node.protocol, limits: far } },
          })),
        };
      },
    },
  },
  {
    id: 'T27',
    spoiled: 'a server that takes tokens of any age',
    variation: { native: (config) => ({ ...config, maxTokenLifetimeS: 0 }) },
  },
  { id: 'T33', spoiled: 'drained is never told', variation: { protocol: neverDrains } },
  {
    id: 'T34',
    spoiled: 'a link that is slower than the game all the time',
    variation: links(() => ({ rateBitsPerS: 96_000 })),
  },
  {
    id: 'T34',
    spoiled: 'a slow link that is three times as slow',
    variation: links(({ rateBitsPerS }) => ({ rateBitsPerS: rateBitsPerS / 3 })),
  },
  {
    id: 'T35',
    spoiled: 'links of half the rate',
    variation: links(({ rateBitsPerS }) => ({ rateBitsPerS: rateBitsPerS / 2 })),
  },
];

/** Scenarios whose worlds have no part that could be spoiled from outside. */
export const withoutCanary: Readonly<Record<string, string>> = {
  T17: 'drives the native core alone: native/core/tests has its own',
  T24: 'plays traces of delays, not a world: src/time has its own',
  'T25-lead': 'plays delays, not a world: src/time has its own',
  'T17-path': 'the budget of an unproven path is native: native/core/tests/nx has its own',
};
