//! Packet header and ack block (rl1.md §3).

use crate::reader::Reader;
use crate::reason::Reason;

const BYTES_MIN: usize = 3;
const TIMESTAMP: u8 = 0x20;
const ACK: u8 = 0x10;
const BITMAP_BYTES: u8 = 0x0f;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    pub sequence: u16,
    pub timestamp: Option<u16>,
    pub ack: Option<Ack<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack<'a> {
    pub largest: u16,
    pub delay: u8,
    pub run: u8,
    pub bitmap: &'a [u8],
}

impl Ack<'_> {
    /// All numbers that the block names, newest first.
    pub fn named(&self) -> impl Iterator<Item = u16> + '_ {
        let run = (0..=u16::from(self.run)).map(|back| self.largest.wrapping_sub(back));
        let first = first_below(self.largest, self.run);
        let bits = (0u16..).zip(self.bitmap).flat_map(move |(byte, bits)| {
            (0..8u16)
                .filter(move |bit| bits & (1 << bit) != 0)
                .map(move |bit| first.wrapping_sub(8 * byte + bit))
        });
        run.chain(bits)
    }
}

/// The number that bit 0 of byte 0 names. A full run implies no gap.
#[must_use]
pub fn first_below(largest: u16, run: u8) -> u16 {
    let gap = if run == u8::MAX { 1 } else { 2 };
    largest.wrapping_sub(u16::from(run) + gap)
}

/// The header and what follows it: the frames.
pub fn parse(payload: &[u8]) -> Result<(Header<'_>, &[u8]), Reason> {
    if payload.len() < BYTES_MIN {
        return Err(Reason::HeaderTruncated);
    }
    let mut reader = Reader::new(payload);
    let first = reader.u8().ok_or(Reason::HeaderTruncated)?;
    let bitmap_bytes = first & BITMAP_BYTES;
    if first >> 6 != 0b01 || (bitmap_bytes != 0 && first & ACK == 0) {
        return Err(Reason::HeaderMalformed);
    }
    let header = (|| {
        let sequence = reader.u16()?;
        let timestamp = if first & TIMESTAMP == 0 {
            None
        } else {
            Some(reader.u16()?)
        };
        let ack = if first & ACK == 0 {
            None
        } else {
            Some(Ack {
                largest: reader.u16()?,
                delay: reader.u8()?,
                run: reader.u8()?,
                bitmap: reader.take(usize::from(bitmap_bytes))?,
            })
        };
        Some(Header {
            sequence,
            timestamp,
            ack,
        })
    })()
    .ok_or(Reason::HeaderTruncated)?;
    if header.ack.is_some_and(|ack| ack.bitmap.last() == Some(&0)) {
        return Err(Reason::AckNonCanonical);
    }
    Ok((header, reader.rest()))
}
