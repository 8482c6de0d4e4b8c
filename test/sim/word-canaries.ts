/** Planted bugs of what a sender is told; see canaries.ts. */
import {
  EVENT_NONE,
  EVENT_RECEIPT,
  EVENT_WRITABLE,
  Protocol,
  RECEIPT_ACKED,
  RECEIPT_DROPPED,
} from '../../src/protocol/protocol.js';

const NTH = 20;

/** Does something at the NTH receipt. */
abstract class ReceiptCanary extends Protocol {
  private seen = 0;
  protected abstract meddle(): number;

  override pollEvent(): number {
    const kind = super.pollEvent();
    if (kind !== EVENT_RECEIPT) return kind;
    this.seen += 1;
    return this.seen === NTH ? this.meddle() : kind;
  }
}

export class TellsNever extends ReceiptCanary {
  protected meddle(): number {
    return this.pollEvent();
  }
}

export class TellsDropped extends ReceiptCanary {
  protected meddle(): number {
    this.event.code = RECEIPT_DROPPED;
    return EVENT_RECEIPT;
  }
}

export class TellsAnother extends ReceiptCanary {
  protected meddle(): number {
    this.event.receipt = 12_345;
    return EVENT_RECEIPT;
  }
}

export class TellsTwice extends ReceiptCanary {
  private kept: { slot: number; receipt: number; code: number } | null = null;

  protected meddle(): number {
    const { slot, receipt, code } = this.event;
    this.kept = { slot, receipt, code };
    return EVENT_RECEIPT;
  }

  override pollEvent(): number {
    const kind = super.pollEvent();
    if (kind !== EVENT_NONE || this.kept === null) return kind;
    Object.assign(this.event, this.kept);
    this.kept = null;
    return EVENT_RECEIPT;
  }
}

/** Says that the peer has what it has not even sent. */
export class TellsTooEarly extends Protocol {
  private sends = 0;
  private early: { slot: number; receipt: number } | null = null;

  override send(...args: Parameters<Protocol['send']>): number {
    const code = super.send(...args);
    const [slot] = args;
    const receipt = args[10] ?? 0;
    this.sends += 1;
    if (this.sends > NTH && receipt !== 0 && this.early === null) this.early = { slot, receipt };
    return code;
  }

  override pollEvent(): number {
    const kind = super.pollEvent();
    if (kind !== EVENT_NONE || this.early === null) return kind;
    Object.assign(this.event, this.early);
    this.event.code = RECEIPT_ACKED;
    this.early = null;
    return EVENT_RECEIPT;
  }
}

export class KeepsQuietOfRoom extends Protocol {
  override pollEvent(): number {
    const kind = super.pollEvent();
    return kind === EVENT_WRITABLE ? this.pollEvent() : kind;
  }
}
