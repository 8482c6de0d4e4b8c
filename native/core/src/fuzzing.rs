//! The inside of packets, for native/fuzz only: headers, seals, replay windows and controls without an
//! endpoint around them. Thin on purpose: what is fuzzed is what ships.

use crate::bytes::Writer;
use crate::drop_reason::DropReason;
use crate::nx::control::{Controls, CONTROL_BYTES_MAX};
use crate::prefix::{self, Header};
use crate::replay::ReplayWindow;
use crate::seal::{Envelope, PacketCipher, PacketKey};

/// As [`Header`] reads it, for those outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet {
    pub kind: u8,
    /// Of types 8 and 9.
    pub cid: Option<[u8; 8]>,
    pub sequence: u64,
    /// Bytes of the header.
    pub header: usize,
}

pub fn read_header(datagram: &[u8]) -> Result<Packet, DropReason> {
    let header = Header::read(datagram)?;
    Ok(Packet {
        kind: header.kind,
        cid: header.cid().copied(),
        sequence: header.sequence,
        header: header.body,
    })
}

/// The shortest header for this packet, written to the end of `room`; its length.
pub fn write_header(packet: &Packet, room: &mut [u8]) -> Option<usize> {
    let (length, _) = prefix::write_before(room, &envelope_of(packet))?;
    Some(length)
}

fn envelope_of(packet: &Packet) -> Envelope {
    Envelope {
        kind: packet.kind,
        cid: packet.cid,
        sequence: packet.sequence,
    }
}

/// One key of one protocol id.
pub struct Sealer {
    cipher: PacketCipher,
    key: PacketKey,
}

impl Sealer {
    /// A token's key has an IV of zeros.
    pub fn new(protocol_id: u64, key: [u8; 32], iv: [u8; 12]) -> Self {
        Self {
            cipher: PacketCipher::new(protocol_id),
            key: PacketKey::new(key, iv),
        }
    }

    /// A whole packet to the front of `out`; its length. `packet.header` is not looked at.
    pub fn seal(&self, packet: &Packet, body: &[u8], out: &mut [u8]) -> Option<usize> {
        self.cipher
            .seal_packet(&self.key, envelope_of(packet), body, out)
    }

    /// Opens in place; the header's and the body's length.
    pub fn open(&self, datagram: &mut [u8]) -> Option<(usize, usize)> {
        let header = Header::read(datagram).ok()?;
        let sealed = datagram.get_mut(header.body..)?;
        let length = self.cipher.open(&self.key, &header, sealed)?;
        Some((header.body, length))
    }
}

pub struct Window(ReplayWindow);

impl Default for Window {
    fn default() -> Self {
        Self(ReplayWindow::EMPTY)
    }
}

impl Window {
    pub fn is_replayed(&self, sequence: u64) -> bool {
        self.0.is_replayed(sequence)
    }

    pub fn mark(&mut self, sequence: u64) {
        self.0.mark(sequence);
    }

    pub fn latest(&self) -> Option<u64> {
        self.0.latest()
    }
}

/// The controls of a body, each written again as this end would write it; skipped ones are left out.
pub fn read_controls(body: &[u8]) -> Result<Vec<Vec<u8>>, DropReason> {
    let controls = Controls::read(body)?;
    let written = controls.map(|control| {
        let mut room = [0; CONTROL_BYTES_MAX];
        let mut writer = Writer::new(&mut room);
        let whole = control.write(&mut writer);
        let length = writer.written();
        debug_assert!(whole.is_some());
        room.get(..length).unwrap_or(&[]).to_vec()
    });
    Ok(written.collect())
}
