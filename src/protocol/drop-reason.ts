/**
 * Why a packet was refused. A refused packet is never acknowledged, and changes nothing but its
 * counter; but a broken sender's rule and an impossible acknowledgement change the flow's standing,
 * and of a packet that found no memory those messages are taken that need none.
 */
export const ACCEPTED = 0;
export const DROP_FLOW_CLOSED = 1;
export const DROP_PARAMS_MALFORMED = 2;
export const DROP_PARAMS_UNEXPECTED = 3;
export const DROP_BEFORE_PARAMS = 4;
export const DROP_HEADER_TRUNCATED = 5;
export const DROP_HEADER_MALFORMED = 6;
export const DROP_ACK_NON_CANONICAL = 7;
export const DROP_ACK_NEVER_SENT = 8;
export const DROP_PACKET_DUPLICATE = 9;
export const DROP_PACKET_OLD = 10;
export const DROP_FRAME_COUNT = 11;
export const DROP_FRAME_UNKNOWN = 12;
export const DROP_FRAME_TRUNCATED = 13;
export const DROP_FRAME_NON_CANONICAL = 14;
export const DROP_CHANNEL_RANGE = 15;
export const DROP_FRAGMENT_MALFORMED = 16;
export const DROP_MESSAGE_TOO_LARGE = 17;
export const DROP_CLOSE_MALFORMED = 18;
export const DROP_SENDER_RULE = 19;
export const DROP_REASSEMBLY_FULL = 20;

/** Names in the order of the numbers above; index 0 counts the packets that were accepted. */
export const DROP_REASON_NAMES: readonly string[] = [
  'accepted',
  'flow-closed',
  'params-malformed',
  'params-unexpected',
  'before-params',
  'header-truncated',
  'header-malformed',
  'ack-non-canonical',
  'ack-never-sent',
  'packet-duplicate',
  'packet-old',
  'frame-count',
  'frame-unknown',
  'frame-truncated',
  'frame-non-canonical',
  'channel-range',
  'fragment-malformed',
  'message-too-large',
  'close-malformed',
  'sender-rule',
  'reassembly-full',
];

export const DROP_REASON_COUNT = DROP_REASON_NAMES.length;

/** What happened to messages and frames inside accepted packets, and to messages not yet sent. */
export const TALLY_MESSAGE_DUPLICATE = 0;
export const TALLY_MESSAGE_STALE = 1;
export const TALLY_FRAGMENT_DUPLICATE = 2;
export const TALLY_PARTIAL_EVICTED = 3;
export const TALLY_PARTIAL_EXPIRED = 4;
export const TALLY_FRAME_IGNORED = 5;
export const TALLY_TIME_UNMATCHED = 6;
export const TALLY_SEND_EXPIRED = 7;
export const TALLY_SEND_SUPERSEDED = 8;
export const TALLY_SEND_STALE = 9;
export const TALLY_SEND_REFUSED = 10;
/** Sequenced: one of its kind came after it while it waited. */
export const TALLY_SEND_OUTRUN = 11;
/** Unreliable: the queue was full, and a newer or more urgent one took its room. */
export const TALLY_SEND_DISPLACED = 12;

export const TALLY_NAMES: readonly string[] = [
  'message-duplicate',
  'message-stale',
  'fragment-duplicate',
  'partial-evicted',
  'partial-expired',
  'frame-ignored',
  'time-unmatched',
  'send-expired',
  'send-superseded',
  'send-stale',
  'send-refused',
  'send-outrun',
  'send-displaced',
];
