/** The fixture as a process of its own, and what it found out about itself. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./fixtures/one-message.ts', import.meta.url));

export interface Outcome {
  wire: string;
  answer: unknown;
  events: { event: string; reason: string }[];
  /** The native addon is among the libraries that the process has loaded. */
  hasAddon: boolean;
  /** Sockets of libuv or polled by the addon. */
  udpHandles: number;
  /** Inodes of the process's sockets that the kernel lists as UDP; null where it lists none. */
  udpSockets: number | null;
}

/** Runs the fixture in a process of its own, under the same loader as this test. */
export function runProgram(
  address: string,
  option: string,
  env: Record<string, string> = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const args = [...process.execArgv, PROGRAM, address, option];
    const options = { env: { ...process.env, ...env }, timeout: 30_000 };
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      if (error !== null) reject(new Error(`${error.message}\n${stderr}`));
      else resolve(JSON.parse(stdout) as Outcome);
    });
  });
}
