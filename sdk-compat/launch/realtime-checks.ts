/** The WebSocket: its gates, its tickets, its pings, its ends. */
import { once } from 'node:events';
import { type Check, equal, expect, headerOf, isPlainText, type Subject } from './check.js';
import { LIMITS, REALTIME } from './contract.js';
import {
  call,
  connect,
  post,
  RawSocket,
  type Rejection,
  signIn,
  tryConnect,
} from './test-support.js';

/** An upgrade that has to be rejected. */
async function rejected(
  launch: Subject['launch'],
  options: Parameters<typeof tryConnect>[1],
): Promise<Rejection> {
  const socket = await tryConnect(launch, options);
  if (!(socket instanceof RawSocket)) return socket;
  socket.socket.terminate();
  return { status: 101, headers: {}, text: '' };
}

function gate(
  name: string,
  status: number,
  text: string,
  optionsOf: (subject: Subject) => Parameters<typeof tryConnect>[1],
): Check {
  return {
    name: `an upgrade ${name} is ${status} in plain text`,
    async run(subject) {
      return isPlainText(await rejected(subject.launch, optionsOf(subject)), status, text);
    },
  };
}

async function ticketOf({ launch, player }: Subject): Promise<string> {
  return (await post(launch, '/v1/ws/ticket', undefined, player)).body.ticket;
}

/** An unhurried end: code and reason, 1006 without a close frame. */
async function endOf(socket: RawSocket): Promise<string> {
  const { code, reason } = await socket.closed;
  return `${code} ${reason}`.trim();
}

const GATES: readonly Check[] = [
  gate('without an API key', 401, 'unauthorized', ({ player }) => ({
    key: null,
    token: player.access_token,
  })),
  gate('with an unknown API key', 401, 'unauthorized', ({ player }) => ({
    key: 'ggp_unknown',
    token: player.access_token,
  })),
  gate('without a session', 401, 'unauthorized', () => ({})),
  gate('with a session of nobody', 401, 'unauthorized', () => ({ token: 'not.a.token' })),
  gate('with an expired session', 401, 'unauthorized', ({ time, player }) => {
    time.nowMs += LIMITS.accessTokenTtlMs + LIMITS.tokenLeewayMs;
    return { token: player.access_token };
  }),
  gate('with a revoked key', 403, 'forbidden', ({ launch, player }) => {
    launch.revokeKey(launch.publishableKey);
    return { token: player.access_token };
  }),
  gate('with a ticket of nobody', 401, 'unauthorized', () => ({ key: null, ticket: 'forged' })),
  {
    name: 'the path of the WebSocket without an upgrade is 426, behind the same gates',
    async run({ launch, player }) {
      const token = player.access_token;
      const { method, path } = REALTIME;
      const known = await call(launch, method, path, undefined, { token });
      const unknown = await call(launch, method, path, undefined, {});
      return [...equal('known', known.status, 426), ...isPlainText(unknown, 401, 'unauthorized')];
    },
  },
];

const TICKETS: readonly Check[] = [
  {
    name: 'a ticket is 43 characters of base64url, for 30 seconds',
    async run({ launch, player }) {
      const { body } = await post(launch, '/v1/ws/ticket', undefined, player);
      return [
        ...expect(/^[\w-]{43}$/.test(body.ticket), 'its form', body.ticket),
        ...equal('expires_in_seconds', body.expires_in_seconds, 30),
      ];
    },
  },
  {
    name: 'a ticket opens one socket, without any header',
    async run(subject) {
      const { launch, player } = subject;
      const ticket = await ticketOf(subject);
      const first = await tryConnect(launch, { key: null, ticket });
      const second = await rejected(launch, { key: null, ticket });
      return [
        ...expect(first instanceof RawSocket, 'the first was rejected', first),
        ...equal('the player', launch.sockets[0]?.playerId, player.player_id),
        ...isPlainText(second, 401, 'unauthorized'),
      ];
    },
  },
  {
    name: 'a ticket ends after 30 seconds',
    async run(subject) {
      const ticket = await ticketOf(subject);
      subject.time.nowMs += LIMITS.realtimeTicketTtlMs;
      const options = { key: null, ticket };
      return isPlainText(await rejected(subject.launch, options), 401, 'unauthorized');
    },
  },
  {
    name: 'a ticket of a session that was revoked meanwhile is void',
    async run(subject) {
      const ticket = await ticketOf(subject);
      subject.launch.accounts.revoke(subject.player.player_id);
      const options = { key: null, ticket };
      return isPlainText(await rejected(subject.launch, options), 401, 'unauthorized');
    },
  },
  {
    name: 'with an Authorization header the ticket does not count',
    async run(subject) {
      const ticket = await ticketOf(subject);
      return isPlainText(await rejected(subject.launch, { ticket }), 401, 'unauthorized');
    },
  },
];

