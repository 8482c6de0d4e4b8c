/**
 * The words of the core's records. A flow's hot state is FLOW_STRIDE int32 words at
 * slot × FLOW_STRIDE of one Int32Array; streams, messages, packets, references and held messages
 * are records of pools, named by handles (0 = none).
 */
export const FLOW_STRIDE_LOG2 = 7;
export const FLOW_STRIDE = 1 << FLOW_STRIDE_LOG2;

export const F_STATE = 0;
export const F_FLAGS = 1;
/**
 * Bumped by openFlow and freeFlow, so that events of an earlier flow in this slot are recognised.
 */
export const F_GENERATION = 2;
export const F_DIRTY_NEXT = 3;
export const F_MAX_PAYLOAD = 4;

// Receiving packets.
export const F_RX_LARGEST = 5;
export const F_RX_LARGEST_ARRIVAL_US = 6;
/** The peer knows everything we reported up to here. */
export const F_RX_FLOOR = 7;
/** Ack-eliciting packets since the last acknowledgement went out. */
export const F_RX_UNACKED = 8;
export const F_ACK_DEADLINE_US = 9;
export const F_JITTER_Q4 = 10;
export const F_TRANSIT_TICKS = 11;

// Sending packets.
export const F_NEXT_SEQUENCE = 12;
/** Numbers used so far (skipped ones too), up to 32767. */
export const F_SEQUENCES_USED = 13;
export const F_SKIP_IN = 14;
export const F_OLDEST = 15;
export const F_LARGEST_ACKED = 16;
export const F_IN_FLIGHT = 17;
export const F_SENT_RING = 18;
export const F_SENT_RING_LOG2 = 19;
export const F_PACKET_THRESHOLD = 20;
export const F_LOSS_US = 21;
/** When the last probe timeout was. */
export const F_PROBED_US = 22;
export const F_PTO_COUNT = 23;
export const F_PROBES = 24;

// Round trip.
export const F_SRTT_US = 25;
export const F_RTTVAR_US = 26;
export const F_LATEST_RTT_US = 27;
/** Least round trip of the last 10 s or so, without the peer's delay: the path without queues. */
export const F_MIN_RTT_US = 28;
/** When it was seen last, and the least one seen since. */
export const F_MIN_RTT_SEEN_US = 94;
export const F_MIN_RTT_NEXT_US = 95;

// Rate control (rate.ts).
/** Bytes per second, headers of all layers included. */
export const F_RATE = 29;
/** Bytes that may leave at F_TOKENS_US; below 0 what has been overdrawn. */
export const F_TOKENS = 30;
export const F_TOKENS_US = 31;
export const F_BYTES_IN_FLIGHT = 120;
/** The present interval: its start, bytes acknowledged, packets acknowledged | lost << 16. */
export const F_INTERVAL_US = 121;
export const F_INTERVAL_BYTES = 122;
export const F_INTERVAL_PACKETS = 123;
/** Its least round trip, 0 before a sample. */
export const F_INTERVAL_RTT_US = 124;
/** Mode, counters and the loss floor: RATE_… in rate.ts. */
export const F_RATE_STATE = 125;
/** The rate before the last cuts: where the link was full. STARTUP: what the last interval delivered. */
export const F_HELD_RATE = 126;
/** The first packet number at the present rate. */
export const F_RATE_SEQUENCE = 32;

