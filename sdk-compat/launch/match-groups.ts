/**
 * Which tickets become matches together. The oldest ticket that is free gathers others, of its own region
 * first, as long as all of them take each other and nobody's `max_count` is exceeded. Who has waited long
 * enough is content with less than that, and with players of other regions.
 */
import type { Properties, Query } from './match-query.js';
import type { Ticket } from './tickets.js';

/** Tickets of different pools never meet. */
export function poolOf({ mode, request }: Ticket): string {
  const region = mode === 'fleet_allocation' ? request.region : '';
  return JSON.stringify([mode, request.fleet ?? '', region ?? '', request.game_mode ?? '']);
}

/**
 * @param tickets of one pool, the oldest first
 * @param isRelaxed all of them have waited long enough
 */
export function formGroups(tickets: readonly Ticket[], isRelaxed: boolean): Ticket[][] {
  const groups: Ticket[][] = [];
  const free = new Set(tickets);
  for (const seed of tickets) {
    if (!free.has(seed)) continue;
    const group = gather(seed, [...free], isRelaxed);
    const size = sizeOf(group);
    const isFull = size > 0 && size === mostOf(group.slice(0, size));
    if (size === 0 || !(isFull || isRelaxed)) continue;
    const members = group.slice(0, size);
    for (const member of members) free.delete(member);
    groups.push(members);
  }
  return groups;
}

function gather(seed: Ticket, free: Ticket[], isRelaxed: boolean): Ticket[] {
  const group = [seed];
  const isNear = ({ request }: Ticket) => (request.region ?? '') === (seed.request.region ?? '');
  const others = [...free.filter(isNear), ...free.filter((ticket) => !isNear(ticket))];
  for (const other of others) {
    if (other === seed) continue;
    if (group.length === mostOf(group)) break;
    const fits = group.length < other.maxCount;
    if (fits && group.every((member) => takeEachOther(member, other, isRelaxed))) group.push(other);
  }
  return group;
}

function mostOf(group: readonly Ticket[]): number {
  return Math.min(...group.map(({ maxCount }) => maxCount));
}

/** The largest group of the oldest that suits each of them; 0: there is none. */
function sizeOf(group: readonly Ticket[]): number {
  for (let size = group.length; size > 0; size--) {
    const suits = ({ minCount, maxCount, countMultiple }: Ticket) =>
      size >= minCount && size <= maxCount && size % countMultiple === 0;
    if (group.slice(0, size).every(suits)) return size;
  }
  return 0;
}

function takeEachOther(a: Ticket, b: Ticket, isRelaxed: boolean): boolean {
  if (a.player === b.player || !areNear(a, b, isRelaxed)) return false;
  return takes(a.query, b) && takes(b.query, a);
}

/** Who names no region is near to everybody. */
function areNear(a: Ticket, b: Ticket, isRelaxed: boolean): boolean {
  const [here, there] = [a.request.region ?? '', b.request.region ?? ''];
  if (here === there || here === '' || there === '') return true;
  return isRelaxed && a.crossesRegions && b.crossesRegions;
}

function takes(query: Query, { request }: Ticket): boolean {
  const { region = '', game_mode = '', string_properties, numeric_properties } = request;
  const properties: Properties = {
    strings: { ...string_properties, region, game_mode },
    numbers: numeric_properties ?? {},
  };
  return query(properties);
}
