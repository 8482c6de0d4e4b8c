/**
 * The book of one direction of one flow: what its sender was allowed to say and what its receiver
 * was given. It decides exactly-once, bytes, order, sequenced monotony and no delivery before its
 * send, and says at the end what is missing.
 *
 *   number    index of an accepted message, also in its bytes; columns below
 *   place     where it stands in its stream (channel, mode); a superseding message takes over the
 *             place of the one that it replaces
 *   stream    places in order, linked; `head` is the first behind all that were delivered
 *
 * Invariant: mandatory = reliable numbers neither delivered nor superseded nor able to expire.
 */
import {
  MODE_RELIABLE_ORDERED,
  MODE_RELIABLE_UNORDERED,
  MODE_UNRELIABLE_SEQUENCED,
} from '../../protocol/api.js';
import { grownFloat, grownInt } from '../grow.js';
import { fillPayload, firstWrongByte, NUMBERED_BYTES_MIN, numberIn } from '../workload/payload.js';
import { ReceiptBook } from './receipts.js';
import { violate } from './violation.js';

const DELIVERED = 1;
const SUPERSEDED = 2;
/** Something behind it in its stream was delivered first: it must not come any more. */
const PASSED = 4;
const EXPIRES = 8;

/** Longer messages may travel in pieces, in the smallest packets. */
const WHOLE_BYTES_MAX = 1024;

const START_ROWS = 256;
const STREAMS = 256 * 4;
const KEYS_PER_STREAM = 16;

export class Ledger {
  /** Messages accepted so far; the next number. */
  count = 0;
  delivered = 0;
  deliveredBytes = 0;
  acceptedBytes = 0;
  /** Reliable messages that must still be delivered. */
  mandatory = 0;
  /** Reliable messages with an expiry that are not delivered (yet). */
  expirable = 0;
  superseded = 0;
  readonly receipts = new ReceiptBook(this);
  /** The receiver's flow has ended: what it held back is not delivered any more. */
  isOver = false;
  lengths = new Int32Array(START_ROWS);
  streams = new Int32Array(START_ROWS);
  sentUs = new Float64Array(START_ROWS);
  /** −1 until then. */
  deliveredUs = new Float64Array(START_ROWS);
  private flags = new Int32Array(START_ROWS);
  private places = new Int32Array(START_ROWS);
  /** By place: the number that holds it, and the next place of its stream. */
  private holders = new Int32Array(START_ROWS);
  private nextPlaces = new Int32Array(START_ROWS);
  private readonly heads = new Int32Array(STREAMS).fill(-1);
  private readonly tails = new Int32Array(STREAMS).fill(-1);
  /** Last unsent number per stream and key, as far as known. */
  private keyed: Int32Array | null = null;
  /** Numbers of messages too short to carry theirs, not delivered. */
  private readonly shorts: number[] = [];
  /** All mandatory numbers below are done. */
  private doneBelow = 0;

  constructor(
    readonly name: string,
    readonly salt: number,
  ) {}

  /** Puts the next message into the payload scratch; it counts once it is accepted. */
  write(length: number): void {
    fillPayload(this.count, this.salt, length);
  }

  /** The sender took the message; `replaced`: instead of an unsent one of the same key. */
  accept(
    channel: number,
    mode: number,
    length: number,
    nowUs: number,
    expiresUs: number,
    key: number,
    replaced: boolean,
  ): void {
    if (this.count === this.lengths.length) this.grow();
    const number = this.count;
    const stream = (channel << 2) | mode;
    this.count += 1;
    this.acceptedBytes += length;
    this.lengths[number] = length;
    this.streams[number] = stream;
    this.sentUs[number] = nowUs;
    this.deliveredUs[number] = -1;
    this.flags[number] = expiresUs > 0 ? EXPIRES : 0;
    if (replaced) this.replace(number, stream, key);
    else this.append(number, stream);
    if (key !== 0) this.keysOf()[stream * KEYS_PER_STREAM + key] = number + 1;
    if (mode >= 2) {
      if (expiresUs > 0) this.expirable += 1;
      else this.mandatory += 1;
    }
    if (length < NUMBERED_BYTES_MIN) this.shorts.push(number);
  }

