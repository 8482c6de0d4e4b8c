/** Tickets, and links by clients of our own making, for tests of what a server lets in. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { ClosedFlow, RuntimeHandler } from '../../src/runtime/handler.js';
import { openClientRuntime } from '../../src/runtime/open.js';
import type { GameServer } from '../../src/server/index.js';

type AnyServer = Pick<GameServer, 'http'>;

interface Ticket {
  ticket: string;
  connectToken: string;
}

export async function askTicket(server: AnyServer, playerId: string, resume?: string) {
  const response = await fetch(`http://127.0.0.1:${server.http.port}/v1/game/ticket`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Session-Token': playerId },
    body: JSON.stringify({ resume }),
  });
  const retryAfter = response.headers.get('Retry-After');
  return {
    status: response.status,
    retryAfter,
    body: (await response.json()) as Ticket & { code: string },
  };
}

/** A WebSocket that lets this player in. */
export async function openPlayerSocket(server: AnyServer, playerId: string): Promise<WebSocket> {
  const { body } = await askTicket(server, playerId);
  const { port } = server.http;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/game/ws?ticket=${body.ticket}`);
  await once(socket, 'open');
  return socket;
}

/** How a WebSocket with this ticket ends, or fails to begin. */
export function openWebSocket(
  server: AnyServer,
  ticket: string,
): { opened: Promise<void>; ended: Promise<string> } {
  const socket = new WebSocket(`ws://127.0.0.1:${server.http.port}/v1/game/ws?ticket=${ticket}`);
  const ended = new Promise<string>((resolve) => {
    socket.on('error', (error) => resolve(error.message));
    socket.on('close', (code, reason) => resolve(`${code} ${reason}`));
  });
  return { opened: new Promise((resolve) => socket.on('open', resolve)), ended };
}

/** A flow with this token by a client that says nothing once it is ready. */
export function openFlow(
  t: { teardown(work: () => unknown): void },
  connectToken: string,
): { ready: Promise<void>; ended: Promise<ClosedFlow> } {
  let setReady = () => {};
  let setEnded: (closed: ClosedFlow) => void = () => {};
  const ready = new Promise<void>((resolve) => {
    setReady = resolve;
  });
  const ended = new Promise<ClosedFlow>((resolve) => {
    setEnded = resolve;
  });
  const nothing = () => {};
  const handler: RuntimeHandler = {
    handleFlowOpened: nothing,
    handleFlowReady: () => setReady(),
    handleMessage: nothing,
    handleRawPayload: nothing,
    handleFlowMoved: nothing,
    handleFlowClosed: (_slot, closed) => {
      setEnded(closed);
    },
    handleDrained: nothing,
    handleReceipt: nothing,
    handleWritable: nothing,
    handleTick: nothing,
    handleDeadline: nothing,
  };
  const runtime = openClientRuntime(
    { connectToken: Buffer.from(connectToken, 'base64'), nx: 'allow', registryHash: 0, seed: 1 },
    handler,
  );
  t.teardown(() => runtime.close(1000, ''));
  return { ready, ended };
}
