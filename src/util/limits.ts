import { assert } from './assert.js';

/**
 * Every limit of the TypeScript side in one place. Units are in the names, reasons beside the
 * numbers, relations asserted at load.
 */

/** Largest netcode payload (netcode 1.02) and the largest that a configuration may raise it to. */
export const PAYLOAD_BYTES = 1200;
/** Largest packet that RL1 writes: beside NX's connection id, a datagram stays within 1280 B. */
export const PACKET_BYTES = 1192;
export const PAYLOAD_BYTES_MAX = 1300;
/** One full fragment, the largest frame header before it and the largest packet header must fit. */
export const PAYLOAD_BYTES_MIN = 1080;

/** Bytes of every fragment but the last. 256 of them are the largest message. */
export const FRAGMENT_BYTES = 1024;
export const FRAGMENTS_MAX = 256;

export const RELIABLE_MESSAGE_BYTES_MAX = 256 * 1024;
export const UNRELIABLE_MESSAGE_BYTES_MAX = 16 * 1024;

/** Channels a default endpoint accepts; the wire could name 256. */
export const CHANNELS_MAX = 32;

/** Ids between the oldest unacknowledged message of a channel and mode and the newest sent one. */
export const MESSAGE_WINDOW = 512;

/**
 * Of what all channels of a connection share, bytes and messages that are kept for the more urgent
 * ones: a burst of small messages, not the next large one.
 */
export const RESERVE_BYTES = 64 * 1024;
export const RESERVE_MESSAGES = 256;

/**
 * Reliable bytes of one connection a receiver may have to hold, out of order and partial: two of the
 * largest messages, so that one can be on its way while the other is completed, and the reserve.
 */
export const RECEIVE_BUDGET_BYTES = 512 * 1024 + RESERVE_BYTES;

/** Reliable messages of one connection that may be partly received at once. */
export const RELIABLE_PARTIALS_MAX = 8;

/** Unreliable messages in pieces: few, small, short-lived; the oldest gives way. */
export const UNRELIABLE_PARTIALS_MAX = 2;
export const UNRELIABLE_PARTIAL_BYTES_MAX = 64 * 1024;
export const UNRELIABLE_PARTIAL_LIFETIME_US = 500_000;

/** Bytes held or reserved for reassembly and order by all connections of one Protocol. */
export const REASSEMBLY_BYTES_MAX = 64 * 1024 * 1024;
/**
 * Beyond it, for messages in pieces that an ordered channel waits for: only they free what is held.
 */
export const REASSEMBLY_HEAD_BYTES_MAX = 1024 * 1024;

/**
 * Packets between the oldest unresolved and the next one; also the reach of the receive history.
 */
export const PACKETS_IN_FLIGHT_MAX = 1024;
export const RECEIVE_HISTORY_PACKETS = 512;

export const FRAMES_PER_PACKET_MAX = 64;

/**
 * A full receive budget at the peer plus one more in the queue; above it `send` reports pressure.
 */
export const SEND_RELIABLE_BYTES_MAX = 1024 * 1024;
/** As much as a session takes on WebSocket: a game is told `full` by the same load on both wires. */
export const SEND_SESSION_BYTES_MAX = RECEIVE_BUDGET_BYTES;
/** Small messages cost their bookkeeping, so they are counted too. */
export const SEND_RELIABLE_MESSAGES_MAX = 4096;
export const SEND_UNRELIABLE_BYTES_MAX = 64 * 1024;
export const SEND_UNRELIABLE_MESSAGES_MAX = 256;
/** Unreliable data that could not be packed for this long is stale: newer data will follow. */
export const SEND_UNRELIABLE_LIFETIME_US = 200_000;
/**
 * A sequenced message that waits so long before the next of its kind is not worth sending: longer
 * than the sends of one tick are apart, shorter than ticks of 120 Hz.
 */
export const SEQUENCED_OUTRUN_US = 5_000;
/** Bytes of messages in the send queues of all connections of one Protocol. */
export const SEND_BYTES_MAX = 256 * 1024 * 1024;

/**
 * Redundancy is for small messages: this many bytes, copies and messages waiting per connection.
 */
export const REDUNDANT_BYTES_MAX = 256;
export const REDUNDANT_COPIES_MAX = 7;
export const REDUNDANT_MESSAGES_MAX = 16;
/** Copies take at most this much of a packet, so that they never keep a new message out of it. */
export const REDUNDANT_PACKET_BYTES = 512;

