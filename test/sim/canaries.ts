/**
 * Planted bugs: Protocols that each do one thing wrong. An oracle that does not speak up against its
 * canary would not speak up against the real bug either.
 */
import { F_IN_FLIGHT } from '../../src/protocol/layout.js';
import {
  EVENT_CLOSED,
  EVENT_DRAINED,
  EVENT_MESSAGE,
  EVENT_NONE,
  EVENT_VIOLATION,
  MODE_RELIABLE_ORDERED,
  MODE_RELIABLE_UNORDERED,
  MODE_UNRELIABLE_SEQUENCED,
  Protocol,
  type ProtocolEvent,
  SEND_CLOSED,
} from '../../src/protocol/protocol.js';
import type { MakeProtocol } from '../../src/sim/make-protocol.js';
import type { Oracle } from '../../src/sim/oracle/violation.js';
import { inside, KeepsSlot, LeaksBytes, LeaksMessage } from './state-canaries.js';
import {
  KeepsQuietOfRoom,
  TellsAnother,
  TellsDropped,
  TellsNever,
  TellsTooEarly,
  TellsTwice,
} from './word-canaries.js';

export interface Canary {
  bug: string;
  /** Those that may speak first. */
  oracles: readonly Oracle[];
  make: MakeProtocol;
}

const NTH = 20;
/** Where the messages travel that could expire. */
export const EXPIRING_CHANNEL = 3;

/** Counts message events of a mode and does something at the NTH. */
abstract class EventCanary extends Protocol {
  protected seen = 0;
  protected abstract readonly mode: number;
  protected abstract meddle(event: ProtocolEvent): number;

  override pollEvent(): number {
    const kind = super.pollEvent();
    if (kind !== EVENT_MESSAGE || this.event.mode !== this.mode) return kind;
    this.seen += 1;
    return this.seen === NTH ? this.meddle(this.event) : kind;
  }
}

class LosesUnordered extends EventCanary {
  protected readonly mode = MODE_RELIABLE_UNORDERED;
  protected meddle(event: ProtocolEvent): number {
    if (event.channel !== EXPIRING_CHANNEL) return this.pollEvent();
    this.seen -= 1; // the next one then
    return EVENT_MESSAGE;
  }
}

class LosesExpiring extends EventCanary {
  protected readonly mode = MODE_RELIABLE_UNORDERED;
  protected meddle(event: ProtocolEvent): number {
    if (event.channel === EXPIRING_CHANNEL) return this.pollEvent();
    this.seen -= 1;
    return EVENT_MESSAGE;
  }
}

class LosesOrdered extends EventCanary {
  protected readonly mode = MODE_RELIABLE_ORDERED;
  protected meddle(): number {
    return this.pollEvent();
  }
}

class FlipsBit extends EventCanary {
  protected readonly mode = MODE_RELIABLE_ORDERED;
  protected meddle(event: ProtocolEvent): number {
    event.bytes = event.bytes.slice(event.offset, event.offset + event.length);
    event.offset = 0;
    event.bytes[event.length - 1] ^= 1;
    return EVENT_MESSAGE;
  }
}

class CutsShort extends EventCanary {
  protected readonly mode = MODE_UNRELIABLE_SEQUENCED;
  protected meddle(event: ProtocolEvent): number {
    event.length -= 1;
    return EVENT_MESSAGE;
  }
}

class MixesChannels extends EventCanary {
  protected readonly mode = MODE_RELIABLE_UNORDERED;
  protected meddle(event: ProtocolEvent): number {
    event.channel ^= 1;
    return EVENT_MESSAGE;
  }
}

class InventsMessage extends EventCanary {
  protected readonly mode = MODE_RELIABLE_ORDERED;
  protected meddle(event: ProtocolEvent): number {
    event.bytes = new Uint8Array([1, 2]);
    event.offset = 0;
    event.length = 2;
    return EVENT_MESSAGE;
  }
}

/** Keeps a copy of a message and gives it out again behind the next one of its mode. */
abstract class Replays extends Protocol {
  protected abstract readonly mode: number;
  /** Whether the first copy is delivered as well. */
  protected abstract readonly twice: boolean;
  private seen = 0;
  private kept: { bytes: Uint8Array; channel: number; slot: number; id: number } | null = null;
  private isDue = false;

