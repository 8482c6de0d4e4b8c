//! Frames: everything that can be said of one without knowing the flow's state (rl1.md §4).

use crate::params::Limits;
use crate::reader::Reader;
use crate::reason::Reason;

pub const FRAMES_MAX: usize = 64;
pub const FRAGMENT_BYTES: usize = 1024;
const CLOSE_REASON_BYTES_MAX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Unreliable,
    Sequenced,
    Unordered,
    Ordered,
}

impl Mode {
    #[must_use]
    pub fn from_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => Self::Unreliable,
            1 => Self::Sequenced,
            2 => Self::Unordered,
            _ => Self::Ordered,
        }
    }

    #[must_use]
    pub fn bits(self) -> u8 {
        match self {
            Self::Unreliable => 0,
            Self::Sequenced => 1,
            Self::Unordered => 2,
            Self::Ordered => 3,
        }
    }

    #[must_use]
    pub fn is_reliable(self) -> bool {
        matches!(self, Self::Unordered | Self::Ordered)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    Padding,
    Ping,
    TimeRequest { t0: u32 },
    TimeResponse { t0: u32, t1: u32, t2: u32 },
    Close { code: u16, reason: &'a str },
    RxReport { received: u32, missing: u32 },
    Ignorable,
    Message(Message<'a>),
}

impl Frame<'_> {
    /// Whether a packet with this frame wants to be acknowledged (rl1.md §4.1, §4.2).
    #[must_use]
    pub fn asks_for_ack(&self) -> bool {
        matches!(
            self,
            Self::Ping | Self::TimeRequest { .. } | Self::Ignorable | Self::Message(_)
        )
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    pub mode: Mode,
    pub channel: u8,
    /// 0 for a whole unreliable message, which has none.
    pub id: u16,
    pub fragment: Option<Fragment>,
    pub data: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    pub index: u8,
    pub count: u16,
}

impl Fragment {
    #[must_use]
    pub fn is_last(self) -> bool {
        u16::from(self.index) + 1 == self.count
    }
}

/// All frames of a packet, or what is wrong with the first wrong one.
pub fn parse_all<'a>(body: &'a [u8], limits: &Limits) -> Result<Vec<Frame<'a>>, Reason> {
    let mut reader = Reader::new(body);
    let mut frames = Vec::new();
    while !reader.rest().is_empty() {
        if frames.len() == FRAMES_MAX {
            return Err(Reason::FrameCount);
        }
        frames.push(parse(&mut reader, limits)?);
    }
    Ok(frames)
}

/// The next frame, or what is wrong with it.
pub fn parse<'a>(reader: &mut Reader<'a>, limits: &Limits) -> Result<Frame<'a>, Reason> {
    let kind = reader.u8().ok_or(Reason::FrameTruncated)?;
    if kind >= 0x80 {
        return message(kind, reader, limits).map(Frame::Message);
    }
    if kind == 0x04 {
        return close(reader);
    }
    if !matches!(kind, 0x00..=0x03 | 0x08 | 0x20..=0x3f) {
        return Err(Reason::FrameUnknown);
    }
    fixed(kind, reader).ok_or(Reason::FrameTruncated)
}

fn fixed<'a>(kind: u8, reader: &mut Reader<'a>) -> Option<Frame<'a>> {
    Some(match kind {
        0x00 => Frame::Padding,
        0x01 => Frame::Ping,
        0x02 => Frame::TimeRequest { t0: reader.u32()? },
        0x03 => Frame::TimeResponse {
            t0: reader.u32()?,
            t1: reader.u32()?,
            t2: reader.u32()?,
        },
        0x08 => Frame::RxReport {
            received: reader.u32()?,
            missing: reader.u32()?,
        },
        _ => {
            let length = reader.u8()?;
            reader.take(usize::from(length))?;
            Frame::Ignorable
        }
    })
}

fn close<'a>(reader: &mut Reader<'a>) -> Result<Frame<'a>, Reason> {
    let code = reader.u16().ok_or(Reason::FrameTruncated)?;
    let length = usize::from(reader.u8().ok_or(Reason::FrameTruncated)?);
    let bytes = reader.take(length).ok_or(Reason::FrameTruncated)?;
    if length > CLOSE_REASON_BYTES_MAX {
        return Err(Reason::CloseMalformed);
    }
    let reason = std::str::from_utf8(bytes).map_err(|_| Reason::CloseMalformed)?;
    Ok(Frame::Close { code, reason })
}

/// A message frame; the checks are those of rl1.md §4.2, in its order.
fn message<'a>(first: u8, reader: &mut Reader<'a>, limits: &Limits) -> Result<Message<'a>, Reason> {
    let (fragmented, last) = (first & 0x40 != 0, first & 0x20 != 0);
    let mode = Mode::from_bits(first >> 3);
    let fixed = (|| {
        let channel = match first & 7 {
            7 => (true, reader.u8()?),
            short => (false, short),
        };
        let mut id = 0;
        if mode != Mode::Unreliable || fragmented {
            id = reader.u16()?;
        }
        let mut fragment = None;
        if fragmented {
            let index = reader.u8()?;
            let count = u16::from(reader.u8()?) + 1;
            fragment = Some(Fragment { index, count });
        }
        Some((channel, id, fragment))
    })();
    let ((long, channel), id, fragment) = fixed.ok_or(Reason::FrameTruncated)?;
    if long && channel < 7 {
        return Err(Reason::FrameNonCanonical);
    }
    if channel >= limits.channels {
        return Err(Reason::ChannelRange);
    }
    let length = if last {
        reader.rest().len()
    } else {
        let length = leb128(reader)?;
        if length == reader.rest().len() {
            return Err(Reason::FrameNonCanonical);
        }
        length
    };
    let data = reader.take(length).ok_or(Reason::FrameTruncated)?;
    let message = Message {
        mode,
        channel,
        id,
        fragment,
        data,
    };
    check_size(&message, limits)?;
    Ok(message)
}

/// LEB128 of one or two bytes, in the shortest form.
fn leb128(reader: &mut Reader<'_>) -> Result<usize, Reason> {
    let low = reader.u8().ok_or(Reason::FrameTruncated)?;
    if low < 0x80 {
        return Ok(usize::from(low));
    }
    let high = reader.u8().ok_or(Reason::FrameTruncated)?;
    if high == 0 || high >= 0x80 {
        return Err(Reason::FrameNonCanonical);
    }
    Ok(usize::from(high) << 7 | usize::from(low & 0x7f))
}

/// Fragments as they must be, and nothing larger than this side takes.
fn check_size(message: &Message<'_>, limits: &Limits) -> Result<(), Reason> {
    let length = message.data.len();
    let mut least = length;
    if let Some(fragment) = message.fragment {
        let good = fragment.count >= 2
            && u16::from(fragment.index) < fragment.count
            && if fragment.is_last() {
                (1..=FRAGMENT_BYTES).contains(&length)
            } else {
                length == FRAGMENT_BYTES
            };
        if !good {
            return Err(Reason::FragmentMalformed);
        }
        let tail = if fragment.is_last() { length } else { 1 };
        least = FRAGMENT_BYTES * usize::from(fragment.count - 1) + tail;
    }
    let limit = if message.mode.is_reliable() {
        limits.reliable_bytes as usize
    } else {
        usize::from(limits.unreliable_bytes)
    };
    if least > limit {
        return Err(Reason::MessageTooLarge);
    }
    Ok(())
}
