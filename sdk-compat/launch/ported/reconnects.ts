/** The realtime connection: how it comes back, and how it is closed. */
import assert from 'node:assert/strict';
import * as sdk from '../../../src/sdk/index.js';
import { type ContractTest, errorOf } from './case.js';

function playerIdOf(client: sdk.Client): number {
  return client.session?.playerId ?? 0;
}

export const HOOK_AND_READS: ContractTest = {
  name: 'a reconnect hook cannot block reads',
  cases: [
    {
      name: 'a hook that never ends',
      async run(place) {
        let calls = 0;
        const client = await place.player({
          onRealtimeReconnect: () => {
            calls++;
            return new Promise<void>(() => {});
          },
        });
        const realtime = await client.dialRealtime();
        place.launch.sockets[0].drop();
        await place.launch.realtime.accepted(2);
        place.launch.realtime.push(playerIdOf(client), 'presence');
        assert.equal((await realtime.readMessage()).type, 'presence');
        assert.equal(calls, 1);
        await realtime.close();
      },
    },
    {
      name: 'a hook that throws',
      async run(place) {
        const client = await place.player({
          onRealtimeReconnect: () => {
            throw new Error('of the game');
          },
        });
        const realtime = await client.dialRealtime();
        place.launch.sockets[0].drop();
        await place.launch.realtime.accepted(2);
        place.launch.realtime.push(playerIdOf(client), 'presence');
        assert.equal((await realtime.readMessage()).type, 'presence');
        await realtime.close();
      },
    },
    {
      name: 'a hook may call the API with the client it is given',
      async run(place) {
        let ticket: Promise<unknown> | null = null;
        const hooked = new Promise<void>((resolve) => {
          void place
            .player({
              onRealtimeReconnect: (again) => {
                ticket = again.realtime.createTicket();
                resolve();
              },
            })
            .then((client) => client.dialRealtime())
            .then(() => place.launch.sockets[0].drop());
        });
        await hooked;
        assert.ok(await ticket);
      },
    },
  ],
};

export const CLOSE_TWICE: ContractTest = {
  name: 'close is idempotent',
  cases: [
    {
      name: 'twice at once and once more: one normal close at the server',
      async run(place) {
        const realtime = await (await place.player()).dialRealtime();
        await Promise.all([realtime.close(), realtime.close()]);
        await realtime.close();
        assert.deepEqual(await place.launch.sockets[0].closed, { code: 1000, reason: '' });
        assert.equal(place.launch.sockets.length, 1);
      },
    },
    {
      name: 'a read that waits is told, and so is every later one',
      async run(place) {
        const realtime = await (await place.player()).dialRealtime();
        const waiting = errorOf(realtime.readMessage());
        await realtime.close();
        assert.ok((await waiting) instanceof sdk.ErrConnectionClosed);
        assert.ok((await errorOf(realtime.readMessage())) instanceof sdk.ErrConnectionClosed);
      },
    },
    {
      name: 'after the server has closed',
      async run(place) {
        const realtime = await (await place.player()).dialRealtime();
        place.launch.sockets[0].close(1000, '');
        await errorOf(realtime.readMessage());
        await realtime.close();
        await realtime.close();
      },
    },
    {
      name: 'while it is reconnecting: it does not come back',
      async run(place) {
        const policy = { jitter: (capMs: number) => capMs };
        const client = await place.player({ reconnectPolicy: policy });
        const realtime = await client.dialRealtime();
        place.launch.sockets[0].drop();
        await place.launch.sockets[0].closed;
        await realtime.close();
        assert.ok((await errorOf(realtime.readMessage())) instanceof sdk.ErrConnectionClosed);
        assert.equal(place.launch.requestsTo('GET /v1/ws').length, 1);
      },
    },
  ],
};
