/** Signing in, refreshing, verifying: what a session is and when it ends. */
import type { SessionBody } from './accounts.js';
import { type Check, equal, expect, isPlainText, isProblem } from './check.js';
import { LIMITS } from './contract.js';
import { call, post, signIn } from './test-support.js';

const SCORE = '/v1/leaderboards/1/scores';

function claimsOf(token: string): Record<string, number> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
}

export const SESSION_CHECKS: readonly Check[] = [
  {
    name: 'an access token is a JWT that ends when expires_at says, 15 minutes from now',
    async run({ time, player }) {
      const claims = claimsOf(player.access_token);
      const endMs = time.nowMs + LIMITS.accessTokenTtlMs;
      return [
        ...expect(/^[\w-]+\.[\w-]+\.[\w-]+$/.test(player.access_token), 'its form'),
        ...equal('exp', claims.exp * 1000, endMs),
        ...equal('expires_at', Date.parse(player.expires_at), endMs),
        ...equal('puid', claims.puid, player.player_id),
      ];
    },
  },
  {
    name: 'an access token counts until 30 s of clock skew after its end',
    async run({ launch, time, player }) {
      time.nowMs += LIMITS.accessTokenTtlMs + LIMITS.tokenLeewayMs - 1;
      const before = await post(launch, SCORE, { score: 1 }, player);
      time.nowMs += 1;
      const after = await post(launch, SCORE, { score: 1 }, player);
      return [...equal('before', before.status, 201), ...isPlainText(after, 401, 'unauthorized')];
    },
  },
  {
    name: 'an access token with one character changed is nobody’s',
    async run({ launch, player }) {
      const [head, body, signature] = player.access_token.split('.');
      const other = signature.startsWith('A') ? 'B' : 'A';
      const token = `${head}.${body}.${other}${signature.slice(1)}`;
      const answer = await call(launch, 'POST', '/v1/ws/ticket', undefined, { token });
      return isPlainText(answer, 401, 'unauthorized');
    },
  },
  {
    name: 'a refresh gives the same player new tokens and voids the old refresh token',
    async run({ launch, player }) {
      const { refresh_token } = player;
      const first = await post(launch, '/v1/auth/refresh', { refresh_token });
      const second = await post(launch, '/v1/auth/refresh', { refresh_token });
      const third = await post(launch, '/v1/auth/refresh', {
        refresh_token: first.body?.refresh_token,
      });
      return [
        ...equal('the player', first.body?.player_id, player.player_id),
        ...expect(first.body?.refresh_token !== refresh_token, 'the refresh token is the old one'),
        ...expect(first.body?.access_token !== player.access_token, 'the access token is the old'),
        ...isProblem(second, 401),
        ...equal('the detail', second.body?.detail, 'invalid refresh'),
        ...equal('the rotated one', third.status, 200),
      ];
    },
  },
  {
    name: 'a refresh token ends after 30 days',
    async run({ launch, time, player }) {
      time.nowMs += LIMITS.refreshTokenTtlMs;
      const { refresh_token } = player;
      return isProblem(await post(launch, '/v1/auth/refresh', { refresh_token }), 401);
    },
  },
  {
    name: 'a logout voids the refresh token, and a second one is no error',
    async run({ launch, player }) {
      const { refresh_token } = player;
      const first = await post(launch, '/v1/auth/logout', { refresh_token });
      const second = await post(launch, '/v1/auth/logout', { refresh_token });
      const refresh = await post(launch, '/v1/auth/refresh', { refresh_token });
      return [
        ...equal('first', first.status, 204),
        ...equal('second', second.status, 204),
        ...isProblem(refresh, 401),
      ];
    },
  },
  {
    name: 'a wrong password and an unknown email look the same',
    async run({ launch }) {
      const wrong = { email: 'player@example.com', password: 'wrong' };
      const unknown = { email: 'nobody@example.com', password: 'wrong' };
      const answers = [
        await post(launch, '/v1/auth/login', wrong),
        await post(launch, '/v1/auth/login', unknown),
      ];
      return [
        ...isProblem(answers[0], 401),
        ...equal('the detail', answers[0].body?.detail, 'invalid credentials'),
        ...equal('the other', answers[1].text, answers[0].text),
      ];
    },
  },
  {
    name: 'an email that was never verified does not sign in',
    options: { accounts: [{ email: 'new@example.com', password: 'p', isVerified: false }] },
    async run({ launch }) {
      const body = { email: 'new@example.com', password: 'p' };
      const answer = await post(launch, '/v1/auth/login', body);
      return [
        ...isProblem(answer, 403),
        ...equal('the detail', answer.body?.detail, 'email not verified'),
      ];
    },
  },
  {
    name: 'a custom token that the tenant did not sign is 401',
    async run({ launch }) {
      return isProblem(await post(launch, '/v1/auth/custom-token', { token: 'forged' }), 401);
    },
  },
  {
    name: 'one Steam ticket is one player, however often it signs in',
    async run({ launch }) {
      const ticket = '14000000048bcd42aabbccdd';
      const first = await post(launch, '/v1/auth/steam', { ticket });
      const second = await post(launch, '/v1/auth/steam', { ticket });
      return equal('the player', second.body?.player_id, first.body?.player_id);
    },
  },
  {
    name: 'verification names the player, and a revoked session is as invalid as any',
    async run({ launch, player }) {
      const body = { session_token: player.access_token };
      const options = { key: launch.secretKey };
      const path = '/v1/server/player-sessions/verify';
      const good = await call(launch, 'POST', path, body, options);
      launch.accounts.revoke(player.player_id);
      const revoked = await call(launch, 'POST', path, body, options);
      return [
        ...equal('the player', good.body?.player_id, player.player_id),
        ...equal('revoked', revoked.status, 401),
        ...equal('its body', revoked.text.trim(), '{"error":"invalid session"}'),
      ];
    },
  },
  {
    name: 'a score of a player appears in the board; beyond its bounds it is 422',
    async run({ launch, player }) {
      const token = player.access_token;
      await post(launch, SCORE, { score: 1500 }, player);
      await post(launch, SCORE, { score: 900 }, player);
      const beyond = await post(launch, SCORE, { score: 1_000_001 }, player);
      const top = await call(launch, 'GET', '/v1/leaderboards/1/top', undefined, { token });
      const wanted = JSON.stringify([{ player_id: player.player_id, score: 1500, rank: 0 }]);
      return [
        ...equal('the entries', JSON.stringify(top.body?.entries), wanted),
        ...isProblem(beyond, 422),
      ];
    },
  },
  {
    name: 'ranks are from 0, of equal scores the older player’s is first, without a score it is −1',
    async run({ launch, player }) {
      const others = [await signIn(launch), await signIn(launch), await signIn(launch)];
      const around = async ({ access_token: token }: SessionBody, radius: number) => {
        const path = `/v1/leaderboards/1/around-me?radius=${radius}`;
        const { body } = await call(launch, 'GET', path, undefined, { token });
        const entries: { player_id: number; rank: number }[] = body?.entries ?? [];
        return JSON.stringify([body?.self_rank, entries.map((it) => [it.player_id, it.rank])]);
      };
      const none = await around(player, 1);
      await post(launch, SCORE, { score: 7 }, others[1]);
      await post(launch, SCORE, { score: 7 }, others[0]);
      await post(launch, SCORE, { score: 1 }, others[2]);
      await post(launch, SCORE, { score: 9 }, player);
      const [first, second, third, last] = [player, ...others].map((it) => it.player_id);
      return [
        ...equal('without a score', none, '[-1,[]]'),
        ...equal('the first', await around(player, 1), `[0,[[${first},0],[${second},1]]]`),
        ...equal(
          'the third',
          await around(others[1], 1),
          `[2,[[${second},1],[${third},2],[${last},3]]]`,
        ),
      ];
    },
  },
  {
    name: 'a board of the server takes no score from a player',
    options: { leaderboards: [{ id: 1 }] },
    async run({ launch, player }) {
      return isProblem(await post(launch, SCORE, { score: 1 }, player), 403);
    },
  },
];
