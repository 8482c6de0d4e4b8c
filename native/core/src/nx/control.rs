//! Control packets: a list of `u8 type, u8 length, body`. A packet is read completely before
//! anything of it is applied. An unknown type with the high bit is skipped; one without it is
//! something that this end must not overlook, so the flow ends.

use super::keys::NONCE_BYTES;
use super::{Refusal, CID_BYTES};
use crate::bytes::{Reader, Writer};
use crate::drop_reason::DropReason;
use crate::limits::KEY_BYTES;

pub(crate) const VERSION: u8 = 1;
pub(crate) const FLAG_CID: u8 = 1;
pub(crate) const FLAG_REKEY: u8 = 2;
pub(crate) const FLAG_X25519: u8 = 8;
/// Version 1 is these two together.
pub(crate) const FLAGS_NEEDED: u8 = FLAG_CID | FLAG_REKEY;

const HELLO: u8 = 1;
const ACCEPT: u8 = 2;
const CONFIRM: u8 = 3;
const NEW_CID: u8 = 4;
const RETIRE_CID: u8 = 5;
const PATH_CHALLENGE: u8 = 6;
const PATH_RESPONSE: u8 = 7;
const DISCONNECT: u8 = 8;
/// The body of a client that leaves.
pub(crate) const GOODBYE: [u8; 2] = [DISCONNECT, 0];
const REFUSED: u8 = 10;
const SKIPPABLE: u8 = 0x80;

/// More in one packet is refused: nothing that is meant well needs as many.
const COUNT_MAX: usize = 16;
/// The largest of ours, ACCEPT with X25519, with its type and length.
pub(crate) const CONTROL_BYTES_MAX: usize = 2 + 4 + NONCE_BYTES + CID_BYTES + KEY_BYTES;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Hello {
    pub version: u8,
    pub flags: u8,
    /// Largest payload that its sender takes.
    pub max_payload: u16,
    pub nonce: [u8; NONCE_BYTES],
    pub x25519: Option<[u8; KEY_BYTES]>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Accept {
    pub hello: Hello,
    pub cid: [u8; CID_BYTES],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Control {
    Hello(Hello),
    Accept(Accept),
    Confirm,
    NewCid { number: u32, cid: [u8; CID_BYTES] },
    RetireCid { number: u32 },
    PathChallenge([u8; 8]),
    PathResponse([u8; 8]),
    Disconnect,
    Refused(Refusal),
}

/// The controls of a packet that has been read completely.
pub(crate) struct Controls<'a> {
    rest: Reader<'a>,
}

impl<'a> Controls<'a> {
    pub fn read(body: &'a [u8]) -> Result<Self, DropReason> {
        let mut reader = Reader::new(body);
        let mut count = 0;
        while !reader.is_empty() {
            next(&mut reader)?;
            count += 1;
            if count > COUNT_MAX {
                return Err(DropReason::ControlMalformed);
            }
        }
        Ok(Self {
            rest: Reader::new(body),
        })
    }
}

impl Iterator for Controls<'_> {
    type Item = Control;

    fn next(&mut self) -> Option<Control> {
        while !self.rest.is_empty() {
            if let Some(control) = next(&mut self.rest).ok()? {
                return Some(control);
            }
        }
        None
    }
}

/// One control; `None` for one that is skipped.
fn next(reader: &mut Reader) -> Result<Option<Control>, DropReason> {
    let malformed = DropReason::ControlMalformed;
    let kind = reader.u8().ok_or(malformed)?;
    let length = reader.u8().ok_or(malformed)?;
    let body = reader.slice(usize::from(length)).ok_or(malformed)?;
    let mut fields = Reader::new(body);
    let control = match kind {
        HELLO => Control::Hello(Hello::read(&mut fields, None).ok_or(malformed)?),
        ACCEPT => {
            let mut cid = [0; CID_BYTES];
            let hello = Hello::read(&mut fields, Some(&mut cid)).ok_or(malformed)?;
            Control::Accept(Accept { hello, cid })
        }
        CONFIRM => Control::Confirm,
        NEW_CID => Control::NewCid {
            number: fields.u32().ok_or(malformed)?,
            cid: *fields.array().ok_or(malformed)?,
        },
        RETIRE_CID => Control::RetireCid {
            number: fields.u32().ok_or(malformed)?,
        },
        PATH_CHALLENGE => Control::PathChallenge(*fields.array().ok_or(malformed)?),
        PATH_RESPONSE => Control::PathResponse(*fields.array().ok_or(malformed)?),
        DISCONNECT => Control::Disconnect,
        REFUSED => Control::Refused(Refusal {
            code: fields.u16().ok_or(malformed)?,
            retry_after_s: fields.u16().ok_or(malformed)?,
        }),
        _ if kind & SKIPPABLE != 0 => return Ok(None),
        _ => return Err(DropReason::ControlUnknown),
    };
    // A HELLO of a later version may say more; everything else has one length.
    let open_ended = matches!(control, Control::Hello(_) | Control::Accept(_));
    if fields.is_empty() || open_ended {
        Ok(Some(control))
    } else {
        Err(malformed)
    }
}

