/** Receipts that a flow has not answered; several messages may have the same number. */
export class OpenReceipts {
  readonly #counts = new Map<number, number>();

  add(receipt: number): void {
    this.#counts.set(receipt, (this.#counts.get(receipt) ?? 0) + 1);
  }

  /** One of this number is answered, or goes elsewhere. False when none is open. */
  take(receipt: number): boolean {
    const count = this.#counts.get(receipt) ?? 0;
    if (count > 1) this.#counts.set(receipt, count - 1);
    else this.#counts.delete(receipt);
    return count > 0;
  }

  /** All that are open; none is afterwards. */
  takeAll(): number[] {
    const all: number[] = [];
    for (const [receipt, count] of this.#counts) {
      for (let i = 0; i < count; i++) all.push(receipt);
    }
    this.#counts.clear();
    return all;
  }
}
