/** The four runs of a program, in Node and in a page with the option off and on, held against each other. */
import { differences, type Rule, type Run } from './compare.js';
import type { Network } from './network.js';
import type { Entry } from './programs/index.js';

export interface FourRuns {
  node: { off: Run; on: Run };
  page: { off: Run; on: Run };
}

/** One after the other: pages that are in the background are slower. */
export async function runInPages(
  loopback: Network,
  chromium: Network,
  program: string,
): Promise<FourRuns> {
  const both = async (network: Network) => ({
    off: await network.run(program, 'json-ws'),
    on: await network.run(program, 'udp'),
  });
  return { node: await both(loopback), page: await both(chromium) };
}

/** One line per difference. With the option a page says that it has no UDP, once per connection. */
export function differencesInPages(
  { node, page }: FourRuns,
  { rules = {}, rulesInPages = rules }: Entry,
): string[] {
  const pairs: [string, Run, Run, Readonly<Record<string, Rule>>][] = [
    ['Node | page, off', node.off, page.off, withoutOption(rules)],
    ['page, off | Node, on', page.off, node.on, rules],
    ['page, off | on', page.off, page.on, rulesInPages],
  ];
  const found = pairs.flatMap(([pair, a, b, between]) =>
    differences(a, b, between).map((line) => `${pair}: ${line}`),
  );
  const due = Array<string>(page.on.joins).fill('unsupported-platform');
  for (const [name, run, fallbacks] of [
    ['off', page.off, []],
    ['on', page.on, due],
  ] as const) {
    if (`${run.fallbacks}` !== `${fallbacks}`) {
      found.push(`page, ${name}: fallbacks ${run.fallbacks}, due ${fallbacks}`);
    }
    if (`${run.wires}` !== 'json-ws') found.push(`page, ${name}: wires ${run.wires}`);
  }
  return found;
}

/** Where both runs are without it, a lane that tells of the option tells the same. */
function withoutOption(rules: Readonly<Record<string, Rule>>): Record<string, Rule> {
  const entries = Object.entries(rules).filter(([, rule]) => typeof rule === 'string');
  return Object.fromEntries(entries);
}
