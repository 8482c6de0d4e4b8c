/** An oracle's verdict: the world broke an invariant. `oracle` names which, `message` what was seen. */
export class Violation extends Error {
  constructor(
    readonly oracle: string,
    message: string,
  ) {
    super(`${oracle}: ${message}`);
    this.name = 'Violation';
  }
}

/** Every oracle that watches a run; docs/TESTING.md says what each one holds. */
export const ORACLES = [
  'exactly-once',
  'bytes-equal',
  'order',
  'sequenced',
  'before-send',
  'unknown-message',
  'lost-reliable',
  'drained-early',
  'caps',
  'receipt-once',
  'receipt-true',
  'send-result',
  'timer-in-past',
  'spin',
  'drops-add-up',
  'internal',
  'protocol-violation',
  'closed-code',
  'state-after-close',
  'pools-after-close',
  'liveness',
  'nonce-reuse',
  'handshake',
] as const;

export type Oracle = (typeof ORACLES)[number];

export function violate(oracle: Oracle, message: string): never {
  throw new Violation(oracle, message);
}
