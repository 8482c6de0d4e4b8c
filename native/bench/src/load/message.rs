//! What the messages of the benchmark say, and their FlatBuffers bodies (docs/wire/messages.md;
//! `bench/suite/schemas`, `schemas/game.fbs`). Written front to back as the product does, read through
//! the vtable as any FlatBuffers library does.

use std::sync::LazyLock;

pub const INPUT_ID: u8 = 32;
pub const SNAPSHOT_ID: u8 = 33;
pub const GAME_EVENT_ID: u8 = 34;
pub const ECHO_ID: u8 = 64;
pub const BULK_ID: u8 = 65;

/// Where the values of an Echo and the text of a Bulk begin in a body, as the product writes it.
pub const TEXT_AT: usize = 36;
/// Beside the text: what stands before it, and the zero behind it.
pub const TEXT_AROUND: usize = TEXT_AT + 1;
pub const TEXT_BYTES_MAX: usize = 262_144;

/// What a flow says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    Echo {
        seq: u32,
        sent_us: u32,
    },
    /// The newest input and those before it, which wires that lose things repeat.
    Input {
        seq: u32,
        sent_us: u32,
    },
}

impl Message {
    pub fn seq(self) -> u32 {
        match self {
            Self::Echo { seq, .. } | Self::Input { seq, .. } => seq,
        }
    }
}

/// What a flow was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// `size`: how many values came, each as it was sent; of plain datagrams, bytes.
    Echo {
        seq: u32,
        sent_us: u32,
        size: u32,
    },
    Bulk {
        seq: u32,
        sent_us: u32,
        bytes: u32,
    },
    /// `stamp_us`: when its tick was due, by the monotonic clock that all processes of a machine share.
    Snapshot {
        tick: u32,
        ack_seq: u32,
        stamp_us: u32,
    },
    GameEvent {
        tick: u32,
    },
    /// The session is open.
    Hello,
    /// Nothing that counts: the session's own.
    Quiet,
    /// Not what was said, or nothing that is known.
    Strange,
}

/// The text of every Bulk: so much of it as its length says.
static PATTERN: LazyLock<Box<[u8]>> =
    LazyLock::new(|| (b'a'..=b'z').cycle().take(TEXT_BYTES_MAX).collect());

/// The values of every Echo: three digits each, so that they are as long in JSON as in FlatBuffers.
pub fn value(index: u32) -> u32 {
    100 + index * 373 % 900
}

/// Whether `bytes` are what the text has from `from` on.
pub fn is_text(bytes: &[u8], from: usize) -> bool {
    PATTERN.get(from..from + bytes.len()) == Some(bytes)
}

/// How messages of a run are written.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Of an Echo.
    pub values: u32,
    /// Frames of an Input.
    pub inputs: u32,
}

impl Shape {
    /// Bytes of a message's body, its id not counted.
    pub fn body_bytes(self, message: Message) -> usize {
        match message {
            Message::Echo { .. } => TEXT_AT + 4 * self.values as usize,
            Message::Input { .. } => 24 + 12 * self.inputs as usize,
        }
    }

    /// Id and body at the front of `out`; their length, 0 when there is no room.
    pub fn write(self, message: Message, out: &mut [u8]) -> usize {
        let length = 1 + self.body_bytes(message);
        let Some(out) = out.get_mut(..length) else {
            return 0;
        };
        match message {
            Message::Echo { seq, sent_us } => write_echo(out, seq, sent_us, self.values),
            Message::Input { seq, sent_us } => write_input(out, seq, sent_us, self.inputs),
        }
        length
    }
}

fn write_echo(out: &mut [u8], seq: u32, sent_us: u32, values: u32) {
    // Root; padding; vtable: 10 bytes, table of 16, fields at 4, 8 and 12; table: its vtable, 10 back.
    const HEAD: [u8; 21] = [
        ECHO_ID, 16, 0, 0, 0, 0, 0, 10, 0, 16, 0, 4, 0, 8, 0, 12, 0, 10, 0, 0, 0,
    ];
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        if let Some(room) = out.get_mut(at..at + bytes.len()) {
            room.copy_from_slice(bytes);
        }
        at += bytes.len();
    };
    put(&HEAD);
    put(&seq.to_le_bytes());
    put(&sent_us.to_le_bytes());
    put(&4u32.to_le_bytes());
    put(&values.to_le_bytes());
    for index in 0..values {
        put(&value(index).to_le_bytes());
    }
}