// Streams and queues.
export const F_TABLE = 33;
export const F_TABLE_LOG2 = 34;
export const F_TABLE_COUNT = 35;
export const F_SEND_STREAMS = 36;
export const F_RECEIVE_STREAMS = 93;
/** Bit p: streams of priority p have something to send (their list is at F_ACTIVE + p). */
export const F_PRIORITIES = 37;
export const F_BLOCKED_HEAD = 38;
/** Copies that the application asked for. */
export const F_REDUNDANT_HEAD = 39;
export const F_REDUNDANT_TAIL = 40;
export const F_REDUNDANT_COUNT = 41;
/** Copies out of spare room. */
export const F_SPARE_HEAD = 42;
export const F_SPARE_TAIL = 43;
export const F_SPARE_COUNT = 44;
/** Reliable bytes and messages accepted and not yet past the oldest unacknowledged one. */
export const F_RELIABLE_BYTES = 45;
export const F_RELIABLE_COUNT = 46;
/** Of these, the bytes from the oldest unacknowledged to the newest sent: the sender's rule. */
export const F_SPAN_BYTES = 47;
export const F_SPAN_PARTIALS = 48;
export const F_UNRELIABLE_BYTES = 49;
export const F_UNRELIABLE_COUNT = 50;
/** Reliable messages not yet acknowledged, sent or not. */
export const F_UNACKED_COUNT = 51;

// Receiving messages.
export const F_PARTIAL_HEAD = 52;
export const F_PARTIAL_COUNT = 53;
export const F_UNRELIABLE_PARTIALS = 54;
export const F_HELD_BYTES = 55;
export const F_STRIKES = 56;
/** How much later than the smoothed round trip reordered packets were acknowledged. */
export const F_REORDER_US = 79;
/** Share of packets declared lost, of the last hundred or so, in 1/65536. */
export const F_LOSS_Q16 = 91;

// The peer's PARAMS.
export const F_PEER_CHANNELS = 57;
export const F_PEER_WINDOW = 58;
export const F_PEER_PARTIALS = 59;
export const F_PEER_MESSAGE_BYTES = 60;
export const F_PEER_UNRELIABLE_BYTES = 61;
export const F_PEER_BUDGET = 62;
export const F_PEER_ACK_DELAY_US = 63;
export const F_PEER_HASH = 64;
export const F_PEER_DELAY_UNIT_US = 65;

// PARAMS, clock and CLOSE.
export const F_HELLO_US = 66;
export const F_HELLO_COUNT = 67;
export const F_HELLO_SENT_US = 68;
/** Once PARAMS are known: when the oldest packet in flight was sent, and anything was acknowledged. */
export const F_OLDEST_SENT_US = 66;
export const F_PROGRESS_US = 67;
/** Then too: 1 + bytes in flight when the present queue was first seen, or less; 0: there is none. */
export const F_QUEUE_BYTES = 68;
export const F_CLOCK_US = 69;
export const F_CLOCK_COUNT = 70;
export const F_CLOCK_REQUEST_US = 71;
export const F_CLOCK_BLOCK = 72;
export const F_TIME_REQUEST_T0 = 73;
export const F_TIME_REQUEST_T1 = 74;
export const F_CLOSE_CODE = 75;
export const F_CLOSE_REASON = 76;
export const F_CLOSE_REASON_BYTES = 77;
export const F_CLOSE_SENT = 78;

// Figures, modulo 2^32.
export const F_PACKETS_IN = 80;
export const F_PACKETS_OUT = 81;
export const F_BYTES_IN = 82;
export const F_BYTES_OUT = 83;
export const F_MESSAGES_IN = 84;
export const F_MESSAGES_OUT = 85;
export const F_RESENDS = 86;
export const F_LOST = 87;
export const F_SPURIOUS = 88;
export const F_ACKS_OUT = 89;
/** Message frames that were spare copies. */
export const F_SPARES = 92;
/** Unreliable messages given up before they were sent. */
export const F_DROPPED = 127;

/** While FLAG_OLD_PATH: the first packet number of the present path. */
export const F_PATH_SEQUENCE = 90;

/** 512 bits, bit (sequence & 511): packets received. */
export const F_RX_BITS = 96;

/** Per priority: the last stream of a ring of streams (S_LIST_NEXT); the one after it is next. */
export const F_ACTIVE = 112;
export const PRIORITIES = 8;

