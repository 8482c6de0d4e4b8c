//! What a token says about NX, in the padding behind its last field: in the private part for the
//! server (sealed), in the public part for the client. Zeros, as foreign backends write, say nothing.
//!
//! ```text
//!   "GGNX" | u8 version 1 | u8 flags (1 known, 2 required) | u8 least NX version | u8 0
//! ```

use crate::bytes::{Reader, Writer};
use crate::nx::control::VERSION;

const MAGIC: [u8; 4] = *b"GGNX";
const LAYOUT_VERSION: u8 = 1;
const KNOWN: u8 = 1;
const REQUIRED: u8 = 2;

/// What backend and both ends know about NX before they talk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TokenNx {
    /// Nothing is known; both ends may still find out.
    Silent,
    /// Client and servers of this backend know NX.
    #[default]
    Known,
    /// They must use it: payloads pass only under NX keys.
    Required,
    /// They must use a version that is newer than ours: nothing that this end could do.
    RequiredNewer,
}

impl TokenNx {
    pub(crate) fn read(padding: &mut Reader) -> Self {
        let Some([m0, m1, m2, m3, version, flags, least, _]) = padding.array::<8>() else {
            return Self::Silent;
        };
        if [*m0, *m1, *m2, *m3] != MAGIC || *version == 0 {
            return Self::Silent;
        }
        match (flags & REQUIRED != 0, flags & KNOWN != 0) {
            (true, _) if *least > VERSION => Self::RequiredNewer,
            (true, _) => Self::Required,
            (false, true) => Self::Known,
            (false, false) => Self::Silent,
        }
    }

    pub(crate) fn write(self, writer: &mut Writer) -> Option<()> {
        let (flags, least) = match self {
            Self::Silent => return Some(()),
            Self::Known => (KNOWN, 0),
            Self::Required => (KNOWN | REQUIRED, VERSION),
            Self::RequiredNewer => (KNOWN | REQUIRED, VERSION + 1),
        };
        writer.bytes(&MAGIC)?;
        writer.bytes(&[LAYOUT_VERSION, flags, least, 0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_foreign_padding_says_nothing() {
        for nx in [
            TokenNx::Silent,
            TokenNx::Known,
            TokenNx::Required,
            TokenNx::RequiredNewer,
        ] {
            let mut padding = [0; 16];
            nx.write(&mut Writer::new(&mut padding)).unwrap();
            assert_eq!(TokenNx::read(&mut Reader::new(&padding)), nx);
        }
        for padding in [
            &b"GGNY\x01\x03\0\0"[..],
            b"GGNX\0\x03\0\0",
            b"GGNX\x01\x03\0",
            b"",
        ] {
            assert_eq!(TokenNx::read(&mut Reader::new(padding)), TokenNx::Silent);
        }
    }
}
