/** Counts by name. */
export type Counts = Record<string, number>;

export function count(counts: Counts, name: string, by = 1): void {
  counts[name] = (counts[name] ?? 0) + by;
}

export function addCounts(sums: Counts, more: Readonly<Counts>): void {
  for (const [name, by] of Object.entries(more)) count(sums, name, by);
}