  /** The receiver's application was given a message. `leastUs`: the path takes at least so long. */
  deliver(
    channel: number,
    mode: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    nowUs: number,
    leastUs: number,
  ): number {
    const stream = (channel << 2) | mode;
    const number =
      length < NUMBERED_BYTES_MIN
        ? this.findShort(stream, bytes, offset, length)
        : numberIn(bytes, offset);
    this.identify(number, stream, length);
    const wrong = firstWrongByte(bytes, offset, length, number, this.salt);
    if (wrong >= 0)
      violate('bytes-equal', `${this.at(number)}: byte ${wrong} of ${length} differs`);
    const flags = this.flags[number];
    if ((flags & DELIVERED) !== 0) violate('exactly-once', `${this.at(number)} came again`);
    if (nowUs < this.sentUs[number] + leastUs) {
      const tookUs = nowUs - this.sentUs[number];
      violate('before-send', `${this.at(number)} took ${tookUs} µs, the path takes ${leastUs}`);
    }
    if (mode === MODE_RELIABLE_ORDERED || mode === MODE_UNRELIABLE_SEQUENCED) {
      this.passTo(number, stream, mode);
    }
    this.receipts.deliver(number);
    this.flags[number] |= DELIVERED;
    this.deliveredUs[number] = nowUs;
    this.delivered += 1;
    this.deliveredBytes += length;
    if (mode >= 2) {
      if ((flags & EXPIRES) !== 0) this.expirable -= 1;
      else this.mandatory -= 1;
    }
    return number;
  }

  /** All accepted before `before` has been acknowledged, so all of it must have been delivered. */
  checkDrained(before: number): void {
    if (this.mandatory === 0) return;
    for (let number = this.doneBelow; number < before; number++) {
      if (!this.isDone(number)) violate('drained-early', this.describeMissing(number));
      this.doneBelow = number + 1;
    }
  }

  /** The end of the flow in peace: what is missing? */
  checkComplete(): void {
    if (this.mandatory > 0) violate('lost-reliable', this.describeMissing(this.firstMissing()));
  }

  /** The first number that is missing, −1 when nothing is. */
  firstMissing(): number {
    let number = 0;
    while (number < this.count && this.isDone(number)) number += 1;
    return number < this.count ? number : -1;
  }

  describeMissing(number: number): string {
    return `${this.describe(number)} never came`;
  }

  /** "c0→s number 17 channel 3 mode 2 (60 B, sent at 1234.567 ms)" */
  describe(number: number): string {
    const sentMs = (this.sentUs[number] / 1000).toFixed(3);
    return `${this.at(number)} (${this.lengths[number]} B, sent at ${sentMs} ms)`;
  }

  isReliable(number: number): boolean {
    return (this.streams[number] & 2) !== 0;
  }

  /** Whether the receiver can have acknowledged it, by what its application was given so far. */
  mayBeAcknowledged(number: number): boolean {
    const flags = this.flags[number];
    if ((flags & DELIVERED) !== 0) return true;
    const stream = this.streams[number];
    switch (stream & 3) {
      case MODE_RELIABLE_ORDERED:
        return this.isOver || this.heads[stream] !== this.places[number];
      case MODE_RELIABLE_UNORDERED:
        return false;
      case MODE_UNRELIABLE_SEQUENCED:
        return (flags & PASSED) !== 0 || this.lengths[number] > WHOLE_BYTES_MAX;
      default:
        return this.lengths[number] > WHOLE_BYTES_MAX;
    }
  }

  /** Whether its sender can have dropped it unsent. */
  mayBeDropped(number: number): boolean {
    const flags = this.flags[number];
    if ((flags & DELIVERED) !== 0) return false;
    return !this.isReliable(number) || (flags & (EXPIRES | SUPERSEDED)) !== 0;
  }

  /** "c0→s number 17 channel 3 mode 2" */
  at(number: number): string {
    const stream = this.streams[number];
    return `${this.name} number ${number} channel ${stream >> 2} mode ${stream & 3}`;
  }

  /** Unreliable, delivered, replaced, or free to expire before it is packed. */
  private isDone(number: number): boolean {
    return (
      !this.isReliable(number) || (this.flags[number] & (DELIVERED | SUPERSEDED | EXPIRES)) !== 0
    );
  }

