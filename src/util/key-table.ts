const FREE = 0;

/**
 * Open addressing from a pair of int32 to a handle ≠ 0, linear probing, deletion by backward shift
 * (Knuth, TAOCP 3, 6.4 algorithm R), so no tombstones pile up.
 *
 * Invariant: at most half of the cells are taken; every pair is reachable from its home without a
 * gap.
 */
export class KeyTable {
  size = 0;
  private cells: Int32Array;
  private mask: number;

  constructor(capacityLog2: number) {
    this.cells = new Int32Array(3 << capacityLog2);
    this.mask = (1 << capacityLog2) - 1;
  }

  /** The handle, or 0. */
  get(owner: number, key: number): number {
    return this.cells[this.find(owner, key) * 3 + 2];
  }

  set(owner: number, key: number, handle: number): void {
    let index = this.find(owner, key);
    if (this.cells[index * 3 + 2] === FREE) {
      if (this.size * 2 > this.mask) {
        this.grow();
        index = this.find(owner, key);
      }
      this.size += 1;
    }
    this.cells[index * 3] = owner;
    this.cells[index * 3 + 1] = key;
    this.cells[index * 3 + 2] = handle;
  }

  delete(owner: number, key: number): void {
    let hole = this.find(owner, key);
    const cells = this.cells;
    if (cells[hole * 3 + 2] === FREE) {
      return;
    }
    this.size -= 1;
    cells[hole * 3 + 2] = FREE;
    for (let index = (hole + 1) & this.mask; ; index = (index + 1) & this.mask) {
      if (cells[index * 3 + 2] === FREE) {
        return;
      }
      const home = this.home(cells[index * 3], cells[index * 3 + 1]);
      if (((index - home) & this.mask) >= ((index - hole) & this.mask)) {
        cells.copyWithin(hole * 3, index * 3, index * 3 + 3);
        cells[index * 3 + 2] = FREE;
        hole = index;
      }
    }
  }

  private home(owner: number, key: number): number {
    const mixed = Math.imul(owner ^ Math.imul(key, 0x85ebca6b), 0x9e3779b1);
    return (mixed ^ (mixed >>> 15)) & this.mask;
  }

  private find(owner: number, key: number): number {
    const cells = this.cells;
    let index = this.home(owner, key);
    while (
      cells[index * 3 + 2] !== FREE &&
      (cells[index * 3] !== owner || cells[index * 3 + 1] !== key)
    ) {
      index = (index + 1) & this.mask;
    }
    return index;
  }

  private grow(): void {
    const old = this.cells;
    this.cells = new Int32Array(old.length * 2);
    this.mask = this.mask * 2 + 1;
    this.size = 0;
    for (let index = 0; index < old.length; index += 3) {
      if (old[index + 2] !== FREE) {
        this.set(old[index], old[index + 1], old[index + 2]);
      }
    }
  }
}
