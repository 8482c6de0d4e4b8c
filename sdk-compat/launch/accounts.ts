/** The players of the fake: how they sign in, and what their tokens are worth. */
import { createHmac, randomBytes } from 'node:crypto';
import { json, problem, Refusal } from './answers.js';
import { LIMITS } from './contract.js';

export interface Player {
  id: number;
  externalId: string;
  email: string | null;
  isBanned: boolean;
  /** Tokens of an older epoch are revoked. */
  epoch: number;
}

export interface EmailAccount {
  email: string;
  password: string;
  /** Default true. */
  isVerified?: boolean;
}

export interface SessionBody {
  access_token: string;
  refresh_token: string;
  player_id: number;
  expires_at: string;
}

export interface AccountTimes {
  now: () => number;
  accessTokenTtlMs: number;
  refreshTokenTtlMs: number;
}

const TENANT_ID = 3;
const PROJECT_ID = 7;

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** What a session token turned out to be. */
export type TokenCheck =
  | { is: 'good'; player: Player }
  | { is: 'expired' }
  | { is: 'revoked' }
  | { is: 'bad' };

export class Accounts {
  readonly #times: AccountTimes;
  readonly #key = randomBytes(32);
  readonly #players = new Map<number, Player>();
  readonly #byExternalId = new Map<string, Player>();
  readonly #emails = new Map<string, EmailAccount & { player: Player }>();
  /** Rotated: each is good for one refresh. */
  readonly #refreshTokens = new Map<string, { player: Player; expiresAtMs: number }>();
  readonly #customTokens = new Map<string, string>();

  constructor(times: AccountTimes) {
    this.#times = times;
  }

  addEmail(account: EmailAccount): Player {
    const player = this.#playerOf(`user_${randomBytes(16).toString('hex')}`);
    player.email = account.email;
    this.#emails.set(account.email, { ...account, player });
    return player;
  }

  /** From now on this tenant-signed token signs in as that external id. */
  acceptCustomToken(token: string, externalId: string): void {
    this.#customTokens.set(token, externalId);
  }

  find(playerId: number): Player | undefined {
    return this.#players.get(playerId);
  }

  /** Ends every session of the player: access tokens, refresh tokens. */
  revoke(playerId: number): void {
    const player = this.#players.get(playerId);
    if (player === undefined) throw new RangeError(`no player ${playerId}`);
    player.epoch++;
    this.#dropRefreshTokens(player);
  }

  login(body: { email?: string; password?: string }): SessionBody {
    const account = this.#emails.get(body.email ?? '');
    if (account === undefined || account.password !== body.password) {
      throw new Refusal(problem(401, 'invalid credentials'));
    }
    if (account.isVerified === false) throw new Refusal(problem(403, 'email not verified'));
    return this.#open(account.player);
  }

  customToken({ token }: { token: string }): SessionBody {
    const externalId = this.#customTokens.get(token);
    if (externalId === undefined) throw new Refusal(problem(401, 'invalid custom token'));
    return this.#open(this.#playerOf(externalId));
  }

  /** Every well-formed ticket is genuine here, and each is a Steam account of its own. */
  steam({ ticket }: { ticket: string }): SessionBody {
    if (!/^[0-9a-fA-F]{20,8192}$/.test(ticket)) {
      const message = 'expected string to match pattern ^[0-9a-fA-F]+$';
      const errors = [{ message, location: 'body.ticket', value: ticket }];
      throw new Refusal(problem(422, 'validation failed', { errors }));
    }
    return this.#open(this.#playerOf(`steam:${ticket}`));
  }

  anonymous(): SessionBody & { external_id: string } {
    const player = this.#playerOf(`anon_${randomBytes(16).toString('hex')}`);
    const { access_token, refresh_token, player_id, expires_at } = this.#open(player);
    return { access_token, refresh_token, player_id, external_id: player.externalId, expires_at };
  }

  /** The old refresh token is void with this. */
  refresh({ refresh_token: token }: { refresh_token: string }): SessionBody {
    const entry = this.#refreshTokens.get(token);
    this.#refreshTokens.delete(token);
    if (entry === undefined || entry.expiresAtMs <= this.#times.now()) {
      throw new Refusal(problem(401, 'invalid refresh'));
    }
    return this.#open(entry.player);
  }

  logout({ refresh_token: token }: { refresh_token: string }): void {
    this.#refreshTokens.delete(token);
  }

  /** A session as if the player had just signed in. */
  openFor(playerId: number): SessionBody {
    const player = this.#players.get(playerId);
    if (player === undefined) throw new RangeError(`no player ${playerId}`);
    return this.#open(player);
  }

  check(token: string): TokenCheck {
    const [head, body, signature, ...rest] = token.split('.');
    if (signature === undefined || rest.length > 0) return { is: 'bad' };
    if (this.#sign(`${head}.${body}`) !== signature) return { is: 'bad' };
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
    const player = this.#players.get(claims.puid);
    if (player === undefined) return { is: 'bad' };
    if (claims.exp * 1000 + LIMITS.tokenLeewayMs <= this.#times.now()) return { is: 'expired' };
    if ((claims.sepoch ?? 0) !== player.epoch) return { is: 'revoked' };
    return { is: 'good', player };
  }

  /** Of a game server. Every way to fail looks the same. */
  verify(body: unknown): { player_id: number; external_id: string; email?: string } {
    const { session_token: token, ...others } = (body ?? {}) as Record<string, unknown>;
    const isForm = typeof token === 'string' && Object.keys(others).length === 0;
    const check: TokenCheck = isForm ? this.check(token) : { is: 'bad' };
    if (check.is !== 'good' || check.player.isBanned) {
      throw new Refusal(json(401, { error: 'invalid session' }));
    }
    const { id, externalId, email } = check.player;
    return { player_id: id, external_id: externalId, ...(email !== null && { email }) };
  }

  #open(player: Player): SessionBody {
    if (player.isBanned) throw new Refusal(problem(403, 'account banned'));
    const now = this.#times.now();
    const expS = Math.floor((now + this.#times.accessTokenTtlMs) / 1000);
    const refreshToken = randomBytes(32).toString('hex');
    this.#refreshTokens.set(refreshToken, {
      player,
      expiresAtMs: now + this.#times.refreshTokenTtlMs,
    });
    return {
      access_token: this.#token(player, Math.floor(now / 1000), expS),
      refresh_token: refreshToken,
      player_id: player.id,
      expires_at: new Date(expS * 1000).toISOString().replace('.000Z', 'Z'),
    };
  }

  #token(player: Player, iat: number, exp: number): string {
    const head = base64url({ alg: 'HS256', typ: 'JWT' });
    const body = base64url({
      exp,
      iat,
      jti: randomBytes(16).toString('hex'),
      puid: player.id,
      tid: TENANT_ID,
      pid: PROJECT_ID,
      ...(player.epoch > 0 && { sepoch: player.epoch }),
    });
    return `${head}.${body}.${this.#sign(`${head}.${body}`)}`;
  }

  #sign(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url');
  }

  #playerOf(externalId: string): Player {
    const known = this.#byExternalId.get(externalId);
    if (known !== undefined) return known;
    const id = 41 + this.#players.size + 1;
    const player: Player = { id, externalId, email: null, isBanned: false, epoch: 0 };
    this.#players.set(id, player);
    this.#byExternalId.set(externalId, player);
    return player;
  }

  #dropRefreshTokens(player: Player): void {
    for (const [token, entry] of this.#refreshTokens) {
      if (entry.player === player) this.#refreshTokens.delete(token);
    }
  }
}
