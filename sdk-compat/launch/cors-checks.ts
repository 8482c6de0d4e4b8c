/** Pages of other origins. */
import { type Check, equal, expect } from './check.js';
import { CORS } from './contract.js';
import { call, RawSocket, tryConnect } from './test-support.js';

const ORIGIN = 'https://play.example';
const ALLOW_ORIGIN = 'Access-Control-Allow-Origin';

function preflight(headers: Record<string, string>) {
  return {
    key: null,
    headers: { Origin: ORIGIN, 'Access-Control-Request-Method': 'POST', ...headers },
  };
}

export const CORS_CHECKS: readonly Check[] = [
  {
    name: 'a page may ask with the headers that clients send, after a preflight without a key',
    async run({ launch }) {
      const names = CORS.requestHeaders.join(',').toLowerCase();
      const options = preflight({ 'Access-Control-Request-Headers': names });
      const { status, headers } = await call(
        launch,
        'OPTIONS',
        '/v1/ws/ticket',
        undefined,
        options,
      );
      const allowed = (headers.get('Access-Control-Allow-Headers') ?? '').split(', ').join(',');
      return [
        ...equal('the status', status, 200),
        ...equal('the origin', headers.get(ALLOW_ORIGIN), '*'),
        ...equal('the method', headers.get('Access-Control-Allow-Methods'), 'POST'),
        ...equal('the headers', allowed, names),
        ...equal('seconds', headers.get('Access-Control-Max-Age'), String(CORS.maxAgeS)),
      ];
    },
  },
  {
    name: 'a page may read the answer and the headers that clients read, of refusals too',
    async run({ launch }) {
      const options = { key: null, headers: { Origin: ORIGIN } };
      const { status, headers } = await call(launch, 'POST', '/v1/ws/ticket', undefined, options);
      const exposed = headers.get('Access-Control-Expose-Headers');
      return [
        ...equal('the status', status, 401),
        ...equal('the origin', headers.get(ALLOW_ORIGIN), '*'),
        ...equal('the headers', exposed, CORS.exposedHeaders.join(', ')),
      ];
    },
  },
  {
    name: 'a preflight for another header or method grants nothing',
    async run({ launch }) {
      const header = preflight({ 'Access-Control-Request-Headers': 'x-api-key' });
      const method = preflight({ 'Access-Control-Request-Method': 'TRACE' });
      const answers = [
        await call(launch, 'OPTIONS', '/v1/ws/ticket', undefined, header),
        await call(launch, 'OPTIONS', '/v1/ws/ticket', undefined, method),
      ];
      return answers.flatMap(({ status, headers }) => [
        ...equal('the status', status, 200),
        ...equal('the origin', headers.get(ALLOW_ORIGIN), null),
      ]);
    },
  },
  {
    name: 'who is no page hears nothing of origins',
    async run({ launch }) {
      const { headers } = await call(launch, 'GET', '/v1/healthz');
      return equal('the origin', headers.get(ALLOW_ORIGIN), null);
    },
  },
  {
    name: 'a realtime socket is for pages of the server’s own host, whatever the list says',
    options: { allowedOrigins: [ORIGIN] },
    async run({ launch, player }) {
      const dial = (origin: string) =>
        tryConnect(launch, { token: player.access_token, headers: { Origin: origin } });
      const [theirs, ours] = [await dial(ORIGIN), await dial(launch.url)];
      return [
        ...equal('another page', theirs instanceof RawSocket ? 101 : theirs.status, 403),
        ...expect(ours instanceof RawSocket, 'a page of its own', ours),
      ];
    },
  },
  {
    name: 'with a list of origins, pages of others may do nothing',
    options: { allowedOrigins: [ORIGIN] },
    async run({ launch }) {
      const of = async (origin: string) => {
        const { headers } = await call(launch, 'GET', '/v1/healthz', undefined, {
          headers: { Origin: origin },
        });
        const asked = preflight({ Origin: origin });
        const answer = await call(launch, 'OPTIONS', '/v1/healthz', undefined, asked);
        return [headers.get(ALLOW_ORIGIN), answer.headers.get(ALLOW_ORIGIN)].join();
      };
      const [ours, theirs] = [await of(ORIGIN), await of('https://play.example.org')];
      return [
        ...equal('a listed page', ours, `${ORIGIN},${ORIGIN}`),
        ...expect(theirs === ',', 'another page', theirs),
      ];
    },
  },
];
