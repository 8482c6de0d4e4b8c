/** Parties: players who queue together. `Matchmaker` finds the match; this keeps the group. */
import type { Api } from '../api.js';
import { createRequestId } from '../http/request-id.js';
import type { CallOptions, TransportRequest } from '../http/transport.js';
import type { MatchRequest } from './match.js';
import { idPart, readId } from './path-parts.js';
import { fromWire, objectOf, toWire } from './wire.js';

/** What the whole party is queued with. */
export interface PartySettings {
  mode: string;
  fleetId?: number;
  region?: string;
  gameMode?: string;
  minCount: number;
  maxCount: number;
  countMultiple: number;
  allowCrossRegion: boolean;
  query?: string;
}

/** A member's own part of the matchmaking; the others see it. */
export interface PartyProperties {
  stringProperties?: Record<string, string>;
  numericProperties?: Record<string, number>;
  /** The game's own JSON, back as it was sent: escape it before it is shown. */
  attributes?: unknown;
}

export interface PartyMember extends PartyProperties {
  playerId: number;
  /** Of the latest matchmaking in this party. */
  ticketId?: number;
  /** The member is ready when this is the party's `rosterVersion`. */
  readyVersion: number;
  joinedAt: Date;
  lastSeenAt: Date;
  /** Without a heartbeat until then the member is out. */
  disconnectDeadline: Date;
}

export interface Party {
  id: number;
  projectId: number;
  leaderId: number;
  /** `idle`, `queued`, `matched`; an open set. */
  state: string;
  /** Writes name the version that they were made for. */
  version: number;
  rosterVersion: number;
  settings: PartySettings;
  maxMembers: number;
  currentQueueEntryId?: number;
  lastMatchId?: string;
  members: PartyMember[];
}

export interface PartyCode {
  id: number;
  code: string;
  expiresAt: Date;
  partyVersion: number;
}

export interface PartyInvite {
  id: number;
  partyId: number;
  /** What `acceptInvite` and `declineInvite` ask for. */
  partyVersion: number;
  targetId: number;
  expiresAt: Date;
}

/** A queueing that is sent again with the same key is the same queueing. */
export type QueueOptions = CallOptions & { idempotencyKey?: string };

/**
 * Each write names the version that the caller has seen; when the party has moved on it is refused with
 * `isStaleVersion`, and nothing has happened. The leader alone updates, disbands, kicks, invites and
 * queues: `isForbidden` for the others. `isNotFound`: no such party, or not its member any more.
 */
export class PartiesService {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** The caller leads it. */
  create(settings: MatchRequest, options?: CallOptions): Promise<Party> {
    const body = { settings: toWire(settings) };
    return this.#party('createParty', { method: 'POST', path: ROOT, body }, options);
  }

  /** The party that the caller is in, after a restart for example. */
  current(options?: CallOptions): Promise<Party> {
    return this.#party('getCurrentParty', { method: 'GET', path: `${ROOT}/current` }, options);
  }

  get(id: number, options?: CallOptions): Promise<Party> {
    return this.#party('getParty', { method: 'GET', path: pathOf(id) }, options);
  }

  /** Nobody is ready any more. */
  update(
    id: number,
    version: number,
    settings: MatchRequest,
    options?: CallOptions,
  ): Promise<Party> {
    const body = { expected_version: version, settings: toWire(settings) };
    return this.#party('updateParty', { method: 'PATCH', path: pathOf(id), body }, options);
  }

  disband(id: number, version: number, options?: CallOptions): Promise<Party> {
    return this.#write('disbandParty', 'DELETE', pathOf(id), version, options);
  }

  /** Every 10 s or so; who is silent for 30 s is out. */
  heartbeat(id: number, version: number, options?: CallOptions): Promise<Party> {
    return this.#write('heartbeatParty', 'POST', `${pathOf(id)}/heartbeat`, version, options);
  }

  /** `isCodeCooldown`: too many wrong codes, `retryAfter` says how long. */
  joinByCode(code: string, options?: CallOptions): Promise<Party> {
    const request = { method: 'POST', path: `${ROOT}/join`, body: { code } };
    return this.#party('joinPartyCode', request, options);
  }

  leave(id: number, version: number, options?: CallOptions): Promise<Party> {
    return this.#write('leaveParty', 'DELETE', `${pathOf(id)}/members/me`, version, options);
  }

  setReady(
    id: number,
    version: number,
    ready: boolean,
    { properties = {}, ...options }: CallOptions & { properties?: PartyProperties } = {},
  ): Promise<Party> {
    const path = `${pathOf(id)}/members/me/ready`;
    const body = { expected_version: version, ready, properties: toWire(properties) };
    return this.#party('readyPartyMember', { method: 'PUT', path, body }, options);
  }

