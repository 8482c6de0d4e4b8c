/** How long a lost session is tried for, when the game server asks for more time than there is. */
import t from 'tap';
import { Resumer } from '../../src/sdk/resumer.js';
import type { SessionLinks } from '../../src/sdk/session-links.js';
import { serve } from './support.js';

const WINDOW_MS = 200;

for (const retryAfter of ['3600', '1000000000000']) {
  t.test(`Retry-After: ${retryAfter} does not keep it waiting beyond the window`, async (t) => {
    let requests = 0;
    const origin = await serve(t, (request, response) => {
      requests++;
      request.resume();
      response.writeHead(503, { 'Retry-After': retryAfter }).end();
    });
    const logger = { info() {}, warn() {} };
    const resumer = new Resumer({ origin, sessionToken: 'x', highPerformance: null, logger });
    const links = { link: null, isLinked: false, sessionId: 's' } as unknown as SessionLinks;
    t.equal(await resumer.resume(links, WINDOW_MS, new AbortController().signal), null);
    t.ok(requests <= 2, `${requests} requests`);
  });
}
