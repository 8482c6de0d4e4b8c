/**
 * Words shared by both ends and both wires. Nothing here opens a socket.
 */
import type { Mode } from '../messages/types.js';

/** Which wire a connection runs on. */
export type Wire = 'udp' | 'json-ws';

/**
 * What became of a message handed to `send`:
 * - `sent`: accepted; it leaves with the current turn (UDP) or is in the socket (WebSocket).
 * - `queued`: accepted; it waits behind earlier traffic.
 * - `full`: NOT accepted; the peer is slow. Nothing was kept: wait for `writable()` and send again.
 */
export type SendResult = 'sent' | 'queued' | 'full';

/** Per-message options. All are optional; the defaults come from the message type. */
export interface SendOptions {
  /** Drop the message if it could not be sent for the first time within this many milliseconds. */
  expiresMs?: number;
  /** A number 1…2^31−1: replaces the unsent message of the same type that has the same key. */
  key?: number;
  /**
   * Extra copies (0–3) sent in later packets; for messages of up to 256 B that must not wait for a
   * resend, of any mode but `unreliable`. TCP needs none.
   */
  redundancy?: number;
  /**
   * A number 1…2^31−1 of the game's own: `onReceipt` tells it with what became of the message.
   * Several messages may have the same.
   */
  receipt?: number;
}

/**
 * What became of a message that was sent with a `receipt`, once for each that `send` accepted, unless
 * its connection ends first:
 * - `acked`: the other end has it. On UDP its packet was acknowledged, a round trip after it was sent;
 *   on WebSocket the session has acknowledged it, up to 100 ms later.
 * - `lost`: every packet that carried it (or one with a piece of it) seems to be lost; it may have
 *   arrived all the same. Never a reliable message. On WebSocket only when more than 1,024 receipts are open.
 * - `dropped`: never sent: it expired, waited too long, or a newer one took its place.
 */
export type ReceiptOutcome = 'acked' | 'lost' | 'dropped';

/** By the number that RL1 gives them. */
export const RECEIPT_OUTCOMES: readonly ReceiptOutcome[] = ['dropped', 'acked', 'lost', 'dropped'];

/**
 * What is known about a received message. One object is used again for each message: read it inside the
 * handler, copy what must outlive it.
 */
export interface Meta {
  readonly wire: Wire;
  readonly mode: Mode;
  readonly channel: number;
  /** Milliseconds between the datagram's arrival in the kernel and this call (0 on WebSocket). */
  readonly ageMs: number;
}

/** One received message, as `readMessage` and async iteration return it. */
export type Received<R> = { [T in keyof R & string]: { type: T; value: R[T] } }[keyof R & string];

/**
 * Numbers about one connection: counts since it opened, over all links of its session; the state is
 * that of the link it is on. Times in milliseconds. Recent: over the last two to four seconds, or since
 * the call before when that is longer ago.
 */
export interface ConnectionStats {
  wire: Wire;
  /** Smoothed round-trip time; NaN until the first sample. */
  rttMs: number;
  /** Mean variation of the round trip (RFC 6298 §2); NaN until the first sample. */
  rttVarMs: number;
  /**
   * How unevenly the other end's messages arrive: variation of the one-way time (RFC 3550 §6.4.1), by
   * the stamps of packets on UDP and of the pings, about one a second, on WebSocket. 0 at first.
   */
  jitterMs: number;
  /**
   * Recent share of lost datagrams, 0 to 1, that came here and that were sent from here. On WebSocket
   * 0: TCP hides it, and what it costs is seen in `rttMs` and `queueAgeMs`.
   */
  lossIn: number;
  lossOut: number;
  /**
   * How good the connection is for a game, 0 to 1: 1 ∕ (1 + (rtt ∕ 200 ms)²) · 1 ∕ (1 + (jitter ∕ 50 ms)²)
   * · 1 ∕ (1 + (loss ∕ 0.1)²) · 1 ∕ (1 + (queue age ∕ 200 ms)²), loss being the worse of both directions.
   * Above 0.8 is good, below 0.5 players notice. What is not measured yet counts as 0 ms; without a link
   * it is 0.
   */
  quality: number;
  /** Recent rates, of the same things as the counts below. */
  messagesInPerSecond: number;
  messagesOutPerSecond: number;
  bytesInPerSecond: number;
  bytesOutPerSecond: number;
  messagesIn: number;
  messagesOut: number;
  /**
   * Bytes on the wire. UDP: datagrams with 28 B of IPv4 and UDP headers each (48 B on IPv6).
   * WebSocket: bytes of the TCP stream; TCP/IP headers and acknowledgements are not counted.
   */
  bytesIn: number;
  bytesOut: number;
  /** Datagrams in and out; WebSocket frames on that wire. */
  packetsIn: number;
  packetsOut: number;
  /** Incoming datagrams lost, counted from netcode sequence gaps; 0 on WebSocket (TCP hides it). */
  packetsLostIn: number;
  /** Messages resent after a loss; 0 on WebSocket (TCP hides it). */
  resends: number;
  /** Unreliable messages dropped at this sender because the peer was slow or they expired. */
  droppedOut: number;
  /** Bytes accepted and not yet acknowledged (UDP) or not yet taken by the kernel (WebSocket). */
  queuedBytes: number;
  /**
   * How long the oldest message has waited that was accepted and has not left: for the pace of UDP, for
   * the kernel on WebSocket (to within the time between two messages), or for a link to come back. On
   * WebSocket also in queues on the way, where they hold it back for more than 200 ms. Not counted on
   * UDP: messages with `expiresMs`.
   */
  queueAgeMs: number;
}

/** Why a connection ended. */
export interface CloseInfo {
  /** A WebSocket close code: 1000 normal (also: a newer connection of the player won), 1001 … */
  code: number;
  reason: string;
  /** False when the peer vanished without a goodbye. */
  wasClean: boolean;
}
