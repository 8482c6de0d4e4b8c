/** The words (words.ts) on Bun, which has none of V8's gauges; and what is used of Bun's own API. */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Ready, type ServerMark, tell } from '../../suite/words.js';

/** As much of Bun's global as the servers use: https://bun.com/docs/api/udp and /websockets. */
export interface BunApi {
  udpSocket(options: {
    hostname: string;
    port: number;
    socket: {
      data(socket: BunUdpSocket, data: Uint8Array, port: number, address: string): void;
      drain(socket: BunUdpSocket): void;
    };
  }): Promise<BunUdpSocket>;
  serve(options: {
    hostname: string;
    port: number;
    fetch(request: Request, server: BunServer): Response | undefined;
    websocket: {
      perMessageDeflate: boolean;
      idleTimeout: number;
      message(socket: { send(data: string | Uint8Array): number }, data: string | Uint8Array): void;
    };
  }): BunServer;
}

export interface BunUdpSocket {
  readonly port: number;
  /** [data, port, address, data, port, address, …]; how many of them were taken. */
  sendMany(packets: readonly unknown[]): number;
}

export interface BunServer {
  readonly port: number;
  upgrade(request: Request): boolean;
}

export function bun(): BunApi {
  return (globalThis as unknown as { Bun: BunApi }).Bun;
}

export interface Echo {
  ready: Ready;
  mark(): Partial<ServerMark> & { echoed: number };
}

export async function serveOnBun(open: () => Promise<Echo>): Promise<void> {
  process.on('SIGINT', () => {});
  const echo = await open();
  const words = createInterface({ input: process.stdin });
  words.on('line', (word) => {
    if (word === 'mark' || word === 'pause') tell({ ...gauges(), ...echo.mark() });
    else if (word === 'stop') process.exit(0);
  });
  words.on('close', () => process.exit(0));
  tell(echo.ready);
}

function gauges(): Omit<ServerMark, 'echoed'> {
  const { user, system } = process.cpuUsage();
  return {
    cpuNs: (user + system) * 1000,
    systemCpuNs: system * 1000,
    threadCpuNs: threadCpuNs(),
    wallNs: Number(process.hrtime.bigint()),
    residentBytes: process.memoryUsage.rss(),
  };
}

/** Of the JavaScript thread, whose id is the process's: the others compile and collect. */
function threadCpuNs(): number {
  return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]);
}