impl Hello {
    /// The connection id stands in an ACCEPT only.
    fn read(fields: &mut Reader, cid: Option<&mut [u8; CID_BYTES]>) -> Option<Self> {
        let version = fields.u8()?;
        let flags = fields.u8()?;
        let max_payload = fields.u16()?;
        let nonce = *fields.array()?;
        if let Some(cid) = cid {
            *cid = *fields.array()?;
        }
        let x25519 = match flags & FLAG_X25519 {
            0 => None,
            _ => Some(*fields.array()?),
        };
        Some(Self {
            version,
            flags,
            max_payload,
            nonce,
            x25519,
        })
    }

    fn write(&self, writer: &mut Writer, cid: &[u8]) -> Option<()> {
        writer.u8(self.version)?;
        writer.u8(self.flags)?;
        writer.u16(self.max_payload)?;
        writer.bytes(&self.nonce)?;
        writer.bytes(cid)?;
        writer.bytes(self.x25519.as_ref().map_or(&[], |key| key))
    }
}

impl Control {
    /// Appends type, length and body.
    pub fn write(&self, writer: &mut Writer) -> Option<()> {
        let mut room = [0; CONTROL_BYTES_MAX];
        let mut body = Writer::new(&mut room);
        let kind = match self {
            Self::Hello(hello) => {
                hello.write(&mut body, &[])?;
                HELLO
            }
            Self::Accept(accept) => {
                accept.hello.write(&mut body, &accept.cid)?;
                ACCEPT
            }
            Self::Confirm => CONFIRM,
            Self::NewCid { number, cid } => {
                body.u32(*number)?;
                body.bytes(cid)?;
                NEW_CID
            }
            Self::RetireCid { number } => {
                body.u32(*number)?;
                RETIRE_CID
            }
            Self::PathChallenge(data) => {
                body.bytes(data)?;
                PATH_CHALLENGE
            }
            Self::PathResponse(data) => {
                body.bytes(data)?;
                PATH_RESPONSE
            }
            Self::Disconnect => DISCONNECT,
            Self::Refused(refusal) => {
                body.u16(refusal.code)?;
                body.u16(refusal.retry_after_s)?;
                REFUSED
            }
        };
        let length = body.written();
        writer.u8(kind)?;
        writer.u8(length as u8)?;
        writer.bytes(room.get(..length)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<Control> {
        let hello = |x25519: Option<[u8; 32]>| Hello {
            version: 1,
            flags: FLAGS_NEEDED | if x25519.is_some() { FLAG_X25519 } else { 0 },
            max_payload: 1200,
            nonce: [3; 32],
            x25519,
        };
        let accept = |x25519| Accept {
            hello: hello(x25519),
            cid: [4; 8],
        };
        vec![
            Control::Hello(hello(None)),
            Control::Hello(hello(Some([5; 32]))),
            Control::Accept(accept(None)),
            Control::Accept(accept(Some([5; 32]))),
            Control::Confirm,
            Control::NewCid {
                number: 7,
                cid: [8; 8],
            },
            Control::RetireCid { number: 7 },
            Control::PathChallenge([1; 8]),
            Control::PathResponse([2; 8]),
            Control::Disconnect,
            Control::Refused(Refusal {
                code: 1,
                retry_after_s: 5,
            }),
        ]
    }

    fn written(controls: &[Control]) -> Vec<u8> {
        let mut room = [0; 1200];
        let mut writer = Writer::new(&mut room);
        for control in controls {
            control.write(&mut writer).unwrap();
        }
        let length = writer.written();
        room[..length].to_vec()
    }

    #[test]
    fn what_is_written_is_read() {
        let samples = samples();
        let bytes = written(&samples);
        let read: Vec<_> = Controls::read(&bytes).unwrap().collect();
        assert_eq!(read, samples);
        let largest = written(&samples[3..4]).len();
        assert_eq!(largest, CONTROL_BYTES_MAX);
    }

    #[test]
    fn every_truncation_is_malformed_as_a_whole() {
        for control in samples() {
            let bytes = written(&[Control::Confirm, control]);
            for length in 3..bytes.len() {
                let read = Controls::read(&bytes[..length]).map(|_| ());
                assert_eq!(read, Err(DropReason::ControlMalformed), "{control:?}");
            }
        }
    }

    #[test]
    fn a_wrong_length_is_malformed_and_only_a_hello_may_say_more() {
        for control in samples() {
            let mut bytes = written(&[control]);
            bytes[1] += 1;
            bytes.push(0);
            let open_ended = matches!(control, Control::Hello(_) | Control::Accept(_));
            let empty = matches!(control, Control::Confirm | Control::Disconnect);
            let read = Controls::read(&bytes).map(|read| read.count());
            if open_ended {
                assert_eq!(read, Ok(1));
            } else {
                assert_eq!(read, Err(DropReason::ControlMalformed), "{empty}");
            }
        }
    }

    #[test]
    fn unknown_types_are_skipped_or_refused_by_their_high_bit() {
        let mut bytes = vec![0x80, 2, 9, 9, 0xff, 0];
        bytes.extend(written(&[Control::Confirm]));
        let read: Vec<_> = Controls::read(&bytes).unwrap().collect();
        assert_eq!(read, [Control::Confirm]);
        for kind in [0, 9, 11, 0x7f] {
            let read = Controls::read(&[kind, 0]).map(|_| ());
            assert_eq!(read, Err(DropReason::ControlUnknown));
        }
        let many = [0x80, 0].repeat(17);
        let read = Controls::read(&many).map(|_| ());
        assert_eq!(read, Err(DropReason::ControlMalformed));
        assert!(Controls::read(&many[..32]).is_ok());
    }
}