  override pollEvent(): number {
    const { event } = this;
    if (this.isDue && this.kept !== null) {
      const { bytes, channel, slot, id } = this.kept;
      this.kept = null;
      Object.assign(event, { bytes, channel, slot, messageId: id, mode: this.mode });
      Object.assign(event, { kind: EVENT_MESSAGE, offset: 0, length: bytes.length });
      return EVENT_MESSAGE;
    }
    const kind = super.pollEvent();
    if (kind !== EVENT_MESSAGE || event.mode !== this.mode) return kind;
    this.seen += 1;
    if (this.kept !== null) {
      const { channel, slot } = this.kept;
      this.isDue = channel === event.channel && slot === event.slot;
    } else if (this.seen >= NTH && !this.isDue) {
      const bytes = event.bytes.slice(event.offset, event.offset + event.length);
      this.kept = { bytes, channel: event.channel, slot: event.slot, id: event.messageId };
      if (!this.twice) return this.pollEvent();
    }
    return kind;
  }
}

class DeliversTwice extends Replays {
  protected readonly mode = MODE_RELIABLE_UNORDERED;
  protected readonly twice = true;
}

class SwapsOrdered extends Replays {
  protected readonly mode = MODE_RELIABLE_ORDERED;
  protected readonly twice = false;
}

class GoesBack extends Replays {
  protected readonly mode = MODE_UNRELIABLE_SEQUENCED;
  protected readonly twice = false;
}

/** Everything both ends send, by a way around the network. */
const backdoor: { bytes: Uint8Array; channel: number; from: number }[] = [];

class Clairvoyant extends Protocol {
  private readonly index: number;
  private sends = 0;

  constructor(options: ConstructorParameters<typeof Protocol>[0], index: number) {
    super(options);
    this.index = index;
    if (index === 0) backdoor.length = 0;
  }

  override send(...args: Parameters<Protocol['send']>): number {
    const [, , channel, mode, bytes, offset, length] = args;
    const code = super.send(...args);
    this.sends += 1;
    if (this.sends > NTH && mode === MODE_RELIABLE_UNORDERED && backdoor.length === 0) {
      backdoor.push({ bytes: bytes.slice(offset, offset + length), channel, from: this.index });
    }
    return code;
  }

  override pollEvent(): number {
    const kind = super.pollEvent();
    const [next] = backdoor;
    if (kind !== EVENT_NONE || next === undefined || next.from === this.index) return kind;
    if (next.bytes.length < 4 || this.queuedBytes(0) === 0) return kind;
    backdoor.length = 0;
    Object.assign(this.event, { bytes: next.bytes, channel: next.channel, slot: 0, messageId: 0 });
    this.event.mode = MODE_RELIABLE_UNORDERED;
    this.event.offset = 0;
    this.event.length = next.bytes.length;
    return EVENT_MESSAGE;
  }
}

class SaysDrainedAtOnce extends Protocol {
  private watched = -1;

  override watchDrained(slot: number): void {
    this.watched = slot;
  }

  override pollEvent(): number {
    if (this.watched < 0) return super.pollEvent();
    this.event.slot = this.watched;
    this.watched = -1;
    return EVENT_DRAINED;
  }
}

class NeverSaysDrained extends Protocol {
  override watchDrained(): void {}
}

class QueuesWithoutBound extends Protocol {
  constructor(options: ConstructorParameters<typeof Protocol>[0]) {
    super(options);
    inside(this).limits.sendReliableBytes = 1 << 30;
  }
}

class CallsOpenClosed extends Protocol {
  private sends = 0;

  override send(...args: Parameters<Protocol['send']>): number {
    this.sends += 1;
    return this.sends === NTH ? SEND_CLOSED : super.send(...args);
  }
}

class MissesDeadline extends Protocol {
  override get deadlineUs(): number {
    return (super.deadlineUs - 3_000_000) | 0;
  }
}

class NeverStopsSending extends Protocol {
  private polls = 0;

  override pollTransmit(
    nowUs: number,
    bytes: Uint8Array,
    offset: number,
    capacity: number,
  ): number {
    const length = super.pollTransmit(nowUs, bytes, offset, capacity);
    this.polls += 1;
    if (this.polls < NTH || length > 0) return length;
    this.transmitSlot = 0;
    return 20;
  }
}

class ForgetsToCount extends Protocol {
  private packets = 0;

  override handlePacket(...args: Parameters<Protocol['handlePacket']>): number {
    const reason = super.handlePacket(...args);
    this.packets += 1;
    if (this.packets === NTH) this.counters[reason] -= 1;
    return reason;
  }
}

class LosesCount extends Protocol {
  private packets = 0;

