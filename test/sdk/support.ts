import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FakeLaunch, type FakeLaunchOptions } from '../../sdk-compat/launch/fake-server.js';
import { Client, type ClientOptions, EmailPasswordAuth } from '../../src/sdk/index.js';

interface Test {
  teardown(work: () => unknown): void;
}

export const ANNA = { email: 'anna@example.com', password: 'correct horse' };

/** Retries and reconnections that wait for nothing. */
export const AT_ONCE = { jitter: () => 0 };

export interface Started {
  launch: FakeLaunch;
  client: Client;
}

export async function start(
  t: Test,
  options: Partial<ClientOptions> = {},
  fake: FakeLaunchOptions = {},
): Promise<Started> {
  const launch = await FakeLaunch.start({ accounts: [ANNA], ...fake });
  t.teardown(() => launch.close());
  return { launch, client: clientOf(launch, options) };
}

export function clientOf(launch: FakeLaunch, options: Partial<ClientOptions> = {}): Client {
  return new Client({
    apiKey: launch.publishableKey,
    baseUrl: launch.url,
    retryPolicy: AT_ONCE,
    ...options,
  });
}

export async function startLoggedIn(
  t: Test,
  options: Partial<ClientOptions> = {},
  fake: FakeLaunchOptions = {},
): Promise<Started> {
  const started = await start(t, options, fake);
  await started.client.login(new EmailPasswordAuth(ANNA.email, ANNA.password));
  return started;
}

/** The client's session, about to end or long good. */
export function expireIn(client: Client, ms: number): void {
  const { session } = client;
  if (session === null) throw new Error('nobody is logged in');
  client.setSession({ ...session, expiresAt: new Date(Date.now() + ms) });
}

export function bodyOf(request: { body: Uint8Array }): unknown {
  return JSON.parse(Buffer.from(request.body).toString('utf8'));
}

/** Another origin than the fake's: what it answers, and what came. */
export async function serve(
  t: Test,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Errors as values: for looking at more of one than `rejects` does. */
export async function errorOf(work: Promise<unknown>): Promise<Record<string, unknown> & Error> {
  return work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error,
  );
}
