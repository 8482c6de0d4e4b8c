import { randomFillSync } from 'node:crypto';

/** A call into OpenSSL costs a hundred times what the bytes of a ticket do. */
const STOCK_BYTES = 4096;

const stock = Buffer.alloc(STOCK_BYTES);
let used = STOCK_BYTES;

/** `count` ≤ 4096 random bytes, fit for secrets. They are given once, and forgotten here. */
export function takeRandomBytes(count: number): Buffer {
  if (used + count > STOCK_BYTES) {
    randomFillSync(stock);
    used = 0;
  }
  const bytes = Buffer.alloc(count); // of its own: Node's pool would keep secrets
  stock.copy(bytes, 0, used, used + count);
  stock.fill(0, used, used + count);
  used += count;
  return bytes;
}