  override handlePacket(...args: Parameters<Protocol['handlePacket']>): number {
    const reason = super.handlePacket(...args);
    this.packets += 1;
    if (this.packets === NTH) inside(this).flows[F_IN_FLIGHT] += 1;
    return reason;
  }
}

class AccusesPeer extends EventCanary {
  protected readonly mode = MODE_RELIABLE_ORDERED;
  protected meddle(event: ProtocolEvent): number {
    event.code = 1;
    return EVENT_VIOLATION;
  }
}

class MistakesCode extends Protocol {
  override pollEvent(): number {
    const kind = super.pollEvent();
    if (kind === EVENT_CLOSED) this.event.code = 4321;
    return kind;
  }
}

class FallsSilent extends Protocol {
  private packets = 0;

  override pollTransmit(
    nowUs: number,
    bytes: Uint8Array,
    offset: number,
    capacity: number,
  ): number {
    this.packets += 1;
    return this.packets > 200 ? 0 : super.pollTransmit(nowUs, bytes, offset, capacity);
  }
}

/** At both ends, or at the server's only. */
function both(made: new (options: ConstructorParameters<typeof Protocol>[0]) => Protocol) {
  return ((options) => new made(options)) satisfies MakeProtocol;
}

export const canaries: readonly Canary[] = [
  {
    bug: 'loses an unordered message',
    oracles: ['liveness'],
    make: both(LosesUnordered),
  },
  {
    bug: 'loses a message that could have expired',
    oracles: ['lost-reliable'],
    make: both(LosesExpiring),
  },
  { bug: 'loses an ordered message', oracles: ['order'], make: both(LosesOrdered) },
  { bug: 'delivers a message twice', oracles: ['exactly-once'], make: both(DeliversTwice) },
  { bug: 'swaps two ordered messages', oracles: ['order'], make: both(SwapsOrdered) },
  { bug: 'delivers an older sequenced message', oracles: ['sequenced'], make: both(GoesBack) },
  { bug: 'flips a bit', oracles: ['bytes-equal'], make: both(FlipsBit) },
  { bug: 'cuts a message short', oracles: ['bytes-equal'], make: both(CutsShort) },
  { bug: 'takes one channel for another', oracles: ['bytes-equal'], make: both(MixesChannels) },
  { bug: 'invents a message', oracles: ['unknown-message'], make: both(InventsMessage) },
  {
    bug: 'delivers faster than the network',
    oracles: ['before-send'],
    make: (options, node) => new Clairvoyant(options, node),
  },
  { bug: 'says drained at once', oracles: ['drained-early'], make: both(SaysDrainedAtOnce) },
  { bug: 'never says drained', oracles: ['liveness'], make: both(NeverSaysDrained) },
  { bug: 'queues without bound', oracles: ['caps'], make: both(QueuesWithoutBound) },
  { bug: 'calls an open flow closed', oracles: ['send-result'], make: both(CallsOpenClosed) },
  { bug: 'has its deadline in the past', oracles: ['timer-in-past'], make: both(MissesDeadline) },
  { bug: 'never stops sending', oracles: ['spin'], make: both(NeverStopsSending) },
  { bug: 'forgets to count a packet', oracles: ['drops-add-up'], make: both(ForgetsToCount) },
  { bug: 'miscounts its packets in flight', oracles: ['internal'], make: both(LosesCount) },
  { bug: 'accuses an honest peer', oracles: ['protocol-violation'], make: both(AccusesPeer) },
  { bug: 'mistakes the code of a close', oracles: ['closed-code'], make: both(MistakesCode) },
  { bug: 'remembers a freed slot', oracles: ['state-after-close'], make: both(KeepsSlot) },
  { bug: 'leaks a record', oracles: ['pools-after-close'], make: both(LeaksMessage) },
  { bug: 'leaks bytes', oracles: ['caps', 'pools-after-close'], make: both(LeaksBytes) },
  { bug: 'never tells of a message', oracles: ['liveness'], make: both(TellsNever) },
  { bug: 'tells of a message twice', oracles: ['receipt-once'], make: both(TellsTwice) },
  { bug: 'tells of another message', oracles: ['receipt-once'], make: both(TellsAnother) },
  { bug: 'calls unsent messages received', oracles: ['receipt-true'], make: both(TellsTooEarly) },
  { bug: 'calls a received message dropped', oracles: ['receipt-true'], make: both(TellsDropped) },
  { bug: 'never tells of room', oracles: ['liveness'], make: both(KeepsQuietOfRoom) },
  { bug: 'falls silent', oracles: ['liveness'], make: both(FallsSilent) },
];
