/** What a request for a ticket comes to, or why it is refused. */
import { problem, Refusal } from './answers.js';
import { LIMITS } from './contract.js';
import { isPropertyKey, parseQuery, type Query } from './match-query.js';
import type { MatchMode, TicketRequest } from './tickets.js';

/** What is left out has its default. */
export interface TicketTerms {
  mode: MatchMode;
  minCount: number;
  maxCount: number;
  countMultiple: number;
  crossesRegions: boolean;
  query: Query;
}

const MODES: readonly string[] = ['match_only', 'game_session', 'fleet_allocation'];
/** Queries know them as properties; they are fields of the ticket. */
const RESERVED: readonly string[] = ['region', 'game_mode'];

/** @throws Refusal 400 */
export function readTicketRequest(
  request: TicketRequest,
  hasFleet: (name: string) => boolean,
): TicketTerms {
  const { fleet = '', allow_cross_region: cross, attributes } = request;
  const mode = request.mode || (fleet === '' ? 'match_only' : 'fleet_allocation');
  const isFleet = mode === 'fleet_allocation';
  const size = attributes === undefined ? 0 : Buffer.byteLength(JSON.stringify(attributes));
  if (size > LIMITS.attributesBytesMax) {
    throw refusal(`attributes must not exceed ${LIMITS.attributesBytesMax} bytes`);
  }
  if (!MODES.includes(mode)) throw refusal('unknown mode');
  if (isFleet && fleet === '') throw refusal('fleet is required for fleet_allocation');
  if (isFleet && cross !== undefined) {
    throw refusal('allow_cross_region is not supported for fleet_allocation');
  }
  if (!isFleet && fleet !== '') throw refusal('fleet is only valid for fleet_allocation');
  const counts = readCounts(request, mode);
  checkProperties(request);
  const query = queryOf(request.query ?? '');
  if (isFleet && !hasFleet(fleet)) throw refusal('unknown fleet');
  return { mode: mode as MatchMode, ...counts, crossesRegions: cross ?? true, query };
}

function readCounts(request: TicketRequest, mode: string) {
  const minCount = request.min_count || 1;
  const maxCount = request.max_count || minCount;
  const countMultiple = request.count_multiple || 1;
  const most = mode === 'game_session' ? LIMITS.roomPlayersMax : 2 ** 31 - 1;
  if (minCount < 0 || maxCount < 0 || countMultiple < 0) throw refusal('counts must be positive');
  if (minCount > maxCount) throw refusal('min_count must not exceed max_count');
  if (maxCount > most || countMultiple > most) throw refusal(`counts must not exceed ${most}`);
  if (Math.floor(maxCount / countMultiple) * countMultiple < minCount) {
    throw refusal('no roster size in [min_count, max_count] is a multiple of count_multiple');
  }
  return { minCount, maxCount, countMultiple };
}

function checkProperties({ string_properties = {}, numeric_properties = {} }: TicketRequest): void {
  for (const properties of [string_properties, numeric_properties]) {
    const keys = Object.keys(properties);
    if (keys.length > LIMITS.propertiesMax) {
      throw refusal(`at most ${LIMITS.propertiesMax} properties per kind`);
    }
    for (const key of keys) {
      if (!isPropertyKey(key)) throw refusal(`invalid property key "${key}"`);
      if (RESERVED.includes(key)) throw refusal(`property key "${key}" is reserved`);
    }
  }
  for (const [key, text] of Object.entries(string_properties)) {
    if (Buffer.byteLength(text) > LIMITS.propertyBytesMax) {
      throw refusal(`string property "${key}" exceeds ${LIMITS.propertyBytesMax} bytes`);
    }
  }
}

function queryOf(text: string): Query {
  try {
    return parseQuery(text);
  } catch (error) {
    throw refusal((error as Error).message);
  }
}

function refusal(detail: string): Refusal {
  return new Refusal(problem(400, detail));
}
