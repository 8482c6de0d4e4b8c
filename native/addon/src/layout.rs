//! The shared ring memory, as offsets. `src/addon/layout.ts` holds the same numbers, and the loader
//! compares the two by name, so a stale build of either side is refused at load.
//!
//! ```text
//! control block (144 × i32) | rx descriptors | tx descriptors | rx arena | tx arena
//! ```
//! Every part begins on a cache line (64 bytes). All integers are little-endian, as the CPU's own.

/// `GGRT`, read back as an i32; a wrong value means that the memory was never initialised.
pub const MAGIC: i32 = 0x4747_5254;
pub const LAYOUT_VERSION: i32 = 2;

pub const CONTROL_INTS: usize = 144;
pub const CONTROL_BYTES: usize = CONTROL_INTS * 4;

// Indices of the control block, in i32. Written once by JavaScript, read once at open.
pub const I_MAGIC: usize = 0;
pub const I_LAYOUT_VERSION: usize = 1;
pub const I_RX_CAPACITY: usize = 2;
pub const I_TX_CAPACITY: usize = 3;
pub const I_RX_DESCRIPTORS: usize = 4;
pub const I_TX_DESCRIPTORS: usize = 5;
pub const I_RX_ARENA: usize = 6;
pub const I_RX_ARENA_BYTES: usize = 7;
pub const I_TX_ARENA: usize = 8;
pub const I_TX_ARENA_BYTES: usize = 9;
// 1 once an endpoint took the memory: it takes no second one.
pub const I_OWNED: usize = 10;
// Counters that run freely as u32; each has one writer and its own cache line.
pub const I_RX_TAIL: usize = 16;
pub const I_RX_HEAD: usize = 32;
pub const I_TX_TAIL: usize = 48;
pub const I_TX_HEAD: usize = 64;
// Written by the native side at drain.
pub const I_NOW_US: usize = 80;
pub const I_MORE: usize = 81;
pub const I_TICKS_DUE: usize = 82;
// Written by JavaScript, read at flush.
pub const I_DEADLINE_US: usize = 96;
pub const I_DEADLINE_ARMED: usize = 97;
// What would wake a sleeper (NEWS_*, 0 while it is awake): JavaScript, the native side.
pub const I_RX_SLEEPING: usize = 112;
pub const I_TX_SLEEPING: usize = 128;

/// What every part begins on, and a section of the memory of several endpoints.
pub const LINE_BYTES: usize = 64;

pub const DESCRIPTOR_INTS: usize = 8;
pub const DESCRIPTOR_BYTES: usize = DESCRIPTOR_INTS * 4;

// Fields of a descriptor, in i32.
pub const D_KIND: usize = 0;
pub const D_SLOT: usize = 1;
pub const D_GENERATION: usize = 2;
pub const D_OFFSET: usize = 3;
pub const D_LENGTH: usize = 4;
pub const D_ARRIVAL_US: usize = 5;
pub const D_AUX0: usize = 6;
pub const D_AUX1: usize = 7;

pub const RX_PAYLOAD: i32 = 1;
pub const RX_OPENED: i32 = 2;
pub const RX_CLOSED: i32 = 3;
pub const RX_REPLACED: i32 = 4;
pub const RX_MIGRATED: i32 = 5;

pub const TX_PAYLOAD: i32 = 1;
pub const TX_DISCONNECT: i32 = 2;

/// Bytes of an OPENED descriptor: u64 client id, u8 family, u8 0, u16 port, 16 address, i32 timeout
/// in seconds, u32 max flows, 256 user data.
pub const OPENED_BYTES: usize = 292;

pub const HEADROOM_BYTES: usize = ggscale_transport_core::HEADROOM;
pub const TAG_BYTES: usize = ggscale_transport_core::TAG_BYTES;
/// Allocations of the arenas begin on this boundary.
pub const ARENA_ALIGN: usize = 8;
/// The largest ring memory: offsets stay small non-negative i32 on the JavaScript side.
pub const MEMORY_MAX_BYTES: usize = 1 << 30;

/// The other side published entries (rx for JavaScript, tx for the native side).
pub const NEWS_ENTRIES: i32 = 1;
/// The other side released entries: room where this side writes.
pub const NEWS_ROOM: i32 = 2;

