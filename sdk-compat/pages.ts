/**
 * Programs in headless Chromium: each run has a page of its own. No game server is of its origin; the
 * launch server is, as its realtime socket wants it. One run at a time.
 */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { build } from 'esbuild';
import type { Browser } from 'puppeteer-core';
import { launchChromium } from '../test/browser/chromium.js';
import { PageServer } from '../test/browser/page-server.js';
import type { RunOfClient } from './compare.js';
import type { Players, RunRequest } from './players.js';
import { RUN_MS_MAX } from './runner.js';

/** The package, wherever this file was compiled to. */
const ROOT = dirname(createRequire(import.meta.url).resolve('@ggscale/transport/package.json'));

/** What is compiled: there the package's `browser` field has its effect, as for any page. */
const SCRIPT = `
  import { runProgram } from './dist/sdk-compat/runner.js';
  globalThis.runProgram = runProgram;
`;

/** Without a launch server nothing is asked of the page's own server but the page. */
const NO_BACK_PORT = 9;

export class Pages implements Players {
  readonly origin: string;
  readonly #browser: Browser;
  readonly #server: PageServer;

  private constructor(browser: Browser, server: PageServer) {
    this.#browser = browser;
    this.#server = server;
    this.origin = server.origin;
  }

  static async open(): Promise<Pages> {
    const server = await PageServer.open(await bundle(), NO_BACK_PORT);
    return new Pages(await launchChromium([], 2 * RUN_MS_MAX), server);
  }

  async run({ program, option, address, launch }: RunRequest): Promise<RunOfClient> {
    this.#server.backPort = launch === null ? NO_BACK_PORT : Number(new URL(launch.url).port);
    const face = launch && { ...launch, url: this.origin };
    const page = await this.#browser.newPage();
    const strays: string[] = [];
    page.on('pageerror', (error) => strays.push(String(error)));
    try {
      await page.goto(this.origin);
      const given = [program, option, address, face].map((value) => JSON.stringify(value));
      const ended = (await page.evaluate(`runProgram(${given.join(', ')})`)) as RunOfClient;
      // In Node what nobody catches would have ended the process.
      return strays.length === 0 ? ended : { ...ended, failure: strays.join('; ') };
    } finally {
      await page.close();
    }
  }

  async end(): Promise<void> {
    await this.#browser.close();
    await this.#server.close();
  }
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: SCRIPT, resolveDir: ROOT, sourcefile: 'page.js' },
    bundle: true,
    platform: 'browser',
    format: 'iife',
    keepNames: true, // programs log the names of error classes
    write: false,
    logLevel: 'silent',
    absWorkingDir: ROOT,
  });
  return outputFiles[0].text;
}
