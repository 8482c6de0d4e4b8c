/** What the kernel gave to an open UDP listener, and what is missed where it did not. */
import { readFileSync } from 'node:fs';
import type { Check } from './report.js';

export type Features = Readonly<Record<string, boolean | number | string>>;

/** A pause of the garbage collector or of a neighbour on the core. */
const PAUSE_MS = 50;
/** A player's datagrams of 50 ms at 60 Hz, in what the kernel counts: native/addon, buffers.rs. */
const BYTES_PER_FLOW = 3456;
const NOT_HERE = 'the kernel is too old, or a sandbox (gVisor, seccomp) refuses it';

interface Want {
  name: string;
  keys: readonly string[];
  /** What it is, when it is there. */
  present: string;
  /** What it means that it is not. */
  absent: string;
  advice: string;
}

const WANTS: readonly Want[] = [
  {
    name: 'batches',
    keys: ['recvmmsg', 'sendmmsg'],
    present: 'many datagrams with one system call (recvmmsg, sendmmsg)',
    absent: 'one system call for each datagram: more CPU for each message',
    advice: NOT_HERE,
  },
  {
    name: 'trains out',
    keys: ['gso'],
    present: 'runs of datagrams to one player leave as one (UDP_SEGMENT)',
    absent: 'each datagram passes the network stack alone: large messages cost more CPU',
    advice: 'Linux 4.18 or newer has UDP_SEGMENT; some virtual network cards refuse it',
  },
  {
    name: 'timestamps',
    keys: ['timestamps'],
    present: 'arrival times are the kernel’s: round-trip times do not contain the wait for a tick',
    absent: 'arrival times are those of reading: round-trip times contain the wait for a tick',
    advice: NOT_HERE,
  },
  {
    name: 'overflows',
    keys: ['rxqOverflow'],
    present: 'what the kernel’s buffer loses is counted (rx-overflow)',
    absent: 'what the kernel’s buffer loses is not counted',
    advice: `${NOT_HERE}; /proc/net/udp shows the losses of each socket`,
  },
  {
    name: 'addresses',
    keys: ['packetInfo'],
    present: 'answers leave from the address that was called',
    absent: 'with several addresses on this machine, answers may leave from the wrong one',
    advice: 'bind one address (option `host`), not all of them',
  },
  {
    name: 'steering',
    keys: ['steering', 'handshakeSocket'],
    present:
      'the kernel tells handshakes from players: a flood of handshakes has a buffer of its own',
    absent: 'handshakes and players share a buffer: a flood of handshakes can crowd out players',
    advice: 'classic BPF on SO_REUSEPORT needs Linux 4.5; sandboxes refuse it',
  },
];

export function featureChecks(features: Features, hasClientGro: boolean): Check[] {
  const checks = WANTS.map(({ name, keys, present, absent, advice }): Check => {
    const missing = keys.filter((key) => features[key] !== true);
    if (missing.length === 0) return { name, status: 'ok', detail: present, advice: [] };
    const detail = `${absent} (no ${missing.join(', ')})`;
    return { name, status: 'warning', detail, advice: [advice] };
  });
  const gro: Check = hasClientGro
    ? {
        name: 'trains in',
        status: 'ok',
        detail: 'clients receive runs as one (UDP_GRO)',
        advice: [],
      }
    : {
        name: 'trains in',
        status: 'warning',
        detail: 'clients on this machine receive each datagram alone: bulk data costs more CPU',
        advice: ['Linux 5.0 or newer has UDP_GRO'],
      };
  checks.splice(2, 0, gro);
  return checks;
}

export function bufferCheck(features: Features, flows: number): Check {
  const receiveBytes = Number(features.receiveBufferBytes);
  const pauseMs = Number(features.receivePauseMs);
  const detail =
    `${megabytes(receiveBytes)} in, ${megabytes(Number(features.sendBufferBytes))} out: ` +
    `holds a pause of ${pauseMs} ms with ${flows} players at 60 Hz`;
  if (pauseMs >= PAUSE_MS) return { name: 'buffers', status: 'ok', detail, advice: [] };
  const wantedBytes = flows * BYTES_PER_FLOW;
  return {
    name: 'buffers',
    status: 'warning',
    detail: `${detail}; ${PAUSE_MS} ms are wanted`,
    advice: [
      `as root: sysctl -w net.core.rmem_max=${wantedBytes} net.core.wmem_max=${wantedBytes}`,
      'and the same lines in /etc/sysctl.d; or give the process CAP_NET_ADMIN',
      `or expect fewer players: doctor --flows ${Math.max(1, Math.floor(receiveBytes / BYTES_PER_FLOW))} would be well`,
    ],
  };
}

/** A slow clock is read several times for each turn. Null where the system does not tell. */
export function clockCheck(): Check | null {
  const folder = '/sys/devices/system/clocksource/clocksource0';
  let source: string;
  try {
    source = readFileSync(`${folder}/current_clocksource`, 'utf8').trim();
  } catch {
    return null;
  }
  const isSlow = source === 'hpet' || source === 'acpi_pm' || source === 'xen';
  return {
    name: 'clock',
    status: isSlow ? 'warning' : 'ok',
    detail: isSlow ? `${source}: reading the time is a system call` : source,
    advice: isSlow ? [`choose tsc or kvm-clock in ${folder}, if it offers them`] : [],
  };
}

/** WebSocket players and HTTP requests take a file each. Null where the system does not tell. */
export function fileCheck(flows: number): Check | null {
  let limits: string;
  try {
    limits = readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return null;
  }
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  if (soft === undefined) return null;
  const wanted = flows + 256;
  const isEnough = Number(soft) >= wanted;
  return {
    name: 'open files',
    status: isEnough ? 'ok' : 'warning',
    detail: `${soft} at once; a WebSocket player takes one, UDP players none`,
    advice: isEnough ? [] : [`ulimit -n ${wanted} (systemd: LimitNOFILE=${wanted})`],
  };
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
