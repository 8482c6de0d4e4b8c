/** A page of another origin than the game server, in headless Chromium. */
import t from 'tap';
// @ts-expect-error: JavaScript
import { bundleForBrowsers } from '../../scripts/bundle-size.mjs';
import { listen } from '../game/support.js';
import { openBrowser, SKIP } from './chromium.js';
import { PageServer } from './page-server.js';

const SCRIPT = `
  import * as ggscale from '@ggscale/transport';
  globalThis.echo = async (address) => {
    const client = new ggscale.Client({ apiKey: 'test', baseUrl: address });
    try {
      const game = await client.dialGame(address, { sessionToken: 'anna' });
      game.send('say', 'hello');
      const { value } = await game.readMessage();
      await game.close();
      return value;
    } catch ({ name }) {
      return name;
    }
  };
`;

const browser = await openBrowser(t);

t.test(
  'a page of another origin plays when it is listed, and only then',
  { skip: SKIP },
  async (t) => {
    const { text } = await bundleForBrowsers(SCRIPT, { format: 'iife' });
    const pages = await PageServer.open(text, 9);
    t.teardown(() => pages.close());
    const page = await browser.newPage();
    await page.goto(pages.origin);
    for (const [allowedOrigins, wanted] of [
      [[pages.origin], 'hello'],
      [['https://play.example'], 'RequestError'],
      [[], 'RequestError'],
    ] as const) {
      const server = await listen({ udp: false, ws: { allowedOrigins: [...allowedOrigins] } });
      server.on('say', (player, value) => player.send('say', value));
      const { host, port } = server.http;
      t.equal(await page.evaluate(`echo('http://${host}:${port}')`), wanted, `${allowedOrigins}`);
      await server.close();
    }
    await page.close();
  },
);
