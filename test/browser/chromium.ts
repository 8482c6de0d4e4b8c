/** Headless Chromium, and what serves its pages. */
import { existsSync } from 'node:fs';
import { type Browser, launch } from 'puppeteer-core';

const PLACES = [
  process.env.CHROME_PATH ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
];

const executablePath = PLACES.find((path) => path !== '' && existsSync(path));

/** Why tests in a browser do not run here; false: they do. */
export const SKIP: string | false =
  executablePath === undefined && 'no Chromium: set CHROME_PATH, or install it';

/** One browser for all tests of a file, closed after them; none where they are skipped. */
export async function openBrowser(t: { teardown(work: () => unknown): void }): Promise<Browser> {
  if (SKIP !== false) return null as never;
  const browser = await launchChromium();
  t.teardown(() => browser.close());
  return browser;
}

/** Chromium's sandbox refuses root, and its shared memory is too small in containers. */
export function launchChromium(args: string[] = [], protocolTimeout = 30_000): Promise<Browser> {
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return launch({
    executablePath: executablePath as string,
    protocolTimeout,
    args: ['--disable-dev-shm-usage', ...sandbox, ...args],
  });
}
