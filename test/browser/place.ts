/** A page in headless Chromium that plays with the SDK, behind a relay that can be made to fail. */
import type { Browser, Page } from 'puppeteer-core';
// @ts-expect-error: JavaScript
import { bundleForBrowsers } from '../../scripts/bundle-size.mjs';
import { createRegistry } from '../../src/messages/index.js';
import type { LeaveInfo, Player } from '../../src/server/index.js';
import { listen } from '../game/support.js';
import { WORKLOAD_TYPES as TYPES } from '../messages/workload-types.js';
import { TcpRelay } from '../support/relays.js';
import { PageServer } from './page-server.js';

export type Name = keyof typeof TYPES;
export type Game = Record<string, unknown>;
export const registry = createRegistry(TYPES) as never;

const SCRIPT = `
  import * as ggscale from '@ggscale/transport';
  import * as messages from '@ggscale/transport/messages';

  const registry = ggscale.createRegistry(
    Object.fromEntries(${JSON.stringify(Object.keys(TYPES))}.map((name) => [name, messages[name]])),
  );
  /** Dials this page's origin; what comes is kept in \`received\`, as [type, value]. */
  globalThis.dial = async (sessionToken, highPerformance) => {
    globalThis.warnings = [];
    const logger = { info() {}, warn: (fields) => warnings.push(fields) };
    const options = highPerformance ? [ggscale.WithHighPerformanceTransport(highPerformance)] : [];
    const client = new ggscale.Client({ apiKey: 'test', baseUrl: location.origin, logger }, ...options);
    globalThis.game = await client.dialGame(location.origin, { sessionToken, registry });
    globalThis.received = [];
    globalThis.ended = game.closed.then((info) => (globalThis.endInfo = info));
    void (async () => {
      for await (const { type, value } of game) received.push([type, value]);
    })();
  };
  const channel = new MessageChannel(); // turns of timers take 4 ms
  globalThis.turn = () =>
    new Promise((resolve) => {
      channel.port1.onmessage = resolve;
      channel.port2.postMessage(null);
    });
  /** Name and code of what \`work\` throws. */
  globalThis.failure = async (work) => {
    try {
      await work();
      return null;
    } catch ({ name, code, message }) {
      return { name, code, message };
    }
  };
`;

/** JavaScript that runs in the page; its value must be JSON. */
export type Run = <T = unknown>(code: string) => Promise<T>;

interface Teardown {
  teardown(work: () => unknown): void;
}

export interface Place {
  server: Awaited<ReturnType<typeof listen<Game>>>;
  relay: TcpRelay;
  page: Page;
  run: Run;
  /** Suspensions, resumptions and leaves, in order. */
  history: string[];
  leaves: LeaveInfo[];
  player(): Player<Game>;
}

/** A server behind a relay, and a page of that origin. */
export async function place(
  t: Teardown,
  browser: Browser,
  options = {},
  prepare: (page: Page) => Promise<unknown> = async () => {},
): Promise<Place> {
  const relay = await TcpRelay.open();
  const server = await listen<Game>({ registry, ...options });
  relay.serverPort = server.http.port;
  const { text } = await bundleForBrowsers(SCRIPT, { format: 'iife' });
  const pages = await PageServer.open(text, relay.port);
  const page = await browser.newPage();
  await prepare(page);
  await page.goto(pages.origin);
  t.teardown(async () => {
    if (browser.connected && !page.isClosed()) await page.close();
    await server.close();
    await relay.close();
    await pages.close();
  });
  const history: string[] = [];
  const leaves: LeaveInfo[] = [];
  server.onSuspend(({ id }, { code }) => history.push(`${id} suspended ${code}`));
  server.onResume(({ id }) => history.push(`${id} resumed`));
  server.onLeave(({ id }, info) => {
    leaves.push(info);
    history.push(`${id} left ${info.code}`);
  });
  const run: Run = (code) => page.evaluate(`(async () => { ${code} })()`) as Promise<never>;
  const player = () => server.players.get('anna') as Player<Game>;
  return { server, relay, page, run, history, leaves, player };
}
