/** The peers, as data: what each is and lacks, how it is run, and which runs it can take part in. */
import { join } from 'node:path';
import type { ForeignWire } from '../suite/commands.js';
import type { WireInfo } from '../suite/results.js';
import { ROOT } from '../suite/root.js';
import type { Tools } from './install.js';
import { crateVersion, enetVersion, goVersion, lockedVersion, PEERS } from './locks.js';

/** What has to be installed or built for a peer. */
export type Need = 'npm' | 'bun' | 'quic' | 'rust' | 'enet' | 'go';

/** `saturated`, `paced` (a thousand connections) and `loss`. */
export type PeerRun = 'saturated' | 'paced' | 'loss';

export interface PeerEntry extends Required<WireInfo> {
  /** Its wire in the runs. */
  name: string;
  needs: readonly Need[];
  runs: readonly PeerRun[];
  wire(tools: Tools): ForeignWire;
}

const BARE = { isEncrypted: false, isReliable: false, isOrdered: false };
const TCP = { isEncrypted: false, isReliable: true, isOrdered: true };
const ECHO: readonly PeerRun[] = ['saturated', 'paced'];
const ALL: readonly PeerRun[] = ['saturated', 'paced', 'loss'];

/** Debian's libenet-dev; the version installed is looked at when it is there. */
const ENET_VERSION = enetVersion() ?? '1.3';

const NO_PROTOCOL =
  'everything: no connections, no encryption, no resends, no order, no protection from forged addresses';
const TCP_LACKS = 'encryption; messages of its own kind: one that is lost holds up all after it';

