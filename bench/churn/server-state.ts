/** What a server has, told from inside its process: players, descriptors, handles, objects, memory. */
import { readdirSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import v8 from 'node:v8';
import { WebSocket } from 'ws';
import type { GameServer } from '../../src/server/index.js';
import { PlayerEntry } from '../../src/server/player-entry.js';
import { BinaryPeer } from '../../src/session/binary-peer.js';
import { JsonPeer } from '../../src/session/json-peer.js';
import { ServerSession } from '../../src/session/server-session.js';
import { type Counts, count } from './counts.js';
import type { ServerCounts, ServerMemory } from './messages.js';

/** In the order of the report. */
const CLASSES: Readonly<Record<string, new (...args: never[]) => object>> = {
  PlayerEntry,
  ServerSession: ServerSession as never,
  BinaryPeer: BinaryPeer as never,
  JsonPeer: JsonPeer as never,
  WebSocket: WebSocket as never,
  Socket: Socket as never,
  Timeout: classOfTimers(),
};

/** Objects only when asked for: that visits the whole heap. */
export function readCounts<R extends object>(
  server: GameServer<R>,
  withObjects: boolean,
): ServerCounts {
  const { players } = server.stats();
  const { flows = 0, pending = 0, tokens = 0 } = server.admission() ?? {};
  const handles: Counts = {};
  for (const kind of process.getActiveResourcesInfo()) count(handles, kind);
  const objects: Counts = {};
  if (withObjects && v8.queryObjects !== undefined /* before Node 20.13 */) {
    for (const [name, type] of Object.entries(CLASSES)) {
      objects[name] = v8.queryObjects(type, { format: 'count' });
    }
  }
  return {
    players: server.players.size,
    suspended: players.suspended,
    flows,
    pending,
    tokens,
    fds: readdirSync('/proc/self/fd').length,
    handles,
    objects,
  };
}

/** Node does not export it. */
function classOfTimers(): new (...args: never[]) => object {
  const timer = setTimeout(() => {}, 0);
  clearTimeout(timer);
  return timer.constructor as never;
}

export function readMemory(): ServerMemory {
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
  return { heapUsed, external, arrayBuffers, rss, nativeHeap: nativeHeapBytes() };
}

/** Resident part of the C heap (proc(5), smaps). V8 has its own mappings. */
function nativeHeapBytes(): number {
  const smaps = readFileSync('/proc/self/smaps', 'latin1');
  const rss = /\[heap\]\n(?:.*\n)*?Rss:\s+(\d+) kB/.exec(smaps);
  return rss === null ? 0 : Number(rss[1]) * 1024;
}
