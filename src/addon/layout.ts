/**
 * The shared ring memory, as offsets. `native/addon/src/layout.rs` holds the same numbers; the
 * loader compares the two by name (`addon-mismatch`), so a stale build of either is refused.
 *
 *   control block (144 × i32) | rx descriptors | tx descriptors | rx arena | tx arena
 *
 * Every part begins on a cache line. All integers are little-endian.
 */

export const MAGIC = 0x47475254;
export const LAYOUT_VERSION = 2;
export const CONTROL_INTS = 144;

// Indices of the control block, in i32.
export const I_MAGIC = 0;
export const I_LAYOUT_VERSION = 1;
export const I_RX_CAPACITY = 2;
export const I_TX_CAPACITY = 3;
export const I_RX_DESCRIPTORS = 4;
export const I_TX_DESCRIPTORS = 5;
export const I_RX_ARENA = 6;
export const I_RX_ARENA_BYTES = 7;
export const I_TX_ARENA = 8;
export const I_TX_ARENA_BYTES = 9;
// 1 once an endpoint took the memory: it takes no second one.
export const I_OWNED = 10;
// Free-running u32 counters, each with one writer: native, JavaScript, JavaScript, native.
export const I_RX_TAIL = 16;
export const I_RX_HEAD = 32;
export const I_TX_TAIL = 48;
export const I_TX_HEAD = 64;
// Written by the native side at drain.
export const I_NOW_US = 80;
export const I_MORE = 81;
export const I_TICKS_DUE = 82;
// Written by JavaScript, read at flush.
export const I_DEADLINE_US = 96;
export const I_DEADLINE_ARMED = 97;
// What would wake a sleeper (NEWS_*, 0 while it is awake): JavaScript, the native side.
export const I_RX_SLEEPING = 112;
export const I_TX_SLEEPING = 128;

export const DESCRIPTOR_INTS = 8;

// Fields of a descriptor, in i32.
export const D_KIND = 0;
export const D_SLOT = 1;
export const D_GENERATION = 2;
/** From the start of the memory. */
export const D_OFFSET = 3;
export const D_LENGTH = 4;
/** int32 wrapping microseconds. */
export const D_ARRIVAL_US = 5;
export const D_AUX0 = 6;
export const D_AUX1 = 7;

/** aux0: low 32 bits of the netcode sequence. */
export const RX_PAYLOAD = 1;
/** Bytes: see OPENED_BYTES. */
export const RX_OPENED = 2;
/**
 * aux0: why (CLOSE_REASONS); aux1: what a server said before it denied, code | retry after seconds
 * << 16, or 0.
 */
export const RX_CLOSED = 3;
/** aux0, aux1: slot and generation of the flow that took its place. */
export const RX_REPLACED = 4;
/** aux0: bit 0, only the client's port changed. */
export const RX_MIGRATED = 5;

export const TX_PAYLOAD = 1;
export const TX_DISCONNECT = 2;

/**
 * u64 client id, u8 family (4 or 6), u8 0, u16 port, 16 B address, i32 timeout in seconds, u32 max
 * flows, 256 B user data.
 */
export const OPENED_BYTES = 292;

/** Room that the native side needs before and after a payload in the tx arena. */
export const HEADROOM_BYTES = 24;
export const TAG_BYTES = 16;
export const ARENA_ALIGN = 8;
/** Offsets stay small non-negative integers. */
export const MEMORY_MAX_BYTES = 1 << 30;

/** The other side published entries (rx for JavaScript, tx for the native side). */
export const NEWS_ENTRIES = 1;
/** The other side released entries: room where this side writes. */
export const NEWS_ROOM = 2;

// Reasons of a wake, a bit mask.
export const WAKE_READABLE = 1;
export const WAKE_DEADLINE = 2;
export const WAKE_TICK = 4;
export const WAKE_WRITABLE = 8;

/** Names of the close reasons in aux0 of RX_CLOSED; 5 to 8 occur at clients only, 10 at servers. */
export const CLOSE_REASONS: readonly string[] = [
  '',
  'peer-disconnect',
  'timeout',
  'local',
  'replaced',
  'denied',
  'token-expired',
  'request-timeout',
  'response-timeout',
  'nx-required',
  'blocked',
  'nx-violation',
];

/** What the loader compares with the native `layout()`. */
export const LAYOUT: Readonly<Record<string, number>> = {
  MAGIC,
  LAYOUT_VERSION,
  CONTROL_INTS,
  I_MAGIC,
  I_LAYOUT_VERSION,
  I_RX_CAPACITY,
  I_TX_CAPACITY,
  I_RX_DESCRIPTORS,
  I_TX_DESCRIPTORS,
  I_RX_ARENA,
  I_RX_ARENA_BYTES,
  I_TX_ARENA,
  I_TX_ARENA_BYTES,
  I_OWNED,
  I_RX_TAIL,
  I_RX_HEAD,
  I_TX_TAIL,
  I_TX_HEAD,
  I_NOW_US,
  I_MORE,
  I_TICKS_DUE,
  I_DEADLINE_US,
  I_DEADLINE_ARMED,
  I_RX_SLEEPING,
  I_TX_SLEEPING,
  DESCRIPTOR_INTS,
  D_KIND,
  D_SLOT,
  D_GENERATION,
  D_OFFSET,
  D_LENGTH,
  D_ARRIVAL_US,
  D_AUX0,
  D_AUX1,
  RX_PAYLOAD,
  RX_OPENED,
  RX_CLOSED,
  RX_REPLACED,
  RX_MIGRATED,
  TX_PAYLOAD,
  TX_DISCONNECT,
  OPENED_BYTES,
  HEADROOM_BYTES,
  TAG_BYTES,
  ARENA_ALIGN,
  MEMORY_MAX_BYTES,
  NEWS_ENTRIES,
  NEWS_ROOM,
  WAKE_READABLE,
  WAKE_DEADLINE,
  WAKE_TICK,
  WAKE_WRITABLE,
};
