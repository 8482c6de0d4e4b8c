// Established flows while strangers flood the server: what is delivered, what the memory does.
import { setTimeout as sleep } from 'node:timers/promises';
import { difference, percentile } from './figures.mjs';
import { Pair } from './pair.mjs';
import { BenchProcess } from './process.mjs';

const FLOWS = 100;
const HZ = 60;
/** Connected anew in the middle of the flood. */
const NEWCOMERS = 10;

/** One after the other; `players` comes from the flows' own addresses, so the load itself sends it. */
export const KINDS = [
  'none',
  'forged',
  'stolen',
  'expired',
  'version',
  'short',
  'stray',
  'players',
  'all',
];

/** @param {{rate: number, warmMs: number, measureMs: number}} size */
export async function measureFlood(binary, cpus, size, progress) {
  const rows = [];
  for (const kind of KINDS) {
    progress(`flood: ${kind}`);
    rows.push(await measureKind(binary, cpus, size, kind));
  }
  return { flows: FLOWS, pacedHz: HZ, wantedPerSecond: size.rate, kinds: rows };
}

async function measureKind(binary, cpus, { rate, warmMs, measureMs }, kind) {
  const forge = kind === 'players' ? ['--forge', `${rate}`] : [];
  const run = {
    name: `flood ${kind}`,
    driver: 'auto',
    flows: FLOWS,
    pacedHz: HZ,
    // Strangers and load share a processor: neither may keep it for itself.
    loadArgs: ['--sleep', ...forge],
  };
  const pair = new Pair(binary, run, cpus);
  const others = [];
  try {
    await pair.start();
    const start = async (...args) => {
      const pin = cpus.load === null ? [] : ['--cpu', `${cpus.load}`];
      const child = new BenchProcess(binary, [...args, '--server', pair.address, ...pin]);
      others.push(child);
      await child.read();
      return child;
    };
    const flooding = !['none', 'players'].includes(kind);
    const only = kind === 'all' ? [] : ['--kind', kind];
    const flood = flooding ? await start('flood', '--rate', `${rate}`, ...only) : null;
    const names = ['--flows', `${NEWCOMERS}`, '--first-flow', '5000', '--wire', 'netcode'];
    const newcomers = await start('load', '--sleep', ...names);
    flood?.say('run');
    let joined = null;
    const sample = await pair.measure(warmMs, measureMs, async () => {
      joined = await newcomers.ask('connect');
    });
    const strangers = flood === null ? null : await flood.ask('pause');
    return rowOf(kind, sample, strangers, joined);
  } finally {
    for (const child of others) child.kill();
    pair.kill();
    await sleep(20);
  }
}

function rowOf(kind, { begun, before, after, settled, sent }, strangers, joined) {
  const forgedPerSecond = ((sent.forged - begun.forged) * 1e9) / (sent.wallNs - begun.wallNs);
  const perSecond = kind === 'players' ? forgedPerSecond : strangers?.perSecond;
  return {
    kind,
    perSecond: Math.round(perSecond ?? 0),
    byKind: strangers?.byKind ?? {},
    offered: sent.offered,
    delivered: sent.delivered,
    deliveryRatio: sent.delivered / sent.offered,
    rttUs: { p50: percentile([sent.rttNs], 0.5) / 1e3, p99: percentile([sent.rttNs], 0.99) / 1e3 },
    serverCpuRatio: (after.cpuNs - before.cpuNs) / (after.wallNs - before.wallNs),
    residentBytes: { before: before.residentBytes, after: after.residentBytes },
    newcomers: { connected: joined.connected, seconds: joined.seconds },
    drops: difference(settled.drops, before.drops),
  };
}