export const PEER_ENTRIES: readonly PeerEntry[] = [
  {
    name: 'node-dgram',
    title: 'node:dgram',
    about: 'node:dgram, bytes back as they came',
    version: process.versions.node,
    language: 'JavaScript over libuv (C)',
    ...BARE,
    lacks: NO_PROTOCOL,
    needs: [],
    runs: ECHO,
    wire: () => datagrams([process.execPath, program('dgram')]),
  },
  {
    name: 'bun-udp',
    title: 'Bun UDP',
    about: 'Bun.udpSocket, one sendMany per turn of the event loop',
    version: lockedVersion('@oven/bun-linux-x64'),
    language: 'JavaScript over Bun (Zig, C)',
    ...BARE,
    lacks: NO_PROTOCOL,
    needs: ['npm', 'bun'],
    runs: ECHO,
    wire: () => datagrams([bunProgram(), program('bun-udp')]),
  },
  {
    name: 'ws',
    title: 'ws',
    about: 'ws, text frames back as they came, without JSON',
    version: lockedVersion('ws'),
    language: 'JavaScript',
    ...TCP,
    lacks: TCP_LACKS,
    needs: ['npm'],
    runs: ECHO,
    wire: () => webSocket([process.execPath, program('ws')]),
  },
  {
    name: 'bun-ws',
    title: 'Bun WebSocket',
    about: 'Bun.serve WebSocket, text frames back as they came, without JSON',
    version: lockedVersion('@oven/bun-linux-x64'),
    language: 'JavaScript over Bun (uWebSockets, C++)',
    ...TCP,
    lacks: TCP_LACKS,
    needs: ['npm', 'bun'],
    runs: ECHO,
    wire: () => webSocket([bunProgram(), program('bun-ws')]),
  },
  {
    name: 'enet',
    title: 'ENet',
    about: 'libenet, reliable packets on one channel, flushed at once',
    version: ENET_VERSION,
    language: 'C',
    isEncrypted: false,
    isReliable: true,
    isOrdered: true,
    lacks: 'encryption, protection from forged addresses; at most 4,095 peers of a host',
    needs: ['enet', 'rust'],
    runs: ALL,
    wire: (tools) => ownProtocol([tools.rust, 'server'], [tools.rust, 'load'], 'enet'),
  },
  {
    name: 'kcp',
    title: 'KCP',
    about: 'ikcp: nodelay 1, interval 10 ms, resend 2, no congestion window; flushed at once',
    version: crateVersion('kcp'),
    language: 'Rust (port of ikcp.c), with the I/O of the floor',
    isEncrypted: false,
    isReliable: true,
    isOrdered: true,
    lacks: 'encryption, connections, congestion control as set here, unreliable messages, I/O',
    needs: ['rust'],
    runs: ALL,
    wire: (tools) => ownProtocol([tools.rust, 'server'], [tools.rust, 'load'], 'kcp'),
  },
  {
    name: 'renet',
    title: 'renet + netcode',
    about: 'renet over netcode, the reliable ordered channel of its default configuration',
    version: crateVersion('renet'),
    language: 'Rust',
    isEncrypted: true,
    isReliable: true,
    isOrdered: true,
    lacks: 'congestion control; at most 1,024 clients of a server; waits 300 ms before it resends',
    needs: ['rust'],
    runs: ALL,
    wire: (tools) => ownProtocol([tools.rust, 'server'], [tools.rust, 'load'], 'renet'),
  },
  {
    name: 'udx',
    title: 'udx-native',
    about: 'udx-native, a stream per flow on one socket, interactive',
    version: lockedVersion('udx-native'),
    language: 'JavaScript over libudx (C)',
    isEncrypted: false,
    isReliable: true,
    isOrdered: true,
    lacks: 'encryption, connections, borders of messages in a stream',
    needs: ['npm'],
    runs: ECHO,
    wire: () => inJavaScript('udx'),
  },
  {
    name: 'data-channel',
    title: 'WebRTC data channel',
    about: 'node-datachannel, a reliable ordered channel per connection; geckos.io is made of it',
    version: lockedVersion('node-datachannel'),
    language: 'JavaScript over libdatachannel (C++)',
    isEncrypted: true,
    isReliable: true,
    isOrdered: true,
    lacks: 'a connection without signalling, the pace of a thousand connections on one processor',
    needs: ['npm'],
    runs: ['saturated'],
    wire: () => ({ ...inJavaScript('data-channel'), isUdp: false }),
  },
  {
    name: 'quic',
    title: 'QUIC (js-quic)',
    about: '@matrixai/quic, a connection with one bidirectional stream per flow',
    version: lockedVersion('@matrixai/quic'),
    language: 'JavaScript over quiche (Rust)',
    isEncrypted: true,
    isReliable: true,
    isOrdered: true,
    lacks:
      'borders of messages in a stream, unreliable messages; the pace of a thousand connections',
    needs: ['npm', 'quic'],
    runs: ['saturated'],
    wire: () => inJavaScript('quic'),
  },
  {
    name: 'gnet',
    title: 'gnet UDP',
    about: 'gnet, one event loop, bytes back as they came',
    version: goVersion('github.com/panjf2000/gnet/v2'),
    language: 'Go',
    ...BARE,
    lacks: NO_PROTOCOL,
    needs: ['go'],
    runs: ECHO,
    wire: (tools) => datagrams([tools.go]),
  },
];

function bunProgram(): string {
  return join(PEERS, 'node_modules/@oven/bun-linux-x64/bin/bun');
}

/** The part of an entry that goes into the results. */
export function infoOf(entry: PeerEntry): Required<WireInfo> {
  const { title, about, version, language, isEncrypted, isReliable, isOrdered, lacks } = entry;
  return { title, about, version, language, isEncrypted, isReliable, isOrdered, lacks };
}

function program(name: string): string {
  return join(ROOT, 'dist/bench/peers/servers', `${name}.js`);
}

function datagrams(server: readonly string[]): ForeignWire {
  return { server, load: null, shape: 'plain', connects: false, isUdp: true };
}

/** Its load too is its own: a process that takes the arguments of the suite's. */
function ownProtocol(
  server: readonly string[],
  load: readonly string[],
  peer: string,
): ForeignWire {
  const named = ['--peer', peer];
  return {
    server: [...server, ...named],
    load: [...load, ...named],
    shape: 'plain',
    connects: true,
    isUdp: true,
  };
}

function inJavaScript(peer: string): ForeignWire {
  const load = join(ROOT, 'dist/bench/peers/load/main.js');
  const { isUdp, connects, shape } = ownProtocol([], [], peer);
  return {
    server: [process.execPath, program(peer)],
    load: [process.execPath, load, '--peer', peer],
    shape,
    connects,
    isUdp,
  };
}

function webSocket(server: readonly string[]): ForeignWire {
  return { server, load: null, shape: 'json-ws', connects: true, isUdp: false };
}