/** The loss above which small reliable messages get a spare copy, and two: 1/2 % and 2 %. */
export const SPARE_LOSS_Q16 = 328;
export const SPARE_LOSS_TWICE_Q16 = 1311;
/** One packet in 2^n weighs in the share of lost packets. */
export const LOSS_SHARE_LOG2 = 7;

/** Bytes a channel of weight 1 sends in a turn: at least one packet, so that every turn sends. */
export const CHANNEL_QUANTUM_BYTES = PAYLOAD_BYTES_MAX;
export const CHANNEL_WEIGHT_MAX = 255;
/** Frames that do not fit are passed over this often before a packet is closed. */
export const PASS_OVER_MAX = 4;

/**
 * Rate control (docs/adr/0011). Rates are bytes per second on the wire: beside a payload travel IP and
 * UDP headers (28), netcode's prefix, sequence and tag (up to 25).
 */
export const DATAGRAM_OVERHEAD_BYTES = 53;
/** A full packet, for conversions. */
export const RATE_PACKET_BYTES = 1250;
export const RATE_START = 65_536;
/** Ten packets in a shorter round trip than this would be no start but a burst. */
export const RATE_START_RTT_US = 5_000;
/** At the start a rate beyond so many times what the last interval delivered is a guess. */
export const RATE_START_GUESS = 4;
export const RATE_MIN = 4_096;
export const RATE_MAX = 1 << 30;
/** Silence alone leads no lower. */
export const RATE_SILENT = 16_384;
/** Added at each growth beside a share: what makes flows of one link alike. */
export const RATE_STEP = 2_048;
/** Figures of a shorter interval are noise. */
export const RATE_INTERVAL_US = 50_000;
export const RATE_STARTUP_INTERVAL_US = 10_000;
export const RATE_INTERVAL_US_MAX = 10_000_000;
export const RATE_INTERVAL_PACKETS = 8;
/** Queueing delay that is taken for a queue of our own, beside two packets' time, and at most. */
export const RATE_QUEUE_US = 8_000;
export const RATE_QUEUE_US_MAX = 40_000;
/** Loss beyond the floor that is taken for ours. */
export const RATE_LOSS = 0.02;
/** More loss than this is never taken for nobody's. */
export const LOSS_FLOOR_MAX = 0.3;
/** A queue or a loss that outlasts so many cuts is not ours. */
export const RATE_CUTS = 4;
/** Such a cut is one for a queue of four packets of the flow, or this; slow flows make less by themselves. */
export const RATE_COMPETE_QUEUE_US = 80_000;
/** No rate is worth more than this. */
export const RATE_COMPETE_QUEUE_US_MAX = 700_000;
/** While a queue drains only the urgent leaves, for so long at most; longer when it is surely ours. */
export const RATE_PAUSE_US_MAX = 250_000;
export const RATE_LONG_PAUSE_US_MAX = 1_000_000;
/** After so long the least round trip is looked for anew. */
export const MIN_RTT_AGE_US = 10_000_000;
/** Leaves at once after a silence, as TCP's first window (RFC 6928). */
export const BURST_BYTES = 10 * RATE_PACKET_BYTES;
export const BURST_BYTES_MIN = 3 * RATE_PACKET_BYTES;
/** The first burst is no longer than this on the link. */
export const BURST_START_US = 25_000;
/** A driver that has no ticks is woken by a timer of 1,024 µs, now and then a little late. */
export const BURST_US = 2_500;
/** Urgent data may be this far beyond what is allowed. */
export const URGENT_BYTES = 8 * RATE_PACKET_BYTES;
/** Packets in flight, whatever the rate. */
export const WINDOW_MAX_PACKETS = 960;

/** Acknowledgements. */
export const ACK_DELAY_US = 25_000;
export const ACK_DELAY_US_MAX = 1_000_000;
export const ACK_EVERY_PACKETS = 10;
export const ACK_DELAY_UNIT_US = 256;
export const ACK_DELAY_UNIT_COARSE_US = 1000;