const ENDS: readonly Check[] = [
  {
    name: 'a newer socket of the player ends the older one with 1000 and no reason',
    async run({ launch, player }) {
      const older = await connect(launch, player);
      const newer = await connect(launch, player);
      const end = await endOf(older);
      launch.realtime.push(player.player_id, 'presence', { status: 'online' });
      const { type } = JSON.parse(await newer.text());
      return [...equal('the end', end, '1000'), ...equal('the newer one hears', type, 'presence')];
    },
  },
  {
    name: 'another player’s socket ends nobody’s',
    async run({ launch, player }) {
      const mine = await connect(launch, player);
      await connect(launch, await signIn(launch));
      launch.realtime.push(player.player_id, 'presence');
      return equal('the frame', await mine.text(), '{"type":"presence"}');
    },
  },
  {
    name: 'a socket that breaks has no close frame',
    async run({ launch, player }) {
      const socket = await connect(launch, player);
      launch.sockets[0].drop();
      return equal('the end', await endOf(socket), '1006');
    },
  },
  {
    name: 'a message of 1 MiB is read, one byte more ends the socket with 1009',
    async run({ launch, player }) {
      const socket = await connect(launch, player);
      const [served] = launch.sockets;
      socket.socket.send('x'.repeat(LIMITS.frameBytesMax));
      socket.socket.ping();
      await once(socket.socket, 'pong'); // it has read all that came before
      const read = served.received.map(({ length }) => length);
      socket.socket.send('x'.repeat(LIMITS.frameBytesMax + 1));
      return [
        ...equal('what was read', read.join(), String(LIMITS.frameBytesMax)),
        ...equal('the end', await endOf(socket), '1009'),
      ];
    },
  },
];

const PINGS: readonly Check[] = [
  {
    name: 'a ping is due every 30 seconds',
    async run({ launch, time, player }) {
      await connect(launch, player);
      return equal('the interval', time.intervalsMs.join(), '30000');
    },
  },
  {
    name: 'a ping comes, and an answered one keeps the socket',
    async run({ launch, time, player }) {
      const { socket } = await connect(launch, player);
      for (let count = 1; count <= 3; count++) {
        const pinged = once(socket, 'ping').then(() => 'a ping');
        const ended = once(socket, 'close').then(() => 'the end');
        time.tick();
        const first = await Promise.race([pinged, ended]);
        if (first === 'the end') return [`ended at ping ${count}`];
        await launch.sockets[0].ponged(count);
      }
      return [];
    },
  },
  {
    name: 'an unanswered ping ends the socket at the next one, without a close frame',
    async run({ launch, time, player }) {
      const socket = await tryConnect(launch, { token: player.access_token, autoPong: false });
      if (!(socket instanceof RawSocket)) return ['rejected'];
      const pinged = once(socket.socket, 'ping');
      time.tick();
      await pinged;
      time.tick();
      return equal('the end', await endOf(socket), '1006');
    },
  },
  {
    name: 'a revoked session ends its socket at the next ping, without a close frame',
    async run({ launch, time, player }) {
      const socket = await connect(launch, player);
      launch.accounts.revoke(player.player_id);
      time.tick();
      return equal('the end', await endOf(socket), '1006');
    },
  },
];

/** Sockets that were replaced and do not answer the close: they hold their slot. */
async function holdSlots({ launch, player }: Subject, count: number): Promise<RawSocket[]> {
  const held: RawSocket[] = [];
  for (let index = 0; index < count; index++) {
    const socket = await connect(launch, player);
    socket.socket.pause();
    held.push(socket);
  }
  return held;
}

const CAPS: readonly Check[] = [
  {
    name: 'a player has at most 4 sockets; one more is 503, without Retry-After',
    async run(subject) {
      const held = await holdSlots(subject, LIMITS.socketsPerPlayerMax);
      const told = await rejected(subject.launch, { token: subject.player.access_token });
      for (const { socket } of held) socket.terminate();
      return [
        ...isPlainText(told, 503, 'too many connections for this user'),
        ...equal('Retry-After', headerOf(told, 'Retry-After'), null),
      ];
    },
  },
  {
    name: 'beyond the tenant’s cap an upgrade is 503 with Retry-After: 5',
    async run({ launch, player }) {
      launch.realtime.tenantSocketsMax = 0;
      const told = await rejected(launch, { token: player.access_token });
      return [
        ...isPlainText(told, 503, 'too many connections'),
        ...equal('Retry-After', headerOf(told, 'Retry-After'), '5'),
      ];
    },
  },
];

export const REALTIME_CHECKS: readonly Check[] = [...GATES, ...TICKETS, ...ENDS, ...PINGS, ...CAPS];
