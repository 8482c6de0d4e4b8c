/** Where the figures are from: wires, machine, versions, what was left out, and all runs in one table. */
import type { Quantiles, RunResult } from '../results.js';
import { wireInfo } from '../wires.js';
import { type Context, groupsOf, wireTag, wireTitle } from './context.js';
import { bytes, count, duration, moment, NOTHING, percent, rate } from './format.js';
import { type Html, html } from './html.js';
import { titleOf } from './titles.js';

export function wiresSection(context: Context): Html {
  const rows = context.wires.map((wire) => {
    const info = wireInfo(wire, context.results);
    const answer = (yes: boolean | undefined): string => {
      return yes === undefined ? NOTHING : yes ? '✓ yes' : '✗ no';
    };
    return html`<tr role="row"><th scope="row" role="rowheader">${wireTag(context, wire)} <code>${wire}</code></th><td role="cell" class="text whole">${info?.about ?? 'Nothing is told about it.'} <small>${[info?.language, info?.version].filter(Boolean).join(', ')}</small></td><td role="cell" data-label="encrypted">${answer(info?.isEncrypted)}</td><td role="cell" data-label="reliable">${answer(info?.isReliable)}</td><td role="cell" data-label="ordered">${answer(info?.isOrdered)}</td><td role="cell" class="text whole" data-label="lacks">${info?.lacks || NOTHING}</td></tr>
`;
  });
  return html`<div class="panel"><div class="scroll" tabindex="0" role="region" aria-label="Wires"><table class="figures wires rows" role="table">
<thead role="rowgroup"><tr role="row"><th scope="col">wire</th><th scope="col">what runs</th><th scope="col">encrypted</th><th scope="col">reliable</th><th scope="col">ordered</th><th scope="col">lacks</th></tr></thead>
<tbody role="rowgroup">${rows}</tbody></table></div></div>`;
}

export function machineSection(context: Context): Html {
  const { results } = context;
  const { machine, versions, date, command, skipped = [] } = results;
  const { cpu, cpus, memoryBytes, kernel, pinned } = machine;
  const facts: [string, string][] = [
    ['processor', `${cpu.trim()}, ${count(cpus)} ${cpus === 1 ? 'processor' : 'processors'}`],
    ['memory', bytes(memoryBytes)],
    ['kernel', kernel],
    [
      'pinned',
      pinned === null
        ? 'no: processes share the processors'
        : `server on processor ${pinned.server}, load on processor ${pinned.load}`,
    ],
    ['network', 'loopback; runs with loss go through a layer-3 forwarder between namespaces'],
    ['date', moment(date)],
    ['command', command],
    [
      'versions',
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(' · '),
    ],
  ];
  const left = skipped.map(({ name, reason }) => html`<li><code>${name}</code>: ${reason}</li>`);
  const noted = notesOf(context);
  return html`<div class="panel"><dl>${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
${noted.length > 0 && html`<h3>Notes</h3><ul>${noted.map((text) => html`<li>${text}</li>`)}</ul>`}
<h3>Left out</h3>${left.length === 0 ? html`<p>Nothing of what was asked for.</p>` : html`<ul>${left}</ul>`}</div>`;
}

/** Each note once, and of which runs it is. */
function notesOf(context: Context): string[] {
  const runsOf = new Map<string, Set<string>>();
  for (const { name, runs } of groupsOf(context)) {
    for (const { wire, note } of runs) {
      if (note === undefined || note === '') continue;
      const isShared = runs.every((run) => run.note === note);
      const label = isShared ? name : `${name} on ${wireTitle(context, wire)}`;
      runsOf.set(note, (runsOf.get(note) ?? new Set()).add(label));
    }
  }
  return [...runsOf].map(([note, names]) => `${[...names].join(', ')}: ${note}`);
}

const HEADS = [
  'flows',
  'payload',
  'offered',
  'delivered',
  'lost',
  'CPU/message',
  'JavaScript',
  'of a processor',
  'heap/message',
  'wire/message',
  'RTT p50',
  'p99',
  'p99.9',
  'max',
  'one way p99',
  'GC pauses',
  'longest',
  'of clients',
  'longest',
  'memory/flow',
  'event loop p99',
  'kernel drops',
];

/** Every figure of every run. */
export function runsTable(context: Context): Html {
  const { runs } = context.results;
  return html`<details class="panel" id="all-runs"><summary>All runs (${runs.length})</summary>
<div class="scroll" tabindex="0" role="region" aria-label="All runs"><table class="figures">
<thead><tr><th scope="col">run</th><th scope="col">wire</th>${HEADS.map((head) => html`<th scope="col" class="n">${head}</th>`)}</tr></thead>
<tbody>${runs.map(
    (
      run,
    ) => html`<tr><td><span title="${titleOf(run.name)}">${run.name}</span></td><th scope="row">${wireTag(context, run.wire)}</th>${cellsOf(run).map((cell) => html`<td class="n">${cell}</td>`)}</tr>
`,
  )}</tbody></table></div></details>`;
}

function cellsOf(run: RunResult): string[] {
  const us = (value: number | undefined): string => {
    return value === undefined ? NOTHING : duration(value * 1e3);
  };
  const ms = (value: number): string => duration(value * 1e6);
  const { rttUs, gcPauseMs, clientGcPauseMs, startMs } = run;
  if (startMs !== undefined) return startCells(startMs);
  return [
    count(run.flows),
    bytes(run.payloadBytes),
    rate(run.offeredPerSecond),
    rate(run.deliveredPerSecond),
    percent(run.lossRatio),
    duration(run.serverCpuNsPerMessage),
    duration(run.jsNsPerMessage),
    run.serverCpuRatio === undefined ? NOTHING : percent(run.serverCpuRatio),
    bytes(run.allocatedBytesPerMessage),
    bytes(run.wireBytesPerMessage),
    ...[rttUs.p50, rttUs.p99, rttUs.p999, rttUs.max].map(us),
    us(run.oneWayUs?.p99),
    count(gcPauseMs.count),
    ms(gcPauseMs.max),
    clientGcPauseMs === undefined ? NOTHING : count(clientGcPauseMs.count),
    clientGcPauseMs === undefined ? NOTHING : ms(clientGcPauseMs.max),
    bytes(run.rssBytesPerFlow),
    us(run.eventLoopDelayUs?.p99),
    run.kernelDrops === undefined ? NOTHING : count(run.kernelDrops),
  ];
}

/** Until the process listens, where the others have round trips. */
function startCells({ p50, p99, p999, max }: Quantiles): string[] {
  const times = [p50, p99, p999, max].map((value) => `${duration(value * 1e6)} to listen`);
  return HEADS.map((_, index) => times[index - HEADS.indexOf('RTT p50')] ?? NOTHING);
}
