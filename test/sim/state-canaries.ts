/** Planted bugs of what is left of a freed flow; see canaries.ts. */
import { Protocol, type ProtocolStats } from '../../src/protocol/protocol.js';

/** What a subclass may reach for: the core is private to everybody but these bugs. */
interface Inside {
  core: {
    flows: Int32Array;
    limits: { sendReliableBytes: number };
    messages: { alloc(): number };
    receiveBytes: { alloc(length: number): number };
  };
}

export function inside(protocol: Protocol): Inside['core'] {
  return (protocol as unknown as Inside).core;
}

export class KeepsSlot extends Protocol {
  private freed = -1;

  override freeFlow(slot: number): void {
    super.freeFlow(slot);
    this.freed = slot;
  }

  override stats(slot: number, out: ProtocolStats): boolean {
    return super.stats(slot, out) || slot === this.freed;
  }
}

export class LeaksMessage extends Protocol {
  override freeFlow(slot: number): void {
    super.freeFlow(slot);
    inside(this).messages.alloc();
  }
}

export class LeaksBytes extends Protocol {
  override freeFlow(slot: number): void {
    super.freeFlow(slot);
    inside(this).receiveBytes.alloc(100);
  }
}