// F_STATE
export const STATE_FREE = 0;
/** Client: repeats PARAMS until they are answered. */
export const STATE_HELLO = 1;
/** Server: waits for the first payload. */
export const STATE_WAIT = 2;
export const STATE_READY = 3;
export const STATE_RAW = 4;
/** CLOSE is to be sent, or was. */
export const STATE_CLOSING = 5;
/** The peer sent CLOSE. */
export const STATE_CLOSED = 6;

// F_FLAGS
export const FLAG_DIRTY = 1;
export const FLAG_CLIENT = 2;
export const FLAG_RECEIVED = 4;
export const FLAG_ACK_NOW = 8;
export const FLAG_ACK_TIMER = 16;
export const FLAG_LOSS_TIMER = 32;
export const FLAG_ANSWER_PARAMS = 64;
export const FLAG_ACKED = 128;
export const FLAG_HAS_RTT = 256;
/** Packets before F_PATH_SEQUENCE may still be declared lost: that says nothing of this path. */
export const FLAG_OLD_LOSSES = 512;
export const FLAG_TIME_REQUEST = 1024;
export const FLAG_TIME_RESPONSE = 2048;
export const FLAG_TIME_OUTSTANDING = 4096;
export const FLAG_WATCH_DRAINED = 8192;
export const FLAG_TRANSIT = 16384;
export const FLAG_CLOSE_NOW = 32768;
/** Nothing that was sent on the present path has been acknowledged: see F_PATH_SEQUENCE. */
export const FLAG_OLD_PATH = 65536;
/** A message was refused for want of room: EVENT_WRITABLE will tell when to go on. */
export const FLAG_REFUSED = 1 << 20;
/** Only acknowledgements are taken: nobody hears messages any more. */
export const FLAG_PARTING = 1 << 21;
/** A TIME_REQ is due that leaves with the next data; alone when the one after it is due. */
export const FLAG_TIME_WANTED = 1 << 22;
/** Data waits for tokens. */
export const FLAG_PACING = 1 << 17;

/** One (channel, mode) of a flow, sending. Streams live as long as their flow. */
export const SEND_STREAM_STRIDE = 16;
/** channel « 2 | mode */
export const S_KEY = 1;
export const S_FLOW_NEXT = 2;
/** Bytes it may still send in this turn (deficit round robin). */
export const S_DEFICIT = 3;
export const S_STATE = 4;
/** In the ring of its priority, or in the list of the blocked. */
export const S_LIST_NEXT = 5;
export const S_NEXT_ID = 6;
export const S_UNSENT_HEAD = 7;
export const S_UNSENT_TAIL = 8;
export const S_SENT_HEAD = 9;
export const S_SENT_TAIL = 10;
/** The message whose fragments are being sent for the first time. */
export const S_CURRENT = 11;
/** References to what was lost: it goes before anything new of this stream. */
export const S_RESEND_HEAD = 12;
export const S_RESEND_TAIL = 13;
/** Reliable: messages taken so far, u32. */
export const S_COUNT = 14;

/** One (channel, mode) of a flow, receiving. */
export const RECEIVE_STREAM_STRIDE = 8;
/** channel « 2 | mode */
export const R_KEY = 1;
export const R_FLOW_NEXT = 2;
/** The next id wanted (reliable), or the newest delivered (sequenced). */
export const R_NEXT_ID = 3;
/** Ordered: sequence buffer of held messages. Unordered: 16 words of seen bits. */
export const R_BUFFER = 4;
export const R_BUFFER_LOG2 = 5;
export const R_HELD_COUNT = 6;

export const STREAM_IDLE = 0;
export const STREAM_ACTIVE = 1;
/** The sender's rule keeps it from starting another message. */
export const STREAM_BLOCKED = 2;

