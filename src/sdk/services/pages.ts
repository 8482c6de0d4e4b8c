import { fromWire } from './wire.js';

export interface Page<T> {
  items: T[];
  /** '' on the last page. */
  nextCursor: string;
}

export interface PageOptions {
  /** The server's default is 50, its maximum 100. */
  limit?: number;
  /** `nextCursor` of the page before; none: the first page. */
  cursor?: string;
}

export function pageOf<T>(answer: unknown, name = 'items'): Page<T> {
  const body = (answer ?? {}) as Record<string, unknown>;
  const items = Array.isArray(body[name]) ? body[name] : [];
  const nextCursor = typeof body.next_cursor === 'string' ? body.next_cursor : '';
  return { items: fromWire(items) as T[], nextCursor };
}

/** Everything on every page. A cursor that comes again would never end, so it ends. */
export async function* allPages<T>(
  first: string | undefined,
  read: (cursor: string | undefined) => Promise<Page<T>>,
): AsyncGenerator<T> {
  const seen = new Set<string>();
  for (let cursor = first; ; ) {
    const page = await read(cursor);
    yield* page.items;
    if (page.nextCursor === '' || seen.has(page.nextCursor)) return;
    seen.add(page.nextCursor);
    cursor = page.nextCursor;
  }
}
