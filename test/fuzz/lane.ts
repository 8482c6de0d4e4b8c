/** The messages of one (channel, mode) as a legal sender has them (docs/wire/rl1.md §7). */
import type { Prng } from '../../src/util/prng.js';
import { type FrameWriter, type MessageFields, messageFrame } from './encode.js';

const FRAGMENT_BYTES = 1024;

interface Message {
  id: number;
  bytes: number;
  /** Pieces that the receiver does not have. */
  missing: number;
}

export interface Piece {
  lane: Lane;
  message: Message;
  fields: MessageFields;
  frame: FrameWriter;
}

export class Lane {
  /** From the oldest that is not complete on. */
  private readonly messages: Message[] = [];
  /** What waits to be sent, or to be sent again. */
  readonly outbox: Piece[] = [];
  private readonly done: Piece[] = [];

  constructor(
    readonly channel: number,
    readonly mode: number,
    private nextId: number,
  ) {}

  get isReliable(): boolean {
    return this.mode >= 2;
  }

  /** Bytes that count against the peer's budget. */
  get spanBytes(): number {
    return this.messages.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get spanPartials(): number {
    return this.messages.filter(({ bytes, missing }) => bytes > FRAGMENT_BYTES && missing > 0)
      .length;
  }

  /** Ids from the oldest incomplete one to the next new one. */
  get spanIds(): number {
    return this.messages.length;
  }

  /** The oldest id that is not complete: where the receiver stands. */
  get oldestId(): number {
    return this.messages[0]?.id ?? this.nextId;
  }

  /** A new message in the outbox. */
  add(data: Uint8Array): void {
    const { channel, mode } = this;
    const id = mode === 0 && data.length <= FRAGMENT_BYTES ? 0 : this.nextId;
    const count = Math.ceil(data.length / FRAGMENT_BYTES);
    const message = { id, bytes: data.length, missing: Math.max(1, count) };
    if (mode !== 0 || count > 1) {
      this.nextId = (this.nextId + 1) & 0xffff;
    }
    if (this.isReliable) {
      this.messages.push(message);
    }
    for (let index = 0; index < message.missing; index += 1) {
      const fragment = count > 1 ? { index, count } : null;
      const part =
        count > 1 ? data.subarray(index * FRAGMENT_BYTES, (index + 1) * FRAGMENT_BYTES) : data;
      const fields = { mode, channel, id, fragment, data: part };
      this.outbox.push({ lane: this, message, fields, frame: messageFrame(fields) });
    }
  }

  /** Some piece that fits: near the front, now and then from anywhere, so that holes last. */
  take(prng: Prng, roomBytes: number): Piece | null {
    const reach = prng.chance(1, 6) ? this.outbox.length : Math.min(3, this.outbox.length);
    const at = reach === 0 ? 0 : prng.below(reach);
    const piece = this.outbox[at];
    if (piece === undefined || piece.fields.data.length + 9 > roomBytes) {
      return null;
    }
    this.outbox.splice(at, 1);
    return piece;
  }

  /** One that was delivered before, for a repetition. */
  old(prng: Prng): Piece | null {
    return this.done[prng.below(Math.max(1, this.done.length))] ?? null;
  }

  /** The packet with the piece was accepted. */
  arrived(piece: Piece): void {
    piece.message.missing -= 1;
    while (this.messages[0] !== undefined && this.messages[0].missing === 0) {
      this.messages.shift();
    }
    this.done.push(piece);
    if (this.done.length > 16) {
      this.done.shift();
    }
  }
}
