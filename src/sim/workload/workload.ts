/**
 * What an application says over one flow, as a pure function of its seed: the time of its next act
 * and what it does then. What the network does to it changes nothing of that, but an application may
 * hold back what `send` refused and offer it again.
 */
export interface Speaker {
  /** A SEND_ number. The message's content is the speaker's business. */
  send(
    channel: number,
    mode: number,
    length: number,
    expiresUs: number,
    key: number,
    redundancy: number,
    wantsReceipt?: boolean,
  ): number;
}

export interface Workload {
  /** World µs; Infinity when there is nothing more to say. */
  readonly nextUs: number;
  /** Does what is due at `nowUs` ≥ nextUs; moves nextUs on. */
  act(nowUs: number, speaker: Speaker): void;
}

/** What both ends of a flow take. */
export interface WorkloadLimits {
  channels: number;
  messageBytes: number;
  unreliableMessageBytes: number;
}

/** Says nothing. */
export const SILENCE: Workload = { nextUs: Number.POSITIVE_INFINITY, act() {} };

/** What one end of a flow is going to say; `flow` numbers all flows ever opened. */
export type MakeWorkload = (
  flow: number,
  isClient: boolean,
  startUs: number,
  limits: WorkloadLimits,
) => Workload;
