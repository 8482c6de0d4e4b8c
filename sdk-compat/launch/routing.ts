/** Which operation a request is for, and the gates in front of it: API key, key type, player session. */
import type { Accounts, Player } from './accounts.js';
import { plainText, Refusal } from './answers.js';
import { ENDPOINTS, type Endpoint, type Operation } from './contract.js';
import type { RecordedRequest } from './fake-server.js';
import type { RealtimeHub } from './realtime-hub.js';

export interface Gates {
  keys: Map<string, 'publishable' | 'secret'>;
  revokedKeys: Set<string>;
  accounts: Accounts;
  realtime: RealtimeHub;
}

export interface Found {
  operation: Operation;
  endpoint: Endpoint;
  /** By the names in the path. */
  params: Record<string, string>;
}

const ROUTES = Object.entries(ENDPOINTS).map(([operation, endpoint]) => {
  const pattern = endpoint.path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)');
  return {
    operation: operation as Operation,
    endpoint: endpoint as Endpoint,
    pattern: new RegExp(`^${pattern}/?$`),
  };
});

export function findOperation(method: string, path: string): Found | null {
  for (const { operation, endpoint, pattern } of ROUTES) {
    if (endpoint.method !== method) continue;
    const groups = pattern.exec(path)?.groups;
    if (groups === undefined && !pattern.test(path)) continue;
    const params = Object.entries(groups ?? {}).map(([name, text]) => [
      name,
      decodeURIComponent(text),
    ]);
    return { operation, endpoint, params: Object.fromEntries(params) };
  }
  return null;
}

export function requestKey(request: RecordedRequest): string | undefined {
  const id = request.headers['x-request-id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/** @throws Refusal 401, 403 in plain text @returns null where no player is asked for */
export function passGates(
  gates: Gates,
  tier: Endpoint['tier'],
  request: RecordedRequest,
): Player | null {
  if (tier === 'open') return null;
  const type = keyTypeOf(gates, request);
  if (tier === 'secret' && type !== 'secret') throw new Refusal(plainText(403, 'forbidden'));
  return tier === 'player' ? sessionOf(gates, request) : null;
}

/** A ticket counts only where no Authorization header is. */
export function realtimePlayer(gates: Gates, request: RecordedRequest): Player {
  const ticket = new URLSearchParams(request.query).get('ticket');
  if (request.headers.authorization !== undefined || ticket === null) {
    return passGates(gates, 'player', request) as Player;
  }
  const player = gates.realtime.redeemTicket(ticket);
  if (player === null) throw new Refusal(plainText(401, 'unauthorized'));
  return player;
}

export function keyTypeOf(gates: Gates, request: RecordedRequest): 'publishable' | 'secret' {
  const [, key] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '') ?? [];
  const type = key === undefined ? undefined : gates.keys.get(key.trim());
  if (type === undefined) throw new Refusal(plainText(401, 'unauthorized'));
  if (gates.revokedKeys.has(key.trim())) throw new Refusal(plainText(403, 'forbidden'));
  return type;
}

function sessionOf(gates: Gates, request: RecordedRequest): Player {
  const token = request.headers['x-session-token'];
  if (typeof token !== 'string' || token === '') throw new Refusal(plainText(401, 'unauthorized'));
  const check = gates.accounts.check(token);
  if (check.is === 'good') return check.player;
  if (check.is === 'bad') throw new Refusal(plainText(401, 'unauthorized'));
  const why = check.is === 'expired' ? 'token expired' : 'session revoked';
  const challenge = `Bearer error="invalid_token", error_description="${why}"`;
  throw new Refusal(plainText(401, 'unauthorized', { 'WWW-Authenticate': challenge }));
}
