/** Messages to a server on the loopback and back, on one wire, through the public API. */
import { Client, WithHighPerformanceTransport } from '../sdk/index.js';
import type { GameServer } from '../server/index.js';
import type { Check } from './report.js';

const MESSAGES = 200;
const LIMIT_MS = 10_000;

export async function checkRoundTrip(
  server: GameServer,
  wire: 'udp' | 'json-ws',
  advice: string,
): Promise<Check> {
  const name = wire === 'udp' ? 'UDP' : 'WebSocket';
  try {
    const { medianMs, maxMs } = await measure(server, wire);
    const detail = `${MESSAGES} messages there and back: median ${shown(medianMs)}, longest ${shown(maxMs)}`;
    return { name, status: 'ok', detail, advice: [] };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { name, status: 'failure', detail, advice: [advice] };
  }
}

async function measure(
  server: GameServer,
  wire: 'udp' | 'json-ws',
): Promise<{ medianMs: number; maxMs: number }> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  const origin = `http://127.0.0.1:${server.http.port}`;
  const option = WithHighPerformanceTransport({ fallback: 'error' });
  const client = new Client(
    { apiKey: 'doctor', baseUrl: origin },
    ...(wire === 'udp' ? [option] : []),
  );
  const removeEcho = server.on('ping', (player, value) => player.send('ping', value));
  const connection = await client.dialGame(origin, { sessionToken: `doctor-${wire}`, signal });
  const times: number[] = [];
  try {
    for (let i = 0; i < MESSAGES; i++) {
      const startMs = performance.now();
      connection.send('ping', i);
      await connection.readMessage({ signal });
      times.push(performance.now() - startMs);
    }
  } finally {
    await connection.close();
    removeEcho();
  }
  times.sort((a, b) => a - b);
  return { medianMs: times[MESSAGES >> 1], maxMs: times[MESSAGES - 1] };
}

function shown(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 2 : 0)} ms`;
}
