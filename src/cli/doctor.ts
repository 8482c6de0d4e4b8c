/** `doctor`: opens a server on the loopback as a game would, and tells what it got. */

import { accessSync, constants } from 'node:fs';
import { availableParallelism, release } from 'node:os';
import { delimiter, join } from 'node:path';
import { createConnectToken, GameServer, TransportError } from '../server/index.js';
import { AdvisedError } from '../util/errors.js';
import type { Io } from './io.js';
import { type Check, type Report, reportText, worstOf } from './report.js';
import { checkRoundTrip } from './round-trip.js';
import { bufferCheck, clockCheck, featureChecks, fileCheck } from './udp-checks.js';

export interface DoctorOptions {
  flows: number;
  threads: number;
  json?: boolean;
}

/** Names the .node file to load instead of the built one. */
const ADDON_VARIABLE = 'GGSCALE_TRANSPORT_ADDON';

/** Resolves the exit code: 0 unless something does not work. */
export async function doctor(options: DoctorOptions, version: string, io: Io): Promise<number> {
  const checks = await examine(options, io);
  const report: Report = {
    version,
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    kernel: release(),
    cpus: availableParallelism(),
    status: worstOf(checks),
    checks,
  };
  io.out(options.json ? `${JSON.stringify(report, null, 2)}\n` : reportText(report));
  return report.status === 'failure' ? 1 : 0;
}

async function examine({ flows, threads }: DoctorOptions, io: Io): Promise<Check[]> {
  const checks: Check[] = [];
  const common = { dev: true, logLevel: 'silent' as const };
  let server: GameServer;
  try {
    server = await GameServer.listen({ ...common, udp: { maxFlows: flows, threads } });
    checks.push({ name: 'addon', status: 'ok', detail: addonDetail(io), advice: [] });
  } catch (error) {
    checks.push(refusal(error, io));
    server = await GameServer.listen({ ...common, udp: false });
  }
  try {
    if (server.udp !== null) {
      const features = server.features();
      checks.push(...featureChecks(features, await clientGro()), bufferCheck(features, flows));
    }
    const others = [fileCheck(flows), server.udp === null ? null : clockCheck()];
    checks.push(...others.filter((check) => check !== null));
    if (server.udp !== null) {
      const advice = 'a firewall on the loopback (nft list ruleset), or a sandbox without UDP';
      checks.push(await checkRoundTrip(server, 'udp', advice));
    }
    const advice = 'a proxy (NODE_USE_ENV_PROXY, HTTP_PROXY) or a firewall on the loopback';
    checks.push(await checkRoundTrip(server, 'json-ws', advice));
  } finally {
    await server.close();
  }
  return checks;
}

/** Clients ask for more than servers: what they would get is asked of a client. */
async function clientGro(): Promise<boolean> {
  const { openClientRuntime } = await import('../runtime/open.js');
  const ignore = () => {};
  const runtime = openClientRuntime(
    {
      connectToken: createConnectToken({
        protocolId: 1n,
        privateKey: new Uint8Array(32),
        clientId: 1n,
        serverAddresses: ['127.0.0.1:9'],
        expireSeconds: 1,
        timeoutSeconds: 1,
      }),
      nx: 'off',
      registryHash: 0,
      seed: 1,
    },
    {
      handleFlowOpened: ignore,
      handleFlowReady: ignore,
      handleMessage: ignore,
      handleRawPayload: ignore,
      handleFlowMoved: ignore,
      handleFlowClosed: ignore,
      handleDrained: ignore,
      handleReceipt: ignore,
      handleWritable: ignore,
      handleTick: ignore,
      handleDeadline: ignore,
    },
  );
  const { gro } = runtime.features();
  runtime.close(1000, '');
  return gro === true;
}

function addonDetail({ env }: Io): string {
  const named = env[ADDON_VARIABLE] ?? '';
  return named === '' ? 'loads' : `loads, from ${ADDON_VARIABLE}=${named}`;
}

/** Why there is no UDP here, and what to do about it. */
function refusal(error: unknown, io: Io): Check {
  const code = error instanceof TransportError ? error.code : 'unknown';
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
  // What to do is in the advice, for this machine.
  const told = error instanceof AdvisedError ? error.what : null;
  const message = told ?? (error instanceof Error ? error.message : String(error));
  const detail = cause === '' || message.includes(cause) ? message : `${message}: ${cause}`;
  return { name: 'addon', status: 'failure', detail, advice: [...adviceFor(code, io), WITHOUT] };
}

const WITHOUT = 'until then servers start with `udp: false`, and clients fall back to WebSocket';

function adviceFor(code: string, io: Io): string[] {
  switch (code) {
    case 'addon-missing':
    case 'addon-mismatch':
      return [
        ...(io.env[ADDON_VARIABLE] ? [`unset ${ADDON_VARIABLE}, or let it name a good file`] : []),
        'npm install --include=optional: the addon is a package of its own, one per platform',
        'or build it, as follows',
        ...(hasProgram('cargo', io) ? [] : ['install Rust 1.88 or newer: https://rustup.rs']),
        ...(hasProgram('cc', io) ? [] : ['install a C compiler: apt-get install build-essential']),
        'npm rebuild @ggscale/transport (not with --ignore-scripts); in a checkout: npm run setup',
      ];
    case 'unsupported-runtime':
      return ['run the server with Node 20 or newer'];
    case 'unsupported-platform':
      return ['run the server on Linux; other systems have WebSocket only, for now'];
    case 'permission-denied':
      return ['a sandbox or seccomp profile refuses UDP sockets: allow them'];
    case 'out-of-memory':
      return ['fewer --flows, or more memory'];
    default:
      return [];
  }
}

function hasProgram(name: string, { env }: Io): boolean {
  const folders = [...(env.PATH ?? '').split(delimiter), join(env.HOME ?? '', '.cargo', 'bin')];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
