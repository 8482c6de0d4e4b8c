import { integer } from '../../util/option-checks.js';
import type { Api } from '../api.js';
import type { CallOptions } from '../http/transport.js';
import { allPages, type Page, type PageOptions, pageOf } from './pages.js';
import { idPart } from './path-parts.js';
import { listOf, objectOf } from './wire.js';

export interface LeaderboardEntry {
  playerId: number;
  score: number;
  /** From 0: the first is rank 0. */
  rank: number;
  displayName?: string;
  metadata?: unknown;
}

export interface AroundMe {
  entries: LeaderboardEntry[];
  /** From 0; −1: the player has no score there, and `entries` is empty. */
  selfRank: number;
}

export interface Leaderboard {
  id: number;
  name: string;
  sortOrder: string;
  scoreOperator: string;
  /** Whether players may submit themselves; else `server.submitScore`. */
  clientSubmissions: boolean;
  resetSchedule: string;
  currentPeriod: number;
  attemptCap?: number;
  scoreMin?: number;
  scoreMax?: number;
  periodStartedAt?: Date;
  nextResetAt?: Date;
  metadata?: unknown;
}

/** A reset interval that is over. */
export interface LeaderboardPeriod {
  period: number;
  startedAt: Date;
  endedAt: Date;
}

export interface LeaderboardPeriods extends Page<LeaderboardPeriod> {
  currentPeriod: number;
  resetSchedule: string;
  periodStartedAt?: Date;
  nextResetAt?: Date;
}

export class LeaderboardsService {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async list(options?: CallOptions): Promise<Leaderboard[]> {
    return listOf(await this.#get('listLeaderboards', BOARDS, {}, options), 'leaderboards');
  }

  /** As the player, where the leaderboard permits that. `metadata` is the game's own JSON. */
  async submit(
    leaderboardId: number,
    score: number,
    { metadata, ...options }: CallOptions & { metadata?: unknown } = {},
  ): Promise<void> {
    const path = `${BOARDS}/${idPart('leaderboardId', leaderboardId)}/scores`;
    const body = { score, metadata };
    const request = { operationId: 'submitScore', method: 'POST', path, body };
    await this.#api.callAsPlayer(request, options);
  }

  async top(
    leaderboardId: number,
    { limit, ...options }: CallOptions & { limit?: number } = {},
  ): Promise<LeaderboardEntry[]> {
    const path = `${BOARDS}/${idPart('leaderboardId', leaderboardId)}/top`;
    return listOf(await this.#get('leaderboardTop', path, { limit }, options), 'entries');
  }

  /** The player's rank, and who is within `radius` places of it (left out: 5, at most 50). */
  async aroundMe(
    leaderboardId: number,
    { radius, ...options }: CallOptions & { radius?: number } = {},
  ): Promise<AroundMe> {
    const path = `${BOARDS}/${idPart('leaderboardId', leaderboardId)}/around-me`;
    return objectOf(await this.#get('leaderboardAroundMe', path, { radius }, options), 'ranking');
  }

  /** The player and friends; ranks are those among them. */
  async friends(leaderboardId: number, options?: CallOptions): Promise<LeaderboardEntry[]> {
    const path = `${BOARDS}/${idPart('leaderboardId', leaderboardId)}/friends`;
    return listOf(await this.#get('leaderboardFriends', path, {}, options), 'entries');
  }

  /** The intervals that are over, and how things stand now. */
  async periods(
    leaderboardId: number,
    { limit, cursor }: PageOptions = {},
    options?: CallOptions,
  ): Promise<LeaderboardPeriods> {
    const path = `${BOARDS}/${idPart('leaderboardId', leaderboardId)}/periods`;
    const query = { limit, cursor: cursor || undefined };
    const answer = await this.#get('listLeaderboardPeriods', path, query, options);
    const { periods, ...now } = objectOf<LeaderboardPeriods & { periods?: unknown }>(
      answer,
      'list of periods',
    );
    return { ...now, ...pageOf<LeaderboardPeriod>(answer, 'periods') };
  }

  allPeriods(
    leaderboardId: number,
    list: PageOptions = {},
    options?: CallOptions,
  ): AsyncGenerator<LeaderboardPeriod> {
    return allPages(list.cursor, (cursor) =>
      this.periods(leaderboardId, cursor === undefined ? list : { ...list, cursor }, options),
    );
  }

  /** As `top`, of one interval. */
  async periodTop(
    leaderboardId: number,
    period: number,
    { limit, ...options }: CallOptions & { limit?: number } = {},
  ): Promise<LeaderboardEntry[]> {
    const board = `${BOARDS}/${idPart('leaderboardId', leaderboardId)}`;
    const path = `${board}/periods/${integer('period', period, 0, Number.MAX_SAFE_INTEGER)}/top`;
    return listOf(await this.#get('leaderboardPeriodTop', path, { limit }, options), 'entries');
  }

  #get(
    operationId: string,
    path: string,
    query: Record<string, number | string | undefined>,
    options: CallOptions | undefined,
  ): Promise<unknown> {
    return this.#api.callAsPlayer({ operationId, method: 'GET', path, query }, options);
  }
}

const BOARDS = '/v1/leaderboards';
