/** The closing figures, as `--report` writes them and the closing comparison prints them. */
import os from 'node:os';
import type { Wire } from '../../src/server/index.js';
import type { ForwarderCounters } from './forwarder.js';
import type { GcPauses } from './gc-watch.js';
import type { PlayersFigures, RttFigures, ServerDigests, ServerFigures } from './ipc.js';
import type { MatchOptions } from './options.js';

export const WIRES: readonly Wire[] = ['udp', 'json-ws'];

/** Both wires on the same basis; what differs is said here, in the report itself. */
export const BASIS = {
  messages:
    'messages of the game at the server: inputs handled, snapshots and events accepted for sending',
  bytesPerMessage:
    'server bytes in and out per message; udp counts whole datagrams with 28 B of IPv4 and UDP ' +
    'headers each, acks included; json-ws counts bytes of the TCP stream without TCP/IP headers ' +
    'and without TCP acks, which favours json-ws',
  rttUs:
    'from the time an input was due (open loop) to the snapshot that has seen it; includes the ' +
    'wait for the next tick',
  lossRatio:
    'datagrams missing by netcode sequence at both ends over datagrams sent; TCP hides its own',
  resends:
    'udp: messages sent again by both ends; json-ws: TCP segments sent again, known only behind ' +
    'the forwarder, else 0',
  serverCpuNsPerMessage: 'user and system CPU of the whole server process, simulation included',
  gcPauseMs: 'garbage collection pauses of the server process',
} as const;

export interface WireReport {
  players: number;
  messagesIn: number;
  messagesOut: number;
  bytesPerMessage: number;
  rttUs: RttFigures;
  lossRatio: number;
  resends: number;
  serverCpuNsPerMessage: number;
  gcPauseMs: GcPauses;
  serverCpuRatio: number;
  serverHeapUsedBytes: number;
  serverPacketsIn: number;
  serverPacketsOut: number;
  serverTicksSkipped: number;
  playersCpuUs: number;
  playersGcPauseMs: GcPauses;
  /** Every player got exactly the reliable events that were sent to it, in that order. */
  eventsAgree: boolean;
  eventsPerPlayer: number;
}

export interface Report {
  run: {
    durationS: number;
    warmupS: number;
    playersPerWire: number;
    rateHz: number;
    lossRatio: number;
    delayMs: number;
    seed: number;
    node: string;
    platform: string;
    cpu: string;
    cores: number;
  };
  basis: typeof BASIS;
  wires: Record<Wire, WireReport>;
  /** json-ws over udp: above 1, udp is the cheaper one. */
  ratios: {
    serverCpuNsPerMessage: number;
    bytesPerMessage: number;
    rttP50: number;
    rttP99: number;
  };
  forwarder: ForwarderCounters | null;
}

export interface WireResult {
  server: ServerFigures;
  players: PlayersFigures;
  sent: ServerDigests;
  received: string[];
}

export function wireReport(wire: Wire, result: WireResult, isImpaired: boolean): WireReport {
  const { server, players } = result;
  const messages = server.messagesIn + server.messagesOut;
  const lost = server.packetsLostIn + players.packetsLostIn;
  const sent = server.packetsIn + players.packetsIn + lost;
  const tcpResends = isImpaired ? server.tcpRetransmits + players.tcpRetransmits : 0;
  return {
    players: players.players,
    messagesIn: server.messagesIn,
    messagesOut: server.messagesOut,
    bytesPerMessage: rounded((server.bytesIn + server.bytesOut) / messages, 2),
    rttUs: players.rttUs,
    lossRatio: sent === 0 ? 0 : rounded(lost / sent, 6),
    resends: wire === 'udp' ? server.resends + players.resends : tcpResends,
    serverCpuNsPerMessage: rounded((server.cpuUs * 1000) / messages, 1),
    gcPauseMs: roundedPauses(server.gcPauseMs),
    serverCpuRatio: rounded(server.cpuUs / server.elapsedUs, 4),
    serverHeapUsedBytes: server.heapUsedBytes,
    serverPacketsIn: server.packetsIn,
    serverPacketsOut: server.packetsOut,
    serverTicksSkipped: server.ticksSkipped,
    playersCpuUs: players.cpuUs,
    playersGcPauseMs: roundedPauses(players.gcPauseMs),
    eventsAgree: eventsAgree(result),
    eventsPerPlayer: players.players === 0 ? 0 : rounded(players.events / players.players, 1),
  };
}

export function createReport(
  options: MatchOptions,
  warmupS: number,
  wires: Record<Wire, WireReport>,
  forwarder: ForwarderCounters | null,
): Report {
  const { udp, 'json-ws': ws } = wires;
  return {
    run: {
      durationS: options.durationS,
      warmupS,
      playersPerWire: options.players,
      rateHz: options.rateHz,
      lossRatio: options.lossRatio,
      delayMs: options.delayMs,
      seed: options.seed,
      node: process.version,
      platform: `${os.platform()} ${os.release()} ${os.arch()}`,
      cpu: os.cpus()[0]?.model ?? 'unknown',
      cores: os.cpus().length,
    },
    basis: BASIS,
    wires,
    ratios: {
      serverCpuNsPerMessage: rounded(ws.serverCpuNsPerMessage / udp.serverCpuNsPerMessage, 3),
      bytesPerMessage: rounded(ws.bytesPerMessage / udp.bytesPerMessage, 3),
      rttP50: rounded(ws.rttUs.p50 / udp.rttUs.p50, 3),
      rttP99: rounded(ws.rttUs.p99 / udp.rttUs.p99, 3),
    },
    forwarder,
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function eventsAgree({ sent, received }: WireResult): boolean {
  const { digests } = sent;
  return (
    sent.drained &&
    sent.refused === 0 &&
    digests.length === received.length &&
    digests.every((digest, index) => digest === received[index])
  );
}

function rounded(value: number, digits: number): number {
  return Number.isFinite(value) ? Number(value.toFixed(digits)) : 0;
}

function roundedPauses(pauses: GcPauses): GcPauses {
  return { count: pauses.count, max: rounded(pauses.max, 3), total: rounded(pauses.total, 3) };
}
