/**
 * One end of a flow as the world sees it: what it may say, what it was given, and the books of both
 * directions. How bytes reach the transport is the level's business.
 */
import type { ProtocolLimits } from '../protocol/api.js';
import { SEND_CLOSED, SEND_FULL, SEND_QUEUED, SEND_TOO_LARGE } from '../protocol/api.js';
import { shareOfBytes, shareOfMessages } from '../protocol/reserve.js';
import {
  SEND_BYTES_MAX,
  SEND_RELIABLE_BYTES_MAX,
  SEND_RELIABLE_MESSAGES_MAX,
} from '../util/limits.js';
import type { Engine } from './engine.js';
import { Ledger } from './oracle/ledger.js';
import { ReceiptBook } from './oracle/receipts.js';
import { violate } from './oracle/violation.js';
import { mix32 } from './random.js';
import { MESSAGE_BYTES_MAX, scratch } from './workload/payload.js';
import { SILENCE, type Speaker, type Workload, type WorkloadLimits } from './workload/workload.js';

const EMPTY_BOOK = new Ledger('nobody', 0);
/** One message in this many is answered from inside its handler. */
const REPLY_MASK = 63;
const REPLY_BYTES = 24;

/**
 * Reliable bytes that surely may wait in a flow with these limits. When all flows share little, nobody can
 * say from outside how much there is for one of them: 0.
 */
export function sureSendBytes(limits: ProtocolLimits): number {
  const isScarce = (limits.sendBytes ?? SEND_BYTES_MAX) < SEND_BYTES_MAX;
  return isScarce ? 0 : (limits.sendReliableBytes ?? SEND_RELIABLE_BYTES_MAX);
}

export abstract class FlowEnd implements Speaker {
  slot = -1;
  /** Counts the flows of this end, so that a packet of an earlier one is known. */
  epoch = 0;
  isOpen = false;
  isReady = false;
  /** The flow is over at the end of this turn. */
  isEnding = false;
  /** The application asked for `drained` and was told. */
  isDrained = false;
  isWatching = false;
  /** How often `send` said that it is full, minus how often there was word of room. */
  private refusals = 0;
  /** `send` said that it is full, and there was no word of room since. */
  isOwedRoom = false;
  out: Ledger = EMPTY_BOOK;
  in: Ledger = EMPTY_BOOK;
  workload: Workload = SILENCE;
  /** Least time from the other end to here. */
  leastUs = 0;
  messagesIn = 0;
  /** In earlier flows of this end. */
  sentBefore = 0;
  deliveredBefore = 0;
  /** Handlers answer some messages. */
  replies = false;
  /** Numbers below were accepted before this turn. */
  protected turnStart = 0;

  constructor(
    readonly world: Engine,
    readonly index: number,
    /** "c0", or "s0" for the server's end of it */
    readonly name: string,
    /** What the peer takes, and what we do. */
    readonly limits: WorkloadLimits,
    /** Reliable bytes that may wait here. */
    private readonly sendReliableBytes: number,
  ) {}

  protected abstract submit(
    bytes: Uint8Array,
    channel: number,
    mode: number,
    length: number,
    expiresUs: number,
    key: number,
    redundancy: number,
    receipt: number,
  ): number;
  /** Unsent messages that were replaced so far. */
  protected abstract superseded(): number;
  /** Bytes accepted and neither acknowledged nor (unreliable) packed. */
  abstract queuedBytes(): number;

  /** Everything reliable has arrived, its sender knows it, and nothing else is owed to this end. */
  get isSettled(): boolean {
    const { out } = this;
    const isQuiet = out.mandatory === 0 && out.receipts.due === 0 && !this.isOwedRoom;
    return this.isReady && isQuiet && this.queuedBytes() === 0;
  }

  /** Why it is not settled. */
  whatIsMissing(): string {
    if (!this.isReady) return `${this.name} has not heard of its peer`;
    const { out } = this;
    if (out.mandatory > 0) return out.describeMissing(out.firstMissing());
    if (out.receipts.due > 0) return `nothing is told of ${out.receipts.describeDue()}`;
    if (this.isOwedRoom) return `${this.name} has heard of no room since it was full`;
    return `${this.name} waits for acknowledgements of ${this.queuedBytes()} B`;
  }

  /** A fresh flow with fresh books. */
  begin(out: Ledger, input: Ledger, workload: Workload): void {
    this.sentBefore += this.out.count;
    this.deliveredBefore += this.in.delivered;
    this.out = out;
    this.in = input;
    this.workload = workload;
    this.isOpen = true;
    this.isReady = false;
    this.isEnding = false;
    this.isDrained = false;
    this.isWatching = false;
    this.refusals = 0;
    this.isOwedRoom = false;
    this.turnStart = 0;
    this.messagesIn = 0;
  }