pub const WAKE_READABLE: u32 = 1;
pub const WAKE_DEADLINE: u32 = 2;
pub const WAKE_TICK: u32 = 4;
pub const WAKE_WRITABLE: u32 = 8;

/// Everything above by name, for the comparison at load.
pub const TABLE: &[(&str, i64)] = &[
    ("MAGIC", MAGIC as i64),
    ("LAYOUT_VERSION", LAYOUT_VERSION as i64),
    ("CONTROL_INTS", CONTROL_INTS as i64),
    ("I_MAGIC", I_MAGIC as i64),
    ("I_LAYOUT_VERSION", I_LAYOUT_VERSION as i64),
    ("I_RX_CAPACITY", I_RX_CAPACITY as i64),
    ("I_TX_CAPACITY", I_TX_CAPACITY as i64),
    ("I_RX_DESCRIPTORS", I_RX_DESCRIPTORS as i64),
    ("I_TX_DESCRIPTORS", I_TX_DESCRIPTORS as i64),
    ("I_RX_ARENA", I_RX_ARENA as i64),
    ("I_RX_ARENA_BYTES", I_RX_ARENA_BYTES as i64),
    ("I_TX_ARENA", I_TX_ARENA as i64),
    ("I_TX_ARENA_BYTES", I_TX_ARENA_BYTES as i64),
    ("I_OWNED", I_OWNED as i64),
    ("I_RX_TAIL", I_RX_TAIL as i64),
    ("I_RX_HEAD", I_RX_HEAD as i64),
    ("I_TX_TAIL", I_TX_TAIL as i64),
    ("I_TX_HEAD", I_TX_HEAD as i64),
    ("I_NOW_US", I_NOW_US as i64),
    ("I_MORE", I_MORE as i64),
    ("I_TICKS_DUE", I_TICKS_DUE as i64),
    ("I_DEADLINE_US", I_DEADLINE_US as i64),
    ("I_DEADLINE_ARMED", I_DEADLINE_ARMED as i64),
    ("I_RX_SLEEPING", I_RX_SLEEPING as i64),
    ("I_TX_SLEEPING", I_TX_SLEEPING as i64),
    ("DESCRIPTOR_INTS", DESCRIPTOR_INTS as i64),
    ("D_KIND", D_KIND as i64),
    ("D_SLOT", D_SLOT as i64),
    ("D_GENERATION", D_GENERATION as i64),
    ("D_OFFSET", D_OFFSET as i64),
    ("D_LENGTH", D_LENGTH as i64),
    ("D_ARRIVAL_US", D_ARRIVAL_US as i64),
    ("D_AUX0", D_AUX0 as i64),
    ("D_AUX1", D_AUX1 as i64),
    ("RX_PAYLOAD", RX_PAYLOAD as i64),
    ("RX_OPENED", RX_OPENED as i64),
    ("RX_CLOSED", RX_CLOSED as i64),
    ("RX_REPLACED", RX_REPLACED as i64),
    ("RX_MIGRATED", RX_MIGRATED as i64),
    ("TX_PAYLOAD", TX_PAYLOAD as i64),
    ("TX_DISCONNECT", TX_DISCONNECT as i64),
    ("OPENED_BYTES", OPENED_BYTES as i64),
    ("HEADROOM_BYTES", HEADROOM_BYTES as i64),
    ("TAG_BYTES", TAG_BYTES as i64),
    ("ARENA_ALIGN", ARENA_ALIGN as i64),
    ("MEMORY_MAX_BYTES", MEMORY_MAX_BYTES as i64),
    ("NEWS_ENTRIES", NEWS_ENTRIES as i64),
    ("NEWS_ROOM", NEWS_ROOM as i64),
    ("WAKE_READABLE", WAKE_READABLE as i64),
    ("WAKE_DEADLINE", WAKE_DEADLINE as i64),
    ("WAKE_TICK", WAKE_TICK as i64),
    ("WAKE_WRITABLE", WAKE_WRITABLE as i64),
];

#[cfg(not(target_endian = "little"))]
compile_error!("the ring layout is little-endian");