/** A message to be sent. */
export const MESSAGE_STRIDE = 16;
export const M_NEXT = 0;
/** Survives free: a reference with another generation is to an earlier message in this record. */
export const M_GENERATION = 1;
export const M_STREAM = 2;
export const M_ID = 3;
export const M_LENGTH = 4;
/** BytePool handle, or block of one BytePool handle per fragment. */
export const M_DATA = 5;
export const M_FLAGS = 6;
/** With MESSAGE_EXPIRES; else when it was queued. */
export const M_EXPIRES_US = 7;
export const M_KEY = 8;
export const M_REDUNDANCY = 9;
/** 0 when the message travels whole. */
export const M_FRAGMENTS = 10;
export const M_NEXT_FRAGMENT = 11;
export const M_ACKED_FRAGMENTS = 12;
/** 16 words: 8 of acknowledged bits, 8 of bits waiting in the resend queue. */
export const M_FRAGMENT_BITS = 13;
/** What EVENT_RECEIPT will say, 0 for none. */
export const M_RECEIPT = 14;
/** Tracked: packets in flight that carry it. */
export const M_OUT = 15;

export const MESSAGE_ACKED = 2;
export const MESSAGE_STARTED = 4;
export const MESSAGE_EXPIRES = 8;
export const MESSAGE_KEYED = 16;
export const MESSAGE_RESEND = 32;
export const MESSAGE_DEFAULT_EXPIRY = 64;
/** Unreliable with a receipt: its packets refer to it although it is never sent again. */
export const MESSAGE_TRACKED = 128;
/** Copies of it wait; its data is needed. */
export const MESSAGE_REDUNDANT = 256;
/** Tracked: all of it was packed, so only its packets hold it. */
export const MESSAGE_SENT = 512;

/** An ack-eliciting packet that was sent. Its first reference lies in the record. */
export const PACKET_STRIDE = 8;
export const P_SENT_US = 1;
export const P_FLAGS = 2;
export const P_REFERENCES = 3;
export const P_MESSAGE = 4;
export const P_GENERATION = 5;
export const P_FRAGMENT = 6;
/** On the wire, headers of all layers included. */
export const P_BYTES = 7;

export const PACKET_LOST = 1;

/** A reference to a message or one of its fragments. */
export const REFERENCE_STRIDE = 4;
export const N_NEXT = 0;
export const N_MESSAGE = 1;
export const N_GENERATION = 2;
/** Fragment index; in the lists of copies: how many are still to be sent. */
export const N_FRAGMENT = 3;

/** A received message that waits: for its fragments, for its turn, or for pollEvent. */
export const HELD_STRIDE = 12;
export const H_NEXT = 0;
export const H_STREAM = 1;
export const H_ID = 2;
/** 0 when it came whole. */
export const H_FRAGMENTS = 3;
export const H_RECEIVED = 4;
export const H_LENGTH = 5;
/** BytePool handle, or block of one BytePool handle + 1 per fragment. */
export const H_DATA = 6;
export const H_DATA_LOG2 = 7;
export const H_STARTED_US = 8;
/** Bytes counted against the connection's budget. */
export const H_BUDGET = 9;
/** Bytes counted against the process. */
export const H_RESERVED = 10;

/** One event in the queue. */
export const EVENT_STRIDE = 8;
export const E_KIND = 0;
export const E_SLOT = 1;
export const E_GENERATION = 2;
/** 0: offset and length of the packet's bytes; else a held record. */
export const E_HELD = 3;
export const E_KEY = 4;
export const E_ID = 5;
export const E_OFFSET = 6;
export const E_LENGTH = 7;

/** One parsed frame. */
export const FRAME_STRIDE = 8;
/** The first byte of the frame. */
export const X_TYPE = 0;
/** channel « 2 | mode */
export const X_KEY = 1;
/** The receive stream, once the sender's rule has looked for it; 0 when there is none yet. */
export const X_STREAM = 2;
export const X_ID = 3;
/** Of a fragment. */
export const X_INDEX = 4;
/** Fragments of the message, 0 when it travels whole. */
export const X_COUNT = 5;
export const X_OFFSET = 6;
export const X_LENGTH = 7;

/** A cell of the sent ring: first word a packet record, 0 (nothing to acknowledge), or SKIPPED. */
export const CELL_SKIPPED = -2;
