/** Cloud saves and the remote config. */
import { type Check, equal, isProblem, type Subject } from './check.js';
import { type Answer, call } from './test-support.js';

const SLOT = '/v1/storage/objects/slot';

function put({ launch, player }: Subject, value: unknown, ifMatch?: string): Promise<Answer> {
  const headers: Record<string, string> = ifMatch === undefined ? {} : { 'If-Match': ifMatch };
  return call(launch, 'PUT', SLOT, value, { token: player.access_token, headers });
}

export const STORAGE_CHECKS: readonly Check[] = [
  {
    name: 'a write over the version that stands counts it up, over another it is 412',
    async run(subject) {
      const first = await put(subject, { level: 1 });
      const second = await put(subject, { level: 2 }, '1');
      const stale = await put(subject, { level: 3 }, '1');
      const { launch, player } = subject;
      const read = await call(launch, 'GET', SLOT, undefined, { token: player.access_token });
      return [
        ...equal('the first version', first.body?.version, 1),
        ...equal('the second version', second.body?.version, 2),
        ...isProblem(stale, 412),
        ...equal('what stands', JSON.stringify(read.body?.value), '{"level":2}'),
      ];
    },
  },
  {
    name: 'an If-Match that is no version is 400',
    async run(subject) {
      return isProblem(await put(subject, {}, '"one"'), 400);
    },
  },
  {
    name: 'a deleted object is 404, and deleting it again is no error',
    async run(subject) {
      const { launch, player } = subject;
      const options = { token: player.access_token };
      await put(subject, {});
      const first = await call(launch, 'DELETE', SLOT, undefined, options);
      const second = await call(launch, 'DELETE', SLOT, undefined, options);
      const read = await call(launch, 'GET', SLOT, undefined, options);
      return [
        ...equal('first', first.status, 204),
        ...equal('second', second.status, 204),
        ...isProblem(read, 404),
      ];
    },
  },
  {
    name: 'the remote config has an ETag, with which it is 304 and empty',
    options: { config: { speed: 7 } },
    async run({ launch }) {
      const first = await call(launch, 'GET', '/v1/config');
      const etag = first.headers.get('ETag') ?? '';
      const headers = { 'If-None-Match': etag };
      const second = await call(launch, 'GET', '/v1/config', undefined, { headers });
      return [
        ...equal('the values', first.text.trim(), '{"speed":7}'),
        ...equal('Cache-Control', first.headers.get('Cache-Control'), 'no-cache'),
        ...equal('the form of the ETag', /^"remote-config-[0-9a-f]{64}"$/.test(etag), true),
        ...equal('the second status', second.status, 304),
        ...equal('its body', second.text, ''),
        ...equal('its ETag', second.headers.get('ETag'), etag),
      ];
    },
  },
];
