/**
 * The text of `GET /metrics`. Everything is read and named at the scrape: between two scrapes there
 * is no registry, and prom-client is loaded by the first. docs/OPERATIONS.md lists the metrics.
 */
import type { AdmissionStatus } from '../util/admission.js';
import type { ResumeFigures, ServerFigures, WireFigures } from './figures.js';
import { commit } from './health.js';
import { MetricSheet, type Sample } from './metric-sheet.js';
import type { ProcessWatch } from './process-watch.js';

export interface MetricsPage {
  contentType: string;
  text: string;
}

const QUANTILES = [0.5, 0.9, 0.99, 1] as const;

export async function renderMetrics(read: () => ServerFigures): Promise<MetricsPage> {
  const sheet = new MetricSheet(await import('prom-client'));
  const figures = read();
  addServer(sheet, figures);
  addWires(sheet, figures);
  addResumes(sheet, figures.resumes);
  addTicks(sheet, figures);
  if (figures.admission !== null) addUdp(sheet, figures, figures.admission);
  addProcess(sheet, figures.process);
  return { contentType: sheet.contentType, text: await sheet.text() };
}

function addServer(sheet: MetricSheet, figures: ServerFigures): void {
  sheet.gauge('build_info', 'Always 1; what runs is in the labels.', [
    [{ commit: commit(), node: process.versions.node }, 1],
  ]);
  sheet.gauge('uptime_seconds', 'Since the server started.', figures.uptimeS);
  sheet.gauge('players_max', 'Players that may be connected at once.', figures.playersMax);
  sheet.gauge('busy', '1 while new players are refused.', figures.isBusy ? 1 : 0);
  sheet.gauge('draining', '1 while the server waits for all to leave.', figures.isDraining ? 1 : 0);
  sheet.gauge('rooms', 'Rooms with members.', figures.rooms);
  sheet.counter(
    'http_requests_total',
    'Answers of the HTTP listener; 101 is an opened WebSocket.',
    figures.requests.map(({ route, status, count }): Sample => {
      return [{ route, status: String(status) }, count];
    }),
  );
  sheet.counter('handler_errors_total', 'What handlers of the game threw.', figures.handlerErrors);
  sheet.counter(
    'revalidations_total',
    'Questions whether a player may stay, by outcome.',
    Object.entries(figures.revalidations).map(([outcome, count]): Sample => [{ outcome }, count]),
  );
  sheet.counter(
    'revocations_total',
    'Players whose right to be here was taken, by cause.',
    Object.entries(figures.revocations).map(([cause, count]): Sample => [{ cause }, count]),
  );
  sheet.counter(
    'drops_total',
    'What was refused or lost, by reason.',
    Object.entries(figures.drops).map(([reason, count]): Sample => [{ reason }, count]),
  );
}

function addWires(sheet: MetricSheet, { wires }: ServerFigures): void {
  const each = (pick: (figures: WireFigures) => number): Sample[] =>
    Object.entries(wires).map(([wire, figures]) => [{ wire }, pick(figures)]);
  const both = (into: keyof WireFigures, out: keyof WireFigures): Sample[] =>
    Object.entries(wires).flatMap(([wire, figures]): Sample[] => [
      [{ wire, direction: 'in' }, figures[into] as number],
      [{ wire, direction: 'out' }, figures[out] as number],
    ]);
  sheet.gauge(
    'players',
    'Players connected.',
    each(({ players }) => players),
  );
  sheet.counter(
    'joins_total',
    'Players that came.',
    each(({ joins }) => joins),
  );
  sheet.counter(
    'leaves_total',
    'Players that left.',
    each(({ leaves }) => leaves),
  );
  sheet.counter('messages_total', 'Messages of the game.', both('messagesIn', 'messagesOut'));
  sheet.counter(
    'bytes_total',
    'UDP with its headers and those of IP; WebSocket as bytes of the TCP stream.',
    both('bytesIn', 'bytesOut'),
  );
  sheet.counter('packets_total', 'Datagrams; WebSocket frames.', both('packetsIn', 'packetsOut'));
  sheet.counter(
    'packets_lost_total',
    'Datagrams from players that never came.',
    each(({ packetsLostIn }) => packetsLostIn),
  );
  sheet.counter(
    'resends_total',
    'Messages sent again.',
    each(({ resends }) => resends),
  );
  sheet.gauge(
    'queued_bytes',
    'Accepted for players and not yet acknowledged (UDP) or taken by the kernel (WebSocket).',
    each(({ queuedBytes }) => queuedBytes),
  );
  sheet.gauge(
    'rtt_seconds',
    'Smoothed round-trip times of the connected players.',
    Object.entries(wires).flatMap(([wire, { rttsMs }]) => {
      const sorted = Float64Array.from(rttsMs).sort();
      if (sorted.length === 0) return [];
      return QUANTILES.map((quantile): Sample => {
        const index = Math.min(sorted.length - 1, Math.floor(quantile * sorted.length));
        return [{ wire, quantile: String(quantile) }, sorted[index] / 1000];
      });
    }),
  );
}

