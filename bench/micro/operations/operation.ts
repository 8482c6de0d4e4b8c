/** One thing to measure: it can be done any number of times, and says each time how it went. */
export interface Operation {
  group: Group;
  name: string;
  /**
   * Does it once. The number depends on everything that was done and is always `expected`, so that nothing
   * of it can be left out and nothing can go wrong unseen.
   */
  run(): number;
  expected: number;
  /** Of the encoded message or packet, where there is one. */
  bytes?: number;
}

export const GROUPS = ['codec', 'header', 'ack', 'packet', 'channel', 'ring'] as const;
export type Group = (typeof GROUPS)[number];

/** Sums of the numbers that operations returned, modulo 2^32. */
export class Sink {
  value = 0;
  calls = 0;

  add(result: number): void {
    this.value = (this.value + result) | 0;
    this.calls += 1;
  }

  /** @throws Error when a call returned something else than `expected` */
  check({ name, expected }: Operation): void {
    if (this.calls === 0) throw new Error(`${name}: never called`);
    const sum = Math.imul(this.calls, expected);
    if (this.value !== sum) {
      throw new Error(`${name}: ${this.calls} calls sum up to ${this.value} instead of ${sum}`);
    }
  }
}
