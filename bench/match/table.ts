/** What the main job shows: a table each second, and the closing comparison. */
import CliTable from 'cli-table3';
import type { Wire } from '../../src/server/index.js';
import type { PlayersFigures, ServerFigures } from './ipc.js';
import { type Report, WIRES } from './report.js';

const LIVE_HEAD = [
  'wire',
  'players',
  'msg/s in',
  'msg/s out',
  'B/msg',
  'RTT p50',
  'RTT p99',
  'loss',
  'resends',
  'server CPU',
  'GC pauses',
  'heap',
];
const PLAIN = { head: [], border: [] };
const MISSING = '-';
/** TCP sends lost segments again by itself and tells nobody. */
const HIDDEN = 'hidden';

export interface LiveRow {
  server: ServerFigures | null;
  players: PlayersFigures | null;
}

/** Draws over its last table on a terminal, and appends elsewhere. */
export class LiveTable {
  private linesDrawn = 0;

  constructor(private readonly output: NodeJS.WriteStream) {}

  draw(second: number, rows: Record<Wire, LiveRow>): void {
    const table = new CliTable({ head: LIVE_HEAD, style: PLAIN, colAligns: aligns(LIVE_HEAD) });
    for (const wire of WIRES) table.push([wire, ...liveCells(wire, rows[wire])]);
    const text = `second ${second}\n${table.toString()}\n`;
    const back = this.output.isTTY && this.linesDrawn > 0 ? `\x1b[${this.linesDrawn}A\x1b[J` : '';
    this.linesDrawn = text.split('\n').length - 1;
    this.output.write(back + text);
  }
}

export function closingComparison(report: Report): string {
  const { udp, 'json-ws': ws } = report.wires;
  const { ratios } = report;
  const head = ['', ...WIRES, 'json-ws / udp'];
  const table = new CliTable({ head, style: PLAIN, colAligns: aligns(head) });
  const both = (pick: (wire: typeof udp) => string): string[] => [pick(udp), pick(ws)];
  table.push(
    ['players', ...both((wire) => `${wire.players}`), ''],
    ['messages in', ...both((wire) => `${wire.messagesIn}`), ''],
    ['messages out', ...both((wire) => `${wire.messagesOut}`), ''],
    [
      'server CPU per message',
      ...both((wire) => `${(wire.serverCpuNsPerMessage / 1000).toFixed(1)} µs`),
      times(ratios.serverCpuNsPerMessage),
    ],
    [
      'bytes per message',
      ...both((wire) => wire.bytesPerMessage.toFixed(1)),
      times(ratios.bytesPerMessage),
    ],
    ['RTT p50', ...both((wire) => ms(wire.rttUs.p50)), times(ratios.rttP50)],
    ['RTT p99', ...both((wire) => ms(wire.rttUs.p99)), times(ratios.rttP99)],
    ['RTT max', ...both((wire) => ms(wire.rttUs.max)), ''],
    ['loss', percent(udp.lossRatio), HIDDEN, ''],
    ['resends', ...both((wire) => `${wire.resends}`), ''],
    ['GC pauses', ...both((wire) => `${wire.gcPauseMs.count}`), ''],
    ['longest GC pause', ...both((wire) => `${wire.gcPauseMs.max.toFixed(2)} ms`), ''],
    ['server ticks skipped', ...both((wire) => `${wire.serverTicksSkipped}`), ''],
    ['reliable events per player', ...both((wire) => wire.eventsPerPlayer.toFixed(1)), ''],
    ['events as sent', ...both((wire) => (wire.eventsAgree ? 'yes' : 'NO')), ''],
  );
  return `${table.toString()}\n${agreement(report)}\n`;
}

function agreement(report: Report): string {
  const wrong = WIRES.filter((wire) => !report.wires[wire].eventsAgree);
  if (wrong.length === 0) {
    return 'On both wires every player got exactly the events its match sent, in the same order.';
  }
  return `Events differ from what the match sent on: ${wrong.join(', ')}.`;
}

function liveCells(wire: Wire, { server, players }: LiveRow): string[] {
  if (server === null || players === null) return LIVE_HEAD.slice(1).map(() => MISSING);
  const seconds = server.elapsedUs / 1e6;
  const messages = server.messagesIn + server.messagesOut;
  const lost = server.packetsLostIn + players.packetsLostIn;
  const received = server.packetsIn + players.packetsIn;
  const { rttUs } = players;
  const { gcPauseMs } = server;
  return [
    `${players.players}`,
    (server.messagesIn / seconds).toFixed(0),
    (server.messagesOut / seconds).toFixed(0),
    messages === 0 ? MISSING : ((server.bytesIn + server.bytesOut) / messages).toFixed(1),
    rttUs.samples === 0 ? MISSING : ms(rttUs.p50),
    rttUs.samples === 0 ? MISSING : ms(rttUs.p99),
    wire === 'udp' ? percent(lost / Math.max(1, received + lost)) : HIDDEN,
    `${server.resends + players.resends}`,
    percent(server.cpuUs / server.elapsedUs),
    `${gcPauseMs.count} (${gcPauseMs.max.toFixed(1)} ms)`,
    `${(server.heapUsedBytes / 2 ** 20).toFixed(1)} MiB`,
  ];
}

function aligns(head: readonly string[]): ('left' | 'right')[] {
  return head.map((_, index) => (index === 0 ? 'left' : 'right'));
}

function ms(us: number): string {
  return `${(us / 1000).toFixed(1)} ms`;
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(2)} %`;
}

function times(ratio: number): string {
  return `${ratio.toFixed(2)} ×`;
}
