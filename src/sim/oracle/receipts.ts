/**
 * The receipts of one direction of one flow: each that was asked for is told once, and what it says
 * is true.
 *
 *   ACKED    the other end's application was given the message; or RL1 there holds it behind an
 *            earlier one, gave a later one out first (sequenced), or set it aside (unreliable pieces)
 *   LOST     it was unreliable; it may have arrived all the same
 *   DROPPED  it never comes, and it was allowed to expire or was replaced
 */
import { RECEIPT_ACKED, RECEIPT_DROPPED, RECEIPT_LOST } from '../../protocol/api.js';
import type { Ledger } from './ledger.js';
import { violate } from './violation.js';

const ASKED = 1;
const TOLD = 2;
const DROPPED = 3;

export class ReceiptBook {
  /** Asked for and not told yet. */
  due = 0;
  told = 0;
  /** By number of the message: 0, ASKED, TOLD or DROPPED. */
  private standing = new Uint8Array(0);

  constructor(private readonly ledger: Ledger) {}

  /** The number that `send` is given for a message's receipt; never 0. */
  static idOf(number: number): number {
    return ~number;
  }

  /** The message was accepted with a receipt. */
  ask(number: number): void {
    if (number >= this.standing.length) {
      const grown = new Uint8Array(Math.max(256, 2 * number));
      grown.set(this.standing);
      this.standing = grown;
    }
    this.standing[number] = ASKED;
    this.due += 1;
  }

  /** A receipt event. */
  tell(receipt: number, code: number): void {
    const { ledger } = this;
    const number = ~receipt;
    if (!(number >= 0 && number < ledger.count) || (this.standing[number] ?? 0) === 0) {
      violate('receipt-once', `${ledger.name}: receipt ${receipt} was never asked for`);
    }
    if (this.standing[number] !== ASKED) {
      violate('receipt-once', `${ledger.at(number)}: its receipt is told again`);
    }
    if (!this.isTrue(number, code)) {
      violate('receipt-true', `${ledger.at(number)}: told ${NAMES[code] ?? code}`);
    }
    this.standing[number] = code === RECEIPT_DROPPED ? DROPPED : TOLD;
    this.due -= 1;
    this.told += 1;
  }

  /** A message was delivered: not one that was dropped. */
  deliver(number: number): void {
    if (this.standing[number] === DROPPED) {
      violate('receipt-true', `${this.ledger.at(number)} came after it was told dropped`);
    }
  }

  /** A message whose receipt is still due. */
  describeDue(): string {
    return this.ledger.describe(this.standing.indexOf(ASKED));
  }

  private isTrue(number: number, code: number): boolean {
    const { ledger } = this;
    switch (code) {
      case RECEIPT_ACKED:
        return ledger.mayBeAcknowledged(number);
      case RECEIPT_LOST:
        return !ledger.isReliable(number);
      case RECEIPT_DROPPED:
        return ledger.mayBeDropped(number);
      default:
        return false;
    }
  }
}

const NAMES: Readonly<Record<number, string>> = {
  [RECEIPT_ACKED]: 'acknowledged',
  [RECEIPT_LOST]: 'lost',
  [RECEIPT_DROPPED]: 'dropped',
};
