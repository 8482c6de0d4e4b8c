/** The machine, and where its processors are spent: the server on one, the load on another. */
import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import { delimiter, join } from 'node:path';
import type { Machine } from './results.js';

const STATUS = '/proc/self/status';

/** Null where processes cannot be kept on a processor, or there is only one. */
export type Pinning = Machine['pinned'];

export function pinning(): Pinning {
  const cpus = allowedCpus();
  const folders = (process.env.PATH ?? '').split(delimiter);
  const hasTaskset = folders.some((folder) => existsSync(join(folder, 'taskset')));
  return cpus.length >= 2 && hasTaskset ? { server: cpus[cpus.length - 1], load: cpus[0] } : null;
}

/** A container's processors need not begin with 0. */
function allowedCpus(): number[] {
  const status = existsSync(STATUS) ? readFileSync(STATUS, 'latin1') : '';
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1];
  return list === undefined ? [...Array(os.availableParallelism()).keys()] : cpusOf(list);
}

/** Of a list as the kernel writes it, such as `0-3,8`. */
export function cpusOf(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** In front of a command. taskset becomes the program it starts: the process id is that program's. */
export function pinned(cpu: number | undefined): string[] {
  return cpu === undefined ? [] : ['taskset', '-c', `${cpu}`];
}

export function describeMachine(pins: Pinning): Machine {
  return {
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cpus: os.availableParallelism(),
    kernel: `${os.type()} ${os.release()}`,
    memoryBytes: os.totalmem(),
    pinned: pins,
  };
}

/**
 * Datagrams that the kernel dropped for want of room, over all UDP sockets on this port, since they were
 * bound: what SO_RXQ_OVFL counts, for servers that do not ask for it too. 0 where it is not told.
 *
 * @param pid a process in the same network namespace
 */
export function kernelDrops(pid: number, port: number): number {
  let text = '';
  try {
    text = readFileSync(`/proc/${pid}/net/udp`, 'latin1');
  } catch {
    return 0;
  }
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  let drops = 0;
  for (const line of text.split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/);
    if (columns[1]?.endsWith(suffix)) drops += Number(columns.at(-1));
  }
  return drops;
}
