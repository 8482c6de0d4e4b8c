/** The text of a Bulk message, as the load expects it: the alphabet again and again. */
export function bulkText(bytes: number): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz';
  return alphabet.repeat(Math.ceil(bytes / alphabet.length)).slice(0, bytes);
}

/**
 * Whose turn it is to be sent bulk: everyone once a second, spread over its ticks, and nobody before its
 * last one is through.
 */
export class BulkTurns<P> {
  private readonly waiting = new Set<P>();
  private tick = 0;

  constructor(
    private readonly tickHz: number,
    /** Resolves when it is through. */
    private readonly send: (player: P) => Promise<void>,
  ) {}

  run(players: Iterable<P>): void {
    this.tick += 1;
    let index = 0;
    for (const player of players) {
      index += 1;
      if (index % this.tickHz !== this.tick % this.tickHz || this.waiting.has(player)) continue;
      this.waiting.add(player);
      void this.send(player).then(() => this.waiting.delete(player));
    }
  }
}