  kick(id: number, version: number, playerId: number, options?: CallOptions): Promise<Party> {
    const path = `${pathOf(id)}/members/${idPart('playerId', playerId)}`;
    return this.#write('kickPartyMember', 'DELETE', path, version, options);
  }

  /** The codes before it are void. `maxUses`: 1 … 7, 7 when left out. */
  async createCode(
    id: number,
    version: number,
    { maxUses, ...options }: CallOptions & { maxUses?: number } = {},
  ): Promise<PartyCode> {
    const path = `${pathOf(id)}/invite-codes`;
    const body = { expected_version: version, max_uses: maxUses };
    const request = { method: 'POST', path, body };
    return objectOf(await this.#call('createPartyCode', request, options), 'party code');
  }

  revokeCode(id: number, version: number, codeId: number, options?: CallOptions): Promise<Party> {
    const path = `${pathOf(id)}/invite-codes/${idPart('codeId', codeId)}`;
    return this.#write('revokePartyCode', 'DELETE', path, version, options);
  }

  /** Who is invited already is not told again; the invitation lasts longer. */
  async inviteFriend(
    id: number,
    version: number,
    playerId: number,
    options?: CallOptions,
  ): Promise<PartyInvite> {
    const path = `${pathOf(id)}/invites`;
    const body = { expected_version: version, player_id: readId('playerId', playerId) };
    const request = { method: 'POST', path, body };
    return objectOf(await this.#call('invitePartyFriend', request, options), 'party invite');
  }

  /** What `party_invite` announces, and what was missed while away. */
  async listInvites(options?: CallOptions): Promise<PartyInvite[]> {
    const request = { method: 'GET', path: INVITES };
    const answer = await this.#call('listPartyInvites', request, options);
    return Array.isArray(answer) ? (fromWire(answer) as PartyInvite[]) : [];
  }

  acceptInvite(inviteId: number, partyVersion: number, options?: CallOptions): Promise<Party> {
    const path = `${INVITES}/${idPart('inviteId', inviteId)}/accept`;
    return this.#write('acceptPartyInvite', 'POST', path, partyVersion, options);
  }

  /** By who was invited, or by the leader, who takes it back. */
  async declineInvite(
    inviteId: number,
    partyVersion: number,
    options?: CallOptions,
  ): Promise<void> {
    const path = `${INVITES}/${idPart('inviteId', inviteId)}`;
    const body = { expected_version: partyVersion };
    await this.#call('declinePartyInvite', { method: 'DELETE', path, body }, options);
  }

  /** Everybody has to be ready. `isPartyEnqueueDisabled`: a setting of the server. */
  queue(
    id: number,
    version: number,
    { idempotencyKey, ...options }: QueueOptions = {},
  ): Promise<Party> {
    const body = { expected_version: version };
    const headers = keyHeader(idempotencyKey);
    const request = { method: 'POST', path: `${pathOf(id)}/queue`, body, headers };
    return this.#party('queueParty', request, options);
  }

  cancelQueue(id: number, version: number, options?: CallOptions): Promise<Party> {
    return this.#write('cancelPartyQueue', 'DELETE', `${pathOf(id)}/queue`, version, options);
  }

  /** Queues again with the party that `lastMatchId` was played by. */
  rematch(
    id: number,
    version: number,
    lastMatchId: string,
    { idempotencyKey, ...options }: QueueOptions = {},
  ): Promise<Party> {
    const body = { expected_version: version, last_match_id: lastMatchId };
    const headers = keyHeader(idempotencyKey);
    const request = { method: 'POST', path: `${pathOf(id)}/rematch`, body, headers };
    return this.#party('rematchParty', request, options);
  }

  #write(
    operationId: string,
    method: string,
    path: string,
    version: number,
    options: CallOptions | undefined,
  ): Promise<Party> {
    return this.#party(operationId, { method, path, body: { expected_version: version } }, options);
  }

  #call(
    operationId: string,
    request: TransportRequest,
    options: CallOptions | undefined,
  ): Promise<unknown> {
    return this.#api.callAsPlayer({ operationId, ...request }, options);
  }

  async #party(
    operationId: string,
    request: TransportRequest,
    options: CallOptions | undefined,
  ): Promise<Party> {
    return objectOf(await this.#call(operationId, request, options), 'party');
  }
}

const ROOT = '/v1/parties';
const INVITES = '/v1/party-invites';

function pathOf(id: number): string {
  return `${ROOT}/${idPart('id', id)}`;
}

/** With it the call may be retried as a GET is. */
function keyHeader(key: string | undefined): Record<string, string> {
  return { 'Idempotency-Key': key || createRequestId() };
}
