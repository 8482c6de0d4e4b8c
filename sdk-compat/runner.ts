/** One run of one program, and the one token by which its two runs differ. Runs in pages too. */
import { Client, WithHighPerformanceTransport } from '../src/index.js';
import type { RunOfClient } from './compare.js';
import { PROGRAMS } from './programs/index.js';
import { Recorder } from './transcript.js';

/** `json-ws`: the option is off; `udp`: it is on. */
export type Option = 'json-ws' | 'udp';

export const OPTIONS: readonly Option[] = ['json-ws', 'udp'];

/** The launch API that a program's client gets to know. */
export interface LaunchFace {
  url: string;
  publishableKey: string;
}

/** Of programs that need none. */
const NOBODY: LaunchFace = { url: 'http://127.0.0.1:1', publishableKey: 'conformance' };

/** Only a hang takes this long. */
export const RUN_MS_MAX = 60_000;

/** The program's part of a run; what the server saw is added by who holds the server. */
export async function runProgram(
  name: string,
  option: Option,
  address: string,
  launch: LaunchFace | null = null,
): Promise<RunOfClient> {
  const fallbacks: string[] = [];
  const logger = {
    info() {},
    warn(fields: object) {
      const { event, reason } = fields as { event: string; reason?: string };
      fallbacks.push(event === 'transport.fallback' ? `${reason}` : event);
    },
  };
  const { url: baseUrl, publishableKey: apiKey } = launch ?? NOBODY;
  const options = { apiKey, baseUrl, logger };
  const client =
    option === 'udp' ? new Client(options, WithHighPerformanceTransport()) : new Client(options);
  const recorder = new Recorder();
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, RUN_MS_MAX, `not at its end after ${RUN_MS_MAX} ms`);
  });
  const end = PROGRAMS[name].run(client, address, recorder.log).then(
    () => null,
    (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error)),
  );
  const failure = await Promise.race([end, limit]);
  clearTimeout(timer);
  return { lanes: recorder.lanes, fallbacks, failure };
}