/** Round trips (RFC 9002 §6.2.2 proposes 333 ms; a game flow has just had a handshake). */
export const INITIAL_RTT_US = 100_000;
/** A longer round trip is none. Four times its variation stays far from where int32 µs wrap. */
export const RTT_US_MAX = 10_000_000;
export const TIMER_GRANULARITY_US = 1000;
export const PTO_US_MAX = 1_000_000;
/** A timeout sends two packets (RFC 9002 §6.2.4). */
export const PROBES_AT_ONCE = 2;
/** Where packets get lost, this many timeouts are an eighth of the first one apart, then they double. */
export const PROBE_TRAIN = 8;
export const PROBE_TRAIN_US_MIN = 5_000;
export const PROBE_TRAIN_US_MAX = 250_000;
/** Messages of a stream that a probe looks at. */
export const PROBE_MESSAGES_MAX = 64;
export const PACKET_THRESHOLD = 3;
export const PACKET_THRESHOLD_MAX = 32;

/** A packet number is skipped at random once in this many packets. */
export const SKIP_PACKETS_MIN = 64;
export const SKIP_PACKETS_MAX = 512;

/** PARAMS are repeated until answered: so many times so far apart, then at twice the time each. */
export const PARAMS_REPEATS_AT_ONCE = 10;
export const PARAMS_REPEAT_US = 100_000;
export const PARAMS_REPEAT_US_MAX = 1_000_000;

/** The sender's rule may be broken this often; the last one closes. */
export const STRIKES_MAX = 3;

export const CLOSE_REASON_BYTES_MAX = 64;
/**
 * CLOSE has no acknowledgement: four packets at once, one more if the peer is still heard. A WebSocket's
 * close code arrives whatever is lost, so that of a flow should hardly ever be missed.
 */
export const CLOSE_PACKETS_AT_ONCE = 4;
export const CLOSE_PACKETS_MAX = 5;

/**
 * Clock: a burst at the start, a few more in the first two seconds, so that the clock is good from then
 * on also where there is jitter, then one a second; the last eight answers are kept.
 */
export const CLOCK_BURST_COUNT = 5;
export const CLOCK_BURST_INTERVAL_US = 50_000;
export const CLOCK_EARLY_COUNT = 12;
export const CLOCK_EARLY_INTERVAL_US = 250_000;
export const CLOCK_INTERVAL_US = 1_000_000;
export const CLOCK_SAMPLES = 8;

/** Flows whose timers fire in one turn; a turn receives twice as many datagrams. */
export const TIMERS_AT_ONCE = 512;

assert(FRAGMENT_BYTES * FRAGMENTS_MAX === RELIABLE_MESSAGE_BYTES_MAX, 'fragment limits');
assert(UNRELIABLE_MESSAGE_BYTES_MAX * 2 <= UNRELIABLE_PARTIAL_BYTES_MAX, 'unreliable partials');
assert(RELIABLE_MESSAGE_BYTES_MAX <= RECEIVE_BUDGET_BYTES, 'one message fits the budget');
assert(RECEIVE_BUDGET_BYTES <= SEND_RELIABLE_BYTES_MAX, 'the queue holds a full window');
assert(RECEIVE_BUDGET_BYTES <= REASSEMBLY_BYTES_MAX, 'one connection fits the process');
assert(RELIABLE_MESSAGE_BYTES_MAX <= REASSEMBLY_HEAD_BYTES_MAX, 'a message can always begin');
assert(RESERVE_BYTES + 2 * RELIABLE_MESSAGE_BYTES_MAX <= RECEIVE_BUDGET_BYTES, 'two and the rest');
assert(MESSAGE_WINDOW <= SEND_RELIABLE_MESSAGES_MAX, 'the queue holds a full id window');
assert(MESSAGE_WINDOW <= 32768 / 2, 'ids are compared in 16 bits');
assert(WINDOW_MAX_PACKETS + 32 <= PACKETS_IN_FLIGHT_MAX, 'room for probes beside the window');
assert(PACKET_BYTES >= PAYLOAD_BYTES_MIN && PACKET_BYTES <= PAYLOAD_BYTES, 'packet sizes');
assert(PAYLOAD_BYTES_MIN >= FRAGMENT_BYTES + 24 + 8, 'a fragment fits the smallest packet');
assert(UNRELIABLE_MESSAGE_BYTES_MAX <= SEND_UNRELIABLE_BYTES_MAX, 'one fits the queue');
