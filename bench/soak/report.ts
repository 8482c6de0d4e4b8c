/** A run as Markdown. */
import type { ServerMemory } from '../churn/messages.js';
import { markdownTable } from '../suite/report/markdown.js';
import { SLOPE_MAX } from './checks.js';
import type { ServerSample } from './messages.js';
import type { SoakResult } from './soak.js';

export function reportOf(result: SoakResult): string {
  const { findings, rounds, elapsedS } = result;
  return [
    `# Soak: ${rounds} rounds in ${(elapsedS / 60).toFixed(1)} minutes`,
    findings.length === 0 ? 'Nothing is wrong.' : findings.map((it) => `- WRONG ${it}`).join('\n'),
    whatHappened(result),
    memory(result),
    left(result),
    drops(result),
    '',
  ].join('\n\n');
}

function whatHappened({ players, path, guests, final }: SoakResult): string {
  const rows: [string, string | number][] = [
    ['sessions of players, opened (by UDP) and lived', opened(players)],
    ['switches between the wires', players.switches],
    ['switches that a cut undid', told(players.refusedSwitches)],
    ['reliable messages to and from them', `${players.sent}, ${players.came}`],
    ['snapshots, events of matches', `${players.snapshots}, ${players.gameEvents}`],
    ['joins, resumptions (server)', `${final.joins}, ${final.resumes}`],
    ['visits that came and went', told(guests.churn)],
    ['path: datagrams, lost', `${path.datagrams}, ${path.lost}`],
    ['rebinds, WebSockets cut, blackouts', `${path.rebinds}, ${path.cuts}, ${path.blackouts}`],
    ['strangers', told(guests.strangers)],
    ['floods', told(guests.floods)],
    ['datagrams in at the server', final.counters['socket-datagrams-in']],
    ['CPU of the server', `${(final.cpuUs / 1e6).toFixed(0)} s`],
  ];
  return table(['what', 'count'], rows);
}

const opened = ({ opened: all, openedByUdp, lived }: SoakResult['players']) =>
  `${all} (${openedByUdp}), ${lived}`;

function told(counts: Record<string, number>): string {
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  return parts.map(([name, count]) => `${name} ${count}`).join(', ');
}

function memory({ fresh, samples, final, slopes }: SoakResult): string {
  const middle = samples[samples.length >> 1] ?? fresh;
  const rows = (Object.keys(fresh.memory) as (keyof ServerMemory)[]).map((key) => {
    const slope = slopes[key];
    const grows =
      slope === null ? '–' : `${slope.kibPerMinute.toFixed(1)} ± ${slope.error.toFixed(1)}`;
    const at = [fresh, samples[0] ?? fresh, middle, final].map(({ memory }) =>
      (memory[key] / 2 ** 20).toFixed(2),
    );
    return [key, ...at, grows, SLOPE_MAX[key]];
  });
  const head = ['MiB', 'fresh', 'after round 1', 'in the middle', 'end', 'KiB/min', 'allowed'];
  return table(head, rows);
}

function left({ fresh, final }: SoakResult): string {
  const counts = ({ state, pools }: ServerSample): Record<string, number> => {
    const { handles, objects, ...plain } = state;
    return { ...plain, ...handles, ...objects, ...pools };
  };
  const [before, after] = [counts(fresh), counts(final)];
  const rows = Object.keys({ ...before, ...after }).map((name) => {
    return [name, before[name] ?? 0, after[name] ?? 0];
  });
  return table(['count', 'fresh', 'end'], rows);
}

function drops({ final }: SoakResult): string {
  const rows = Object.entries(final.drops).filter(([, count]) => count > 0);
  return table(['dropped', 'count'], rows);
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return markdownTable(
    head,
    rows.map((cells) => cells.map(String)),
  ).join('\n');
}
