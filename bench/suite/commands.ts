/** The command lines of the suite's processes. */
import { join } from 'node:path';
import { type Pinning, pinned } from './machine.js';
import { ECHO_VALUES, type RunPlan } from './plan.js';
import { isOwnWire, type Skipped, type Wire } from './results.js';
import { ROOT } from './root.js';
import { PRIVATE_KEY } from './servers/udp-key.js';
import type { Ready } from './words.js';

/** What a process runs in: a processor, perhaps a network namespace. */
export interface Place {
  /** `ggscale-bench`, built by cargo. */
  binary: string;
  pins: Pinning;
  /** Address to listen on. */
  host: string;
  /** In front of a command, to run it in a namespace of the forwarder's; empty on loopback. */
  enterServer: readonly string[];
  enterLoad: readonly string[];
  /** Wires that are not the suite's own, by name. */
  foreign?: ReadonlyMap<string, ForeignWire>;
  /** What became of foreign wires that failed; the others go on without them. */
  skipped?: Skipped[];
}

/** Somebody else's echo: the same words (words.ts), the same load or one that takes its arguments. */
export interface ForeignWire {
  /** Program and arguments; `--host` and `--flows` follow. */
  server: readonly string[];
  /** The load's program and first arguments; null: the suite's own load. */
  load: readonly string[] | null;
  /** What a message looks like: datagrams of bytes, or JSON text in a WebSocket frame. */
  shape: 'plain' | 'json-ws';
  /** Its flows are connections, which are opened first. */
  connects: boolean;
  isUdp: boolean;
}

/** What a session starts. */
export interface Commands {
  server(): string[];
  load(ready: Ready): string[];
  /** Beside the load; null: nothing. */
  client?(ready: Ready): string[] | null;
}

export const LOOPBACK_HOST = '127.0.0.1';

const SERVERS: Record<Exclude<Wire, 'floor'>, { echo: string; game: string | null }> = {
  udp: { echo: 'udp', game: 'game-udp' },
  'json-ws': { echo: 'ws', game: 'game-ws' },
  'json-http': { echo: 'http', game: null },
  'json-dgram': { echo: 'dgram', game: null },
};

/** In JavaScript, of the wires of games. */
const CLIENTS: Readonly<Record<string, string | undefined>> = { udp: 'sdk', 'json-ws': 'ws' };

const LOAD_WIRES: Record<Wire, string> = {
  udp: 'udp-rl1',
  'json-ws': 'json-ws',
  'json-http': 'json-http',
  'json-dgram': 'json-dgram',
  floor: 'plain',
};

export function suiteCommands(plan: RunPlan, wire: string, place: Place): Commands {
  return {
    server: () => serverCommand(plan, wire, place),
    load: (ready) => loadCommand(plan, wire, ready, place),
    client: (ready) => clientCommand(plan, wire, ready, place),
  };
}

export function serverCommand(plan: RunPlan, wire: string, place: Place): string[] {
  const pin = pinned(place.pins?.server);
  if (!isOwnWire(wire)) {
    const args = ['--host', place.host, '--flows', `${plan.flows}`];
    return [...pin, ...place.enterServer, ...foreignOf(wire, place).server, ...args];
  }
  if (wire === 'floor') return [...pin, place.binary, 'floor'];
  const program = SERVERS[wire][plan.workload];
  if (program === null) throw new Error(`${plan.name} has no server for ${wire}`);
  const path = join(ROOT, 'dist/bench/suite/servers', `${program}.js`);
  const args = ['--host', place.host, '--flows', `${plan.flows}`];
  if (plan.tickHz > 0) args.push('--tick-hz', `${plan.tickHz}`);
  if (plan.isFast) args.push('--fast');
  if (plan.bulkBytes !== undefined) args.push('--bulk-bytes', `${plan.bulkBytes}`);
  return [...pin, ...place.enterServer, process.execPath, path, ...args];
}

export function loadCommand(plan: RunPlan, wire: string, ready: Ready, place: Place): string[] {
  const pin = pinned(place.pins?.load);
  const foreign = isOwnWire(wire) ? null : foreignOf(wire, place);
  const program = foreign?.load ?? [place.binary, 'load'];
  const loadWire = foreign?.shape ?? LOAD_WIRES[wire as Wire];
  const args = ['--wire', loadWire, '--server', ready.ready];
  const window = wire === 'floor' ? 1 : plan.window; // it has no packets of several messages
  args.push('--flows', `${plan.flows}`, '--hz', `${plan.hz}`, '--window', `${window}`);
  args.push('--batch', `${window}`, '--values', `${ECHO_VALUES}`);
  if (plan.workload === 'game') args.push('--game', '--tick-hz', `${plan.tickHz}`);
  if (wire === 'udp') args.push('--registry-hash', `${ready.registryHash ?? 0}`);
  // In a storm players come as they do; elsewhere coming in is not what is measured.
  if (plan.kind === 'storm') {
    args.push('--storm', `${plan.connectRate}`);
    if (ready.tickets !== undefined) args.push('--tickets', ready.tickets);
  } else if (wire === 'udp') args.push('--key', PRIVATE_KEY);
  if (plan.connectRate !== undefined) args.push('--connect-rate', `${plan.connectRate}`);
  if (plan.hasNoClock && wire === 'udp') args.push('--no-clock');
  if (plan.stalled !== undefined) args.push('--stall', `${plan.stalled}`);
  // Without a processor of its own it must not keep the server's busy by looking at the clock.
  if (place.pins === null || plan.isTogether) args.push('--sleep');
  return [...pin, ...place.enterLoad, ...program, ...args];
}

/** @throws Error when nobody said what this wire is */
export function foreignOf(wire: string, { foreign }: Place): ForeignWire {
  const found = foreign?.get(wire);
  if (found === undefined) throw new Error(`no wire is called ${wire}`);
  return found;
}

function clientCommand(plan: RunPlan, wire: string, ready: Ready, place: Place): string[] | null {
  const program = CLIENTS[wire];
  if (!plan.hasClient || program === undefined) return null;
  const path = join(ROOT, 'dist/bench/suite/clients', `${program}.js`);
  const args = ['--server', ready.ready, '--hz', `${plan.hz}`];
  if (ready.tickets !== undefined) args.push('--tickets', ready.tickets);
  if (plan.workload === 'game') args.push('--game');
  return [...pinned(place.pins?.load), ...place.enterLoad, process.execPath, path, ...args];
}
