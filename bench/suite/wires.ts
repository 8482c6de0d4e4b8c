/** What each wire is, and what it lacks: a figure means little without. */
import type { Results, Wire, WireInfo } from './results.js';

export const OWN_WIRES: Readonly<Record<Wire, WireInfo>> = {
  udp: {
    title: 'ggscale UDP',
    about:
      'GameServer over UDP: ChaCha20-Poly1305 per datagram (netcode 1.02), reliable ordered messages per channel, FlatBuffers, admission at its defaults.',
    language: 'TypeScript over Rust',
    isEncrypted: true,
    isReliable: true,
    isOrdered: true,
  },
  'json-ws': {
    title: 'JSON over ws',
    about: 'The baseline: bare ws over kernel TCP, JSON.parse and JSON.stringify.',
    language: 'JavaScript',
    isEncrypted: false,
    isReliable: true,
    isOrdered: true,
    lacks: 'TLS, sessions, messages that may be lost: one order for everything',
  },
  'json-http': {
    title: 'JSON over HTTP',
    about: 'node:http, connections kept alive, a POST for each message.',
    language: 'JavaScript',
    isEncrypted: false,
    isReliable: true,
    isOrdered: true,
    lacks: 'TLS, sessions, messages that the server begins',
  },
  'json-dgram': {
    title: 'JSON over dgram',
    about: 'node:dgram, a datagram for each message: what the codec costs without TCP.',
    language: 'JavaScript',
    isEncrypted: false,
    isReliable: false,
    isOrdered: false,
    lacks: 'connections, order, resends, fragments',
  },
  floor: {
    title: 'the floor',
    about: 'A native echo of recvmmsg and sendmmsg: what the kernel alone takes.',
    language: 'Rust',
    isEncrypted: false,
    isReliable: false,
    isOrdered: false,
    lacks: 'everything but the echo: no protocol, no JavaScript, no server to build a game on',
  },
};

/** Ours first, then the baselines, what else was measured, and the floor at the end. */
export function wiresOf({ runs, wires = {} }: Pick<Results, 'runs' | 'wires'>): string[] {
  const present = new Set(runs.map(({ wire }) => wire));
  const own = Object.keys(OWN_WIRES).filter((wire) => wire !== 'floor');
  const order = [...own, ...Object.keys(wires), ...present].filter((wire) => wire !== 'floor');
  return [...new Set([...order, 'floor'])].filter((wire) => present.has(wire));
}

/** Null of a wire that nothing tells about. */
export function wireInfo(wire: string, { wires = {} }: Pick<Results, 'wires'>): WireInfo | null {
  if (Object.hasOwn(wires, wire)) return wires[wire];
  return Object.hasOwn(OWN_WIRES, wire) ? OWN_WIRES[wire as Wire] : null;
}
