//! PARAMS: what each side takes (rl1.md §2).

use crate::reader::Reader;
use crate::reason::Reason;

/// The first five bytes of PARAMS.
pub const MAGIC: &[u8; 5] = b"GGRL1";
/// The version of RL1 that this receiver speaks.
pub const VERSION: u8 = 1;
const FROM_SERVER: u8 = 1;
const COARSE_ACK_DELAY: u8 = 2;

/// Which end of the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

/// What the sender of PARAMS takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub channels: u8,
    /// Fragmented reliable messages at once.
    pub partials: u8,
    /// Reliable ids per channel and mode.
    pub window: u16,
    pub unreliable_bytes: u16,
    pub reliable_bytes: u32,
    pub budget_bytes: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    pub version: u8,
    /// `ack_delay` in units of 1 ms instead of 256 µs.
    pub coarse_ack_delay: bool,
    pub limits: Limits,
    pub max_ack_delay_ms: u16,
    pub registry_hash: u32,
}

/// Reads the PARAMS of `sender`; `bytes` begin with [`MAGIC`].
pub fn parse(bytes: &[u8], sender: Side) -> Result<Params, Reason> {
    let mut reader = Reader::new(bytes);
    let params = (|| {
        reader.take(MAGIC.len())?;
        let version = reader.u8()?;
        let flags = reader.u8()?;
        let channels = reader.u8()?;
        let partials = reader.u8()?;
        reader.u8()?;
        let window = reader.u16()?;
        let max_ack_delay_ms = reader.u16()?;
        let limits = Limits {
            channels,
            partials,
            window,
            unreliable_bytes: reader.u16()?,
            reliable_bytes: reader.u32()?,
            budget_bytes: reader.u32()?,
        };
        let params = Params {
            version,
            coarse_ack_delay: flags & COARSE_ACK_DELAY != 0,
            limits,
            max_ack_delay_ms,
            registry_hash: reader.u32()?,
        };
        Some((flags, params))
    })();
    let Some((flags, params)) = params else {
        return Err(Reason::ParamsMalformed);
    };
    let version = match sender {
        Side::Client => params.version >= 1,
        Side::Server => (1..=VERSION).contains(&params.version),
    };
    if !version {
        return Err(Reason::ParamsMalformed);
    }
    if (flags & FROM_SERVER != 0) != (sender == Side::Server) {
        return Err(Reason::ParamsUnexpected);
    }
    if !in_range(&params) {
        return Err(Reason::ParamsMalformed);
    }
    Ok(params)
}

fn in_range(params: &Params) -> bool {
    let limits = &params.limits;
    limits.channels >= 1
        && limits.partials >= 1
        && (1..=16384).contains(&limits.window)
        && (1..=1000).contains(&params.max_ack_delay_ms)
        && (1024..=16384).contains(&limits.unreliable_bytes)
        && (1024..=262_144).contains(&limits.reliable_bytes)
        && (limits.reliable_bytes..=1 << 30).contains(&limits.budget_bytes)
}
