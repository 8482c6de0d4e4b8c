/** What halves the quality of a connection, each alone. */
const RTT_MS = 200;
const JITTER_MS = 50;
const LOSS = 0.1;
const QUEUE_AGE_MS = 200;

/**
 * How good a connection is for a game, 0 to 1; the formula is in the docstring of
 * `ConnectionStats.quality`. Falls with each of its figures and never rises.
 *
 * @param loss share of lost datagrams, 0 to 1
 */
export function qualityOf(
  { rttMs, jitterMs, queueAgeMs }: { rttMs: number; jitterMs: number; queueAgeMs: number },
  loss: number,
): number {
  return (
    halvedBy(rttMs, RTT_MS) *
    halvedBy(jitterMs, JITTER_MS) *
    halvedBy(loss, LOSS) *
    halvedBy(queueAgeMs, QUEUE_AGE_MS)
  );
}

/** 1 for nothing (or what is not known), a half at `half`, towards 0 beyond. */
function halvedBy(figure: number, half: number): number {
  return figure > 0 ? 1 / (1 + (figure / half) ** 2) : 1;
}