fn write_input(out: &mut [u8], seq: u32, sent_us: u32, inputs: u32) {
    // Root; padding; vtable: 6 bytes, table of 8, field at 4; table; the vector 4 behind its offset.
    const HEAD: [u8; 21] = [
        INPUT_ID, 12, 0, 0, 0, 0, 0, 6, 0, 8, 0, 4, 0, 6, 0, 0, 0, 4, 0, 0, 0,
    ];
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        if let Some(room) = out.get_mut(at..at + bytes.len()) {
            room.copy_from_slice(bytes);
        }
        at += bytes.len();
    };
    put(&HEAD);
    put(&inputs.to_le_bytes());
    for back in 0..inputs {
        let seq = seq.saturating_sub(back);
        let (actions, direction) = pressed(seq);
        put(&seq.to_le_bytes());
        put(&(sent_us / 1000).to_le_bytes());
        put(&actions.to_le_bytes());
        put(&[direction as u8, 0]);
    }
}

/// Actions and direction of an input: something that changes.
pub fn pressed(seq: u32) -> (u16, i8) {
    ((seq / 7 % 32) as u16, (seq / 30 % 3) as i8 - 1)
}

/// What a whole message (id and body) says.
pub fn read(data: &[u8]) -> Heard {
    let Some((id, body)) = data.split_first() else {
        return Heard::Strange;
    };
    let heard = match *id {
        ECHO_ID => read_echo(body),
        BULK_ID => read_bulk(body, data.len()),
        SNAPSHOT_ID => read_snapshot(body),
        GAME_EVENT_ID => Table::root(body).map(|table| Heard::GameEvent { tick: table.u32(0) }),
        // The other messages of the game, and unregistered ones.
        0 | 35..=42 => Some(Heard::Quiet),
        _ => None,
    };
    heard.unwrap_or(Heard::Strange)
}

/// What the first piece of a message in pieces says; its text was looked at piece by piece.
pub fn read_head(first: &[u8], length: usize) -> Heard {
    let Some((id, body)) = first.split_first() else {
        return Heard::Strange;
    };
    let heard = match *id {
        SNAPSHOT_ID => read_snapshot(body),
        BULK_ID => Table::root(body)
            .filter(|table| table.list_at(2) == Some(TEXT_AT))
            .map(|table| Heard::Bulk {
                seq: table.u32(0),
                sent_us: table.u32(1),
                bytes: length as u32,
            }),
        _ => None,
    };
    heard.unwrap_or(Heard::Strange)
}

fn read_echo(body: &[u8]) -> Option<Heard> {
    let table = Table::root(body)?;
    let start = table.list_at(2)?;
    let count = table.u32_at(start.checked_sub(4)?)?;
    for index in 0..count {
        if table.u32_at(start + 4 * index as usize)? != value(index) {
            return None;
        }
    }
    Some(Heard::Echo {
        seq: table.u32(0),
        sent_us: table.u32(1),
        size: count,
    })
}

fn read_bulk(body: &[u8], bytes: usize) -> Option<Heard> {
    let table = Table::root(body)?;
    let start = table.list_at(2)?;
    let length = table.u32_at(start.checked_sub(4)?)? as usize;
    let text = body.get(start..start + length)?;
    is_text(text, 0).then(|| Heard::Bulk {
        seq: table.u32(0),
        sent_us: table.u32(1),
        bytes: bytes as u32,
    })
}

fn read_snapshot(body: &[u8]) -> Option<Heard> {
    let table = Table::root(body)?;
    Some(Heard::Snapshot {
        tick: table.u32(0),
        ack_seq: table.u32(1),
        stamp_us: table.u32(3),
    })
}

/// A table of a body; positions outside read as absent.
struct Table<'a> {
    body: &'a [u8],
    at: usize,
    vtable: usize,
}

impl<'a> Table<'a> {
    fn root(body: &'a [u8]) -> Option<Self> {
        let mut table = Self {
            body,
            at: 0,
            vtable: 0,
        };
        table.at = table.u32_at(0)? as usize;
        let back = table.u32_at(table.at)? as usize;
        table.vtable = table.at.checked_sub(back)?;
        table.u16_at(table.vtable)?;
        Some(table)
    }

    fn u16_at(&self, at: usize) -> Option<u16> {
        let (bytes, _) = self.body.get(at..)?.split_first_chunk::<2>()?;
        Some(u16::from_le_bytes(*bytes))
    }

    fn u32_at(&self, at: usize) -> Option<u32> {
        let (bytes, _) = self.body.get(at..)?.split_first_chunk::<4>()?;
        Some(u32::from_le_bytes(*bytes))
    }

    fn field(&self, index: usize) -> Option<usize> {
        let slot = 4 + 2 * index;
        if slot + 2 > usize::from(self.u16_at(self.vtable)?) {
            return None;
        }
        match self.u16_at(self.vtable + slot)? {
            0 => None,
            offset => Some(self.at + usize::from(offset)),
        }
    }

    /// 0 when it is absent.
    fn u32(&self, index: usize) -> u32 {
        self.field(index)
            .and_then(|at| self.u32_at(at))
            .unwrap_or(0)
    }

    /// Where the elements of a vector, or the bytes of a string begin.
    fn list_at(&self, index: usize) -> Option<usize> {
        let at = self.field(index)?;
        Some(at + self.u32_at(at)? as usize + 4)
    }
}