  /** Says nothing more. */
  stop(): void {
    this.workload = SILENCE;
  }

  startTurn(): void {
    this.turnStart = this.out.count;
  }

  act(): void {
    if (this.isOpen && this.workload.nextUs <= this.world.nowUs) {
      this.workload.act(this.world.nowUs, this);
    }
  }

  send(
    channel: number,
    mode: number,
    length: number,
    expiresUs: number,
    key: number,
    redundancy: number,
    wantsReceipt = false,
  ): number {
    const { out, world } = this;
    const receipt = wantsReceipt ? ReceiptBook.idOf(out.count) : 0;
    out.write(length);
    const before = this.superseded();
    const code = this.submit(scratch, channel, mode, length, expiresUs, key, redundancy, receipt);
    world.hash.add(this.index, code, length);
    if (code <= SEND_QUEUED) {
      const replaced = this.superseded() !== before;
      out.accept(channel, mode, length, world.nowUs, expiresUs, key, replaced);
      if (wantsReceipt) out.receipts.ask(out.count - 1);
    } else this.checkRefusal(code, channel, mode, length);
    return code;
  }

  /** The peer's limits are known from here on; what is beyond any limit must be refused. */
  ready(): void {
    this.isReady = true;
    const code = this.submit(scratch, 0, 3, MESSAGE_BYTES_MAX + 1, 0, 0, 0, 0);
    if (code !== SEND_TOO_LARGE)
      violate('send-result', `${this.name}: 256 KiB and 1 B gave ${code}`);
  }

  /** A message event of the transport. */
  receive(channel: number, mode: number, bytes: Uint8Array, offset: number, length: number): void {
    const { world } = this;
    if (this.isEnding) violate('state-after-close', `${this.name} got a message after its end`);
    const number = this.in.deliver(channel, mode, bytes, offset, length, world.nowUs, this.leastUs);
    this.messagesIn += 1;
    world.hash.add(this.index, number, length);
    world.trace?.node(world.nowUs, this.name, `gets ${this.in.at(number)}, ${length} B`);
    if (this.replies && (mix32(number ^ this.in.salt) & REPLY_MASK) === 0) {
      this.send(channel, mode, REPLY_BYTES, 0, 0, 0);
    }
  }

  /** A receipt event of the transport. */
  told(receipt: number, code: number): void {
    const { world } = this;
    if (this.isEnding) violate('state-after-close', `${this.name} got a receipt after its end`);
    this.out.receipts.tell(receipt, code);
    world.hash.add(this.index, receipt, code);
    world.trace?.node(world.nowUs, this.name, `is told ${code} of ${this.out.at(~receipt)}`);
  }

  /** The transport says that all reliable messages are acknowledged. */
  drained(): void {
    if (!this.isWatching) violate('drained-early', `${this.name} was told without having asked`);
    this.out.checkDrained(this.turnStart);
    this.isDrained = true;
    this.isWatching = false;
  }

  /** The transport says that there is room again. */
  writable(): void {
    this.refusals -= 1;
    this.isOwedRoom = false;
    if (this.refusals < 0) violate('send-result', `${this.name} was told of room without need`);
  }

  private checkRefusal(code: number, channel: number, mode: number, length: number): void {
    const most = mode >= 2 ? this.limits.messageBytes : this.limits.unreliableMessageBytes;
    const fits = length <= most && channel < this.limits.channels;
    if (code === SEND_TOO_LARGE && fits) {
      violate('send-result', `${this.name}: ${length} B on channel ${channel} called too large`);
    }
    if (code === SEND_CLOSED && this.isOpen && !this.isEnding) {
      violate('send-result', `${this.name}: an open flow called closed`);
    }
    if (code === SEND_FULL) {
      this.refusals += 1;
      this.isOwedRoom = true;
    }
    if (code !== SEND_FULL || mode < 2) return;
    if (this.out.count >= shareOfMessages(SEND_RELIABLE_MESSAGES_MAX, 7)) return;
    // At least so much is for every channel and every length (src/protocol/reserve.ts).
    const share = shareOfBytes(this.sendReliableBytes, this.limits.messageBytes, 7, true);
    if (this.queuedBytes() + length <= share) {
      violate('send-result', `${this.name}: full with ${this.queuedBytes()} B queued`);
    }
  }
}
