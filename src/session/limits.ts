/**
 * Limits of the session layer. Relations to RL1's limits are asserted in session.test.ts.
 */

/** Channels that carry game messages: 0–30. */
export const SESSION_CHANNELS = 31;
/** Lanes: one per channel and reliable mode; RL1 counts message ids per channel and mode too. */
export const SESSION_LANES = SESSION_CHANNELS * 2;
/** The channel of the runtime's own messages ($hello, $ack). Its messages have no number. */
export const CONTROL_CHANNEL = 31;
/** The receipt number of a `$hello`: games have positive ones. */
export const RECEIPT_GREETING = -1;
/** Reliable messages per lane that a session keeps while its link takes none; power of 2. */
export const SESSION_WINDOW = 512;
/** Bytes of them that it keeps. */
export const SESSION_LOG_BYTES_MAX = 512 * 1024;
/**
 * Beyond it, for messages of one packet: however much bulk waits for acknowledgements, what is small
 * is accepted.
 */
export const SESSION_LOG_RESERVE_BYTES = 64 * 1024;
export const SESSION_SMALL_BYTES = 1100;
/** WebSocket: a cumulative acknowledgement leaves at the latest this long after the message came. */
export const SESSION_ACK_DELAY_MS = 100;
/** Who owes is looked at so often; what has waited through two looks leaves. */
export const SESSION_ACK_ROUND_MS = SESSION_ACK_DELAY_MS / 2;
/** … and at once after this many messages or bytes, a fraction of the sender's limits. */
export const SESSION_ACK_MESSAGES = 64;
export const SESSION_ACK_BYTES = 64 * 1024;
/** How long a session may be without a wire before it is forgotten. */
export const RESUME_WINDOW_MS = 30_000;
/** One-time secret that proves the right to resume, bytes (128 bit). */
export const RESUME_SECRET_BYTES = 16;
/** Wrong secrets after which a session can no longer be resumed. */
export const RESUME_TRIES_MAX = 3;
/** A link that was opened to resume says so within this time. */
export const RESUME_FIRST_MESSAGE_MS = 10_000;
/**
 * Reliable messages that may arrive ahead of a lost $hello on other channels, at the client: their bytes,
 * and what each of them counts besides. A server sends no more before it knows that $hello arrived.
 */
export const BEFORE_HELLO_BYTES_MAX = SESSION_LOG_BYTES_MAX + SESSION_LOG_RESERVE_BYTES;
export const BEFORE_HELLO_MESSAGE_BYTES = 16;

/** The bytes that a send log may hold when a message of `length` is the last of them. */
export function logBytesMax(length: number): number {
  return length <= SESSION_SMALL_BYTES
    ? SESSION_LOG_BYTES_MAX + SESSION_LOG_RESERVE_BYTES
    : SESSION_LOG_BYTES_MAX;
}

/** Lane of a reliable mode (2 unordered, 3 ordered) on a channel. */
export function laneOf(channel: number, mode: number): number {
  return (channel << 1) | (mode & 1);
}
