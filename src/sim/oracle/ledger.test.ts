import t from 'tap';
import { fillPayload, scratch } from '../workload/payload.js';
import { Ledger } from './ledger.js';
import { Violation } from './violation.js';

const SALT = 99;

/** A book with a message of `bytes` each time it is asked. */
class Book extends Ledger {
  say(
    mode: number,
    bytes: number,
    o: { expiresUs?: number; key?: number; replaced?: boolean } = {},
  ) {
    this.accept(1, mode, bytes, 100, o.expiresUs ?? 0, o.key ?? 0, o.replaced ?? false);
    return this.count - 1;
  }

  hear(number: number, mode: number, bytes: number): void {
    fillPayload(number, SALT, bytes);
    this.deliver(1, mode, scratch, 0, bytes, 200, 50);
  }
}

function broken(
  t: Pick<typeof import('tap').default, 'fail' | 'equal'>,
  oracle: string,
  work: () => void,
): void {
  try {
    work();
    t.fail(`${oracle} did not speak`);
  } catch (error) {
    t.equal(error instanceof Violation ? error.oracle : error, oracle);
  }
}

t.test('ordered messages may skip only what can expire', async (t) => {
  const book = new Book('a', SALT);
  for (const expiresUs of [0, 50, 0, 0]) book.say(3, 20, { expiresUs });
  book.hear(0, 3, 20);
  book.hear(2, 3, 20);
  t.equal(book.mandatory, 1);
  t.equal(book.expirable, 1);
  broken(t, 'order', () => book.hear(1, 3, 20));
  const other = new Book('b', SALT);
  for (let i = 0; i < 3; i++) other.say(3, 20);
  broken(t, 'order', () => other.hear(1, 3, 20));
});

t.test('a message takes over the place of the one it replaces', async (t) => {
  const book = new Book('a', SALT);
  book.say(3, 20, { key: 5 });
  book.say(3, 20);
  const newer = book.say(3, 30, { key: 5, replaced: true });
  t.equal(book.mandatory, 2);
  book.hear(newer, 3, 30);
  book.hear(1, 3, 20);
  t.equal(book.mandatory, 0);
  broken(t, 'unknown-message', () => book.hear(0, 3, 20));
  broken(t, 'send-result', () => book.say(3, 20, { key: 5, replaced: true }));
});

t.test('messages too short for their number are known by their content', async (t) => {
  const book = new Book('a', SALT);
  const numbers = [0, 1, 2, 3, 0].map((bytes) => book.say(2, bytes));
  for (const number of [...numbers].reverse()) book.hear(number, 2, [0, 1, 2, 3, 0][number]);
  t.equal(book.mandatory, 0);
  broken(t, 'unknown-message', () => book.hear(0, 2, 0));
});

t.test('a book tells what is missing', async (t) => {
  const book = new Book('a', SALT);
  for (let i = 0; i < 3; i++) book.say(2, 1000);
  book.hear(1, 2, 1000);
  broken(t, 'lost-reliable', () => book.checkComplete());
  broken(t, 'drained-early', () => book.checkDrained(3));
  t.equal(book.firstMissing(), 0);
  book.hear(0, 2, 1000);
  book.checkDrained(2);
  book.hear(2, 2, 1000);
  book.checkComplete();
  t.equal(book.firstMissing(), -1);
});

t.test('nothing comes before its send, nor faster than the path', async (t) => {
  const book = new Book('a', SALT);
  broken(t, 'before-send', () => book.hear(0, 2, 20));
  book.say(2, 20);
  fillPayload(0, SALT, 20);
  broken(t, 'before-send', () => book.deliver(1, 2, scratch, 0, 20, 140, 50));
});

t.test('every byte of every length at every address is compared', async (t) => {
  const shifted = new Uint8Array(4096);
  for (const length of [4, 5, 63, 191, 192, 193, 194, 195, 196, 1000, 1024]) {
    for (let offset = 0; offset < 4; offset++) {
      for (const wrong of [4, 5, 6, 7, 8, 9, 10, 11, length >> 1, length - 2, length - 1]) {
        if (wrong < 4 || wrong >= length) continue;
        const book = new Book('a', SALT);
        book.say(2, length);
        fillPayload(0, SALT, length);
        shifted.set(scratch.subarray(0, length), offset);
        shifted[offset + wrong] ^= 0x10;
        try {
          book.deliver(1, 2, shifted, offset, length, 200, 0);
          t.fail(`byte ${wrong} of ${length} at ${offset}`);
        } catch (error) {
          if (!String(error).includes(`byte ${wrong} of ${length}`)) t.fail(String(error));
        }
        shifted[offset + wrong] ^= 0x10;
        book.deliver(1, 2, shifted, offset, length, 200, 0);
      }
    }
  }
});
