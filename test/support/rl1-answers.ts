/** What a Protocol tells after a payload, in the words of `test/vectors/rl1/sequences.json`. */
import {
  DROP_REASON_NAMES,
  EVENT_CLOSED,
  EVENT_MESSAGE,
  EVENT_NONE,
  EVENT_RAW,
  EVENT_READY,
  EVENT_VIOLATION,
  type Protocol,
  type ProtocolEvent,
  VIOLATION_NAMES,
} from '../../src/protocol/protocol.js';

/** Gives the payload to slot 0; `accept` or the reason, then ` | EVENT` for each event. */
export function answerOf(
  protocol: Protocol,
  nowUs: number,
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length,
): string {
  const reason = protocol.handlePacket(0, nowUs, nowUs, bytes, offset, length);
  return (reason === 0 ? 'accept' : DROP_REASON_NAMES[reason]) + eventsOf(protocol);
}

/** The events that wait; those that are no answer to a payload (receipts, drained) are left out. */
function eventsOf(protocol: Protocol): string {
  let text = '';
  for (let kind = protocol.pollEvent(); kind !== EVENT_NONE; kind = protocol.pollEvent()) {
    const described = describe(kind, protocol.event);
    if (described !== '') {
      text += ` | ${described}`;
    }
  }
  return text;
}

function describe(kind: number, event: ProtocolEvent): string {
  switch (kind) {
    case EVENT_READY:
      return 'ready';
    case EVENT_RAW:
      return `raw ${digest(event)}`;
    case EVENT_MESSAGE:
      return `message ${event.channel} ${event.mode} ${event.messageId} ${digest(event)}`;
    case EVENT_CLOSED:
      return `closed ${event.code} ${digest(event)}`;
    case EVENT_VIOLATION:
      return `violation ${VIOLATION_NAMES[event.code]}`;
    default:
      return '';
  }
}

/** Length and FNV-1a hash. */
function digest({ bytes, offset, length }: ProtocolEvent): string {
  let hash = 0x811c9dc5;
  for (let at = offset; at < offset + length; at += 1) {
    hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  }
  return `${length}:${(hash >>> 0).toString(16).padStart(8, '0')}`;
}
