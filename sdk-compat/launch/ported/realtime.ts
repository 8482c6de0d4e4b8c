/** The realtime connection: its ends and its returns. */
import assert from 'node:assert/strict';
import * as sdk from '../../../src/sdk/index.js';
import { plainText } from '../answers.js';
import { CLOSES, FRAMES } from '../contract.js';
import { type ContractTest, errorOf, type PortedCase } from './case.js';

export const TERMINAL_READ: ContractTest = {
  name: 'a terminal read repeats',
  cases: [
    {
      name: 'after a newer socket won, every read ends the same way',
      async run(place) {
        const client = await place.player();
        const older = await client.dialRealtime();
        const newer = await client.dialRealtime();
        const first = await errorOf(older.readMessage());
        const second = await errorOf(older.readMessage());
        assert.ok(
          first instanceof sdk.ErrConnectionClosed && !(first instanceof sdk.RealtimeError),
        );
        assert.deepEqual([first.closeCode, first.reason], [1000, '']);
        assert.equal(second, first);
        assert.equal(place.launch.sockets.length, 2); // it did not come back
        await newer.close();
      },
    },
    {
      name: 'after a connection that is lost for good, too',
      async run(place) {
        const client = await place.player({ reconnectPolicy: { disabled: true } });
        const realtime = await client.dialRealtime();
        place.launch.sockets[0].drop();
        const first = await errorOf(realtime.readMessage());
        assert.ok(first instanceof sdk.RealtimeError);
        assert.equal(first.closeCode, 1006);
        assert.equal(await errorOf(realtime.readMessage()), first);
      },
    },
    {
      name: 'a read that waits when it ends, and one after it, get the same',
      async run(place) {
        const client = await place.player({ reconnectPolicy: { disabled: true } });
        const realtime = await client.dialRealtime();
        const waiting = [errorOf(realtime.readMessage()), errorOf(realtime.readMessage())];
        place.launch.sockets[0].close(1011, 'oops');
        const [first, second] = await Promise.all(waiting);
        assert.equal(second, first);
        assert.equal(await errorOf(realtime.readMessage()), first);
      },
    },
    {
      name: 'what came before the end is read first',
      async run(place) {
        const realtime = await (await place.player()).dialRealtime();
        place.launch.sockets[0].push('presence', { status: 'online' });
        place.launch.sockets[0].close(1000, '');
        assert.equal((await realtime.readMessage()).type, 'presence');
        assert.ok((await errorOf(realtime.readMessage())) instanceof sdk.ErrConnectionClosed);
      },
    },
    {
      name: 'an iteration ends without an error where the close was normal',
      async run(place) {
        const realtime = await (await place.player()).dialRealtime();
        place.launch.sockets[0].push('presence');
        place.launch.sockets[0].close(1000, '');
        const types: string[] = [];
        for await (const { type } of realtime) types.push(type);
        assert.deepEqual(types, ['presence']);
      },
    },
  ],
};

/** One row of the contract's table of closes. */
function closeCase({ code, reason, means, reconnect }: (typeof CLOSES)[number]): PortedCase {
  return {
    name: `${code} (${means}) ${reconnect ? 'comes back' : 'is the end'}`,
    async run(place) {
      const realtime = await (await place.player()).dialRealtime();
      const [socket] = place.launch.sockets;
      if (code === 'none') socket.drop();
      else socket.close(code, reason);
      if (reconnect) {
        await place.launch.realtime.accepted(2);
        place.launch.sockets[1].push('presence');
        assert.equal((await realtime.readMessage()).type, 'presence');
      } else {
        await errorOf(realtime.readMessage());
        assert.equal(place.launch.requestsTo('GET /v1/ws').length, 1);
      }
      await realtime.close();
    },
  };
}

/** 1006 is never on the wire: it is what `none` is told as. */
const SENDABLE = CLOSES.filter(({ code }) => code !== 1006);