function addResumes(sheet: MetricSheet, resumes: ResumeFigures): void {
  const each = (label: string, counts: Readonly<Record<string, number>>): Sample[] =>
    Object.entries(counts).map(([name, count]) => [{ [label]: name }, count]);
  sheet.gauge('players_suspended', 'Players whose link died, while waited for.', resumes.suspended);
  sheet.counter('suspensions_total', 'Links that died.', each('wire', resumes.suspensions));
  sheet.counter(
    'suspensions_ended_total',
    'How waiting for a player ended.',
    each('outcome', resumes.suspensionsEnded),
  );
  sheet.counter('resumes_total', 'Sessions that went on.', each('wire', resumes.resumes));
  sheet.counter(
    'resumes_refused_total',
    'Tickets and links that did not carry a session on.',
    each('reason', resumes.refused),
  );
}

function addTicks(sheet: MetricSheet, figures: ServerFigures): void {
  const { tickMeter, messageAges } = figures;
  sheet.counter('ticks_total', 'Ticks that ran.', figures.ticks);
  sheet.counter('ticks_skipped_total', 'Ticks that came too late.', figures.ticksSkipped);
  const { roomTicks } = figures;
  sheet.counter('room_ticks_total', 'Ticks of rooms that ran.', roomTicks.ran);
  sheet.counter('room_ticks_skipped_total', 'Those that came too late.', roomTicks.skipped);
  sheet.durations('tick_lateness_seconds', 'From when a tick was due to its handlers.', [
    [{}, tickMeter.lateness],
  ]);
  sheet.durations('tick_duration_seconds', 'What the handlers of a tick took.', [
    [{}, tickMeter.duration],
  ]);
  sheet.durations(
    'message_age_seconds',
    'From the arrival of a datagram in the kernel to the handler of its message.',
    [[{}, messageAges]],
  );
}

function addUdp(sheet: MetricSheet, figures: ServerFigures, admission: AdmissionStatus): void {
  const { features } = figures;
  sheet.gauge('udp_flows', 'Flows that are open.', admission.flows);
  sheet.gauge('udp_flows_max', 'Flows that may be open.', admission.maxFlows);
  sheet.gauge('udp_flows_pending', 'Handshakes half done.', admission.pending);
  sheet.gauge('udp_flows_pending_max', 'Half-done handshakes allowed.', admission.maxPending);
  sheet.gauge('udp_tokens', 'Connect tokens remembered until they expire.', admission.tokens);
  sheet.gauge('udp_tokens_max', 'Room for them.', admission.tokensMax);
  sheet.gauge('udp_prefixes', 'Networks that spent some of their budget.', admission.prefixes);
  sheet.gauge('udp_prefixes_max', 'Room for them.', admission.prefixesMax);
  sheet.counter(
    'udp_prefixes_evicted_total',
    'Budgets forgotten early for want of room.',
    admission.prefixesEvicted,
  );
  sheet.gauge('udp_budget_left', 'Left in the bucket; none without a limit.', [
    ...budget('token-opens', admission.tokenOpensLeft),
    ...budget('handshakes', admission.handshakesLeft),
  ]);
  sheet.gauge(
    'udp_feature',
    '1 where the kernel gave it.',
    Object.entries(features).flatMap(([feature, value]): Sample[] =>
      typeof value === 'boolean' ? [[{ feature }, value ? 1 : 0]] : [],
    ),
  );
  sheet.gauge('udp_info', 'Always 1; driver and I/O threads are in the labels.', [
    [{ driver: String(features.driver), threads: String(features.threads) }, 1],
  ]);
  sheet.gauge('udp_buffer_bytes', 'Socket buffers obtained.', [
    [{ direction: 'in' }, Number(features.receiveBufferBytes)],
    [{ direction: 'out' }, Number(features.sendBufferBytes)],
  ]);
  sheet.gauge(
    'udp_receive_pause_seconds',
    'Pause that the receive buffer holds when every flow sends at 60 Hz.',
    Number(features.receivePauseMs) / 1000,
  );
}

function budget(name: string, left: number | null): Sample[] {
  return left === null ? [] : [[{ budget: name }, left]];
}

function addProcess(sheet: MetricSheet, watch: ProcessWatch): void {
  const delays = watch.takeLoopDelaysS(QUANTILES);
  sheet.gauge(
    'event_loop_delay_seconds',
    'By how much timers were late, since the scrape before.',
    QUANTILES.map((quantile, index): Sample => [{ quantile: String(quantile) }, delays[index]]),
  );
  sheet.durations(
    'gc_pause_seconds',
    'Garbage collections.',
    [...watch.gcPauses].map(([kind, pauses]) => [{ kind }, pauses]),
  );
  const cpu = process.cpuUsage();
  sheet.counter('process_cpu_seconds_total', 'CPU time of the whole process.', [
    [{ mode: 'user' }, cpu.user / 1e6],
    [{ mode: 'system' }, cpu.system / 1e6],
  ]);
  const memory = process.memoryUsage();
  sheet.gauge('process_memory_bytes', 'Memory of the whole process.', [
    [{ kind: 'resident' }, memory.rss],
    [{ kind: 'heap-used' }, memory.heapUsed],
    [{ kind: 'heap-total' }, memory.heapTotal],
    [{ kind: 'external' }, memory.external],
    [{ kind: 'array-buffers' }, memory.arrayBuffers],
  ]);
}