  private identify(number: number, stream: number, length: number): void {
    if (number < 0) {
      violate('unknown-message', `${this.name}: ${length} B on ${stream} were never sent`);
    }
    if (number >= this.count) {
      violate('before-send', `${this.name}: number ${number}, only ${this.count} were sent`);
    }
    if (this.streams[number] !== stream || this.lengths[number] !== length) {
      const seen = `${length} B on channel ${stream >> 2} mode ${stream & 3}`;
      violate('bytes-equal', `${this.at(number)}, ${this.lengths[number]} B, came as ${seen}`);
    }
    if ((this.flags[number] & SUPERSEDED) !== 0) {
      violate('unknown-message', `${this.at(number)} had been replaced`);
    }
  }

  /** Moves the stream's head behind the number; what is passed over must have been allowed to drop. */
  private passTo(number: number, stream: number, mode: number): void {
    const place = this.places[number];
    if ((this.flags[number] & PASSED) !== 0) {
      const oracle = mode === MODE_RELIABLE_ORDERED ? 'order' : 'sequenced';
      violate(oracle, `${this.at(number)} came after a later one`);
    }
    let head = this.heads[stream];
    while (head >= 0 && head !== place) {
      const holder = this.holders[head];
      if (mode === MODE_RELIABLE_ORDERED && (this.flags[holder] & EXPIRES) === 0) {
        violate('order', `${this.at(number)} came before number ${holder}`);
      }
      this.flags[holder] |= PASSED;
      head = this.nextPlaces[head];
    }
    if (head < 0) violate('internal', `${this.at(number)} has no place in its stream`);
    this.flags[number] |= PASSED;
    this.heads[stream] = this.nextPlaces[place];
    if (this.heads[stream] < 0) this.tails[stream] = -1;
  }

  private append(number: number, stream: number): void {
    this.places[number] = number;
    this.holders[number] = number;
    this.nextPlaces[number] = -1;
    const mode = stream & 3;
    if (mode !== MODE_RELIABLE_ORDERED && mode !== MODE_UNRELIABLE_SEQUENCED) return;
    if (this.tails[stream] < 0) this.heads[stream] = number;
    else this.nextPlaces[this.tails[stream]] = number;
    this.tails[stream] = number;
  }

  private replace(number: number, stream: number, key: number): void {
    const older = this.keysOf()[stream * KEYS_PER_STREAM + key] - 1;
    if (older < 0) violate('send-result', `${this.name}: nothing to supersede on ${stream}`);
    const flags = this.flags[older];
    if ((flags & (DELIVERED | SUPERSEDED)) !== 0) {
      violate('send-result', `${this.at(older)} was superseded after it had been sent`);
    }
    this.flags[older] |= SUPERSEDED;
    this.superseded += 1;
    this.places[number] = this.places[older];
    this.holders[this.places[older]] = number;
    this.nextPlaces[number] = -1;
    if ((flags & PASSED) !== 0) this.flags[number] |= PASSED;
    if ((stream & 2) !== 0) {
      if ((flags & EXPIRES) !== 0) this.expirable -= 1;
      else this.mandatory -= 1;
    }
  }

  private findShort(stream: number, bytes: Uint8Array, offset: number, length: number): number {
    for (let i = 0; i < this.shorts.length; i++) {
      const number = this.shorts[i];
      if (this.streams[number] !== stream || this.lengths[number] !== length) continue;
      if ((this.flags[number] & (DELIVERED | PASSED)) !== 0) continue;
      if (firstWrongByte(bytes, offset, length, number, this.salt) >= 0) continue;
      this.shorts.splice(i, 1);
      return number;
    }
    return -1;
  }

  private keysOf(): Int32Array {
    this.keyed ??= new Int32Array(STREAMS * KEYS_PER_STREAM);
    return this.keyed;
  }

  private grow(): void {
    const rows = this.lengths.length * 2;
    this.lengths = grownInt(this.lengths, rows);
    this.streams = grownInt(this.streams, rows);
    this.sentUs = grownFloat(this.sentUs, rows);
    this.deliveredUs = grownFloat(this.deliveredUs, rows);
    this.flags = grownInt(this.flags, rows);
    this.places = grownInt(this.places, rows);
    this.holders = grownInt(this.holders, rows);
    this.nextPlaces = grownInt(this.nextPlaces, rows);
  }
}