export const CLOSE_TABLE: ContractTest = {
  name: 'table of closes',
  cases: [
    ...SENDABLE.map(closeCase),
    {
      name: '1008 (policy) is the end, and an error',
      async run(place) {
        const realtime = await (await place.player()).dialRealtime();
        place.launch.sockets[0].close(1008, 'banned');
        const error = await errorOf(realtime.readMessage());
        assert.ok(error instanceof sdk.RealtimeError);
        assert.deepEqual([error.closeCode, error.reason], [1008, 'banned']);
        assert.equal(place.launch.requestsTo('GET /v1/ws').length, 1);
      },
    },
    {
      name: 'five attempts, then it is lost',
      async run(place) {
        const realtime = await (await place.player()).dialRealtime();
        place.launch.answer('GET /v1/ws', plainText(503, 'too many connections'));
        place.launch.sockets[0].drop();
        const error = await errorOf(realtime.readMessage());
        assert.ok(error instanceof sdk.RealtimeError);
        assert.ok(error.cause instanceof sdk.RealtimeDialError);
        assert.equal(place.launch.requestsTo('GET /v1/ws').length, 6);
      },
    },
    {
      name: 'the first delay is 0 to 5 s, the next ones double from 1 s',
      async run(place) {
        const caps: number[] = [];
        const jitter = (capMs: number) => {
          caps.push(capMs);
          return 0;
        };
        const client = await place.player({ reconnectPolicy: { jitter } });
        const realtime = await client.dialRealtime();
        place.launch.answer('GET /v1/ws', plainText(503, 'too many connections'));
        place.launch.sockets[0].drop();
        await errorOf(realtime.readMessage());
        assert.deepEqual(caps, [5000, 1000, 2000, 4000, 8000]);
      },
    },
    {
      name: 'a refusal of who we are ends it at once',
      async run(place) {
        const realtime = await (await place.player()).dialRealtime();
        place.launch.answer('GET /v1/ws', plainText(403, 'forbidden'));
        place.launch.sockets[0].drop();
        assert.ok((await errorOf(realtime.readMessage())) instanceof sdk.RealtimeError);
        assert.equal(place.launch.requestsTo('GET /v1/ws').length, 2);
      },
    },
  ],
};

const EVENTS = [
  sdk.EVENT_MATCHMAKER_MATCHED,
  sdk.EVENT_PRESENCE,
  sdk.EVENT_GAME_INVITE,
  sdk.EVENT_PARTY_CHANGED,
  sdk.EVENT_PARTY_INVITE,
];

export const FRAME_TYPES: ContractTest = {
  name: 'frames pass through',
  cases: [
    {
      name: 'the event names are the contract’s',
      async run() {
        assert.deepEqual([...EVENTS].sort(), Object.keys(FRAMES).sort());
      },
    },
    {
      name: 'known and unknown types, with and without payload, in order',
      async run(place) {
        const client = await place.player();
        const realtime = await client.dialRealtime();
        const [socket] = place.launch.sockets;
        socket.push('presence', { player_id: 7, status: 'online', session_id: null });
        socket.push('of_tomorrow', [1, 'two']);
        socket.push('bare');
        assert.deepEqual(await realtime.readMessage(), {
          type: 'presence',
          payload: { player_id: 7, status: 'online', session_id: null },
        });
        assert.deepEqual(await realtime.readMessage(), {
          type: 'of_tomorrow',
          payload: [1, 'two'],
        });
        assert.deepEqual(await realtime.readMessage(), { type: 'bare', payload: undefined });
        await realtime.close();
      },
    },
    {
      name: 'a frame that is none is an error of one read and ends nothing',
      async run(place) {
        const realtime = await (await place.player()).dialRealtime();
        const [socket] = place.launch.sockets;
        socket.pushText('{');
        socket.push('presence');
        assert.equal((await errorOf(realtime.readMessage())).kind, 'decode');
        assert.equal((await realtime.readMessage()).type, 'presence');
        await realtime.close();
      },
    },
    {
      name: 'pings are answered',
      async run(place) {
        const realtime = await (await place.player()).dialRealtime();
        const [socket] = place.launch.sockets;
        socket.ping();
        await socket.ponged(1);
        await realtime.close();
      },
    },
  ],
};
