//! Control TLVs of NX: the opened body of a packet of type 7 or 9.
//!
//! Input: the body. It is read a second time here, by the table in docs/wire/nx.md: both must take the
//! same bodies, and what is written again must be the very bytes that came.

use ggscale_transport_core::fuzzing::read_controls;

use crate::input::Input;
use crate::plant;

const COUNT_MAX: usize = 16;
const FLAG_X25519: u8 = 8;

pub fn run(data: &[u8]) {
    let expected = by_the_table(data);
    let mut shown = data.to_vec();
    forgive(&mut shown);
    let read = read_controls(&shown).ok();
    assert_eq!(read, expected);
    if let Some(controls) = read {
        let written = controls.concat();
        assert_eq!(read_controls(&written), Ok(controls));
    }
}

/// Every control that is not skipped, as its bytes; `None` when one of them is malformed or unknown.
fn by_the_table(body: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut input = Input::new(body);
    let mut controls = Vec::new();
    let mut count = 0;
    while !input.is_empty() {
        count += 1;
        let kind = input.u8();
        let length = usize::from(input.take(1).first().copied()?);
        let value = input.take(length);
        if value.len() < length || count > COUNT_MAX {
            return None;
        }
        let flags = value.get(1).copied().unwrap_or(0);
        let key = if flags & FLAG_X25519 == 0 { 0 } else { 32 };
        let (fixed, may_be_longer) = match kind {
            1 => (1 + 1 + 2 + 32 + key, true),
            2 => (1 + 1 + 2 + 32 + 8 + key, true),
            3 | 8 => (0, false),
            4 => (4 + 8, false),
            5 | 10 => (4, false),
            6 | 7 => (8, false),
            128.. => continue,
            _ => return None,
        };
        if length < fixed || (length > fixed && !may_be_longer) {
            return None;
        }
        let mut control = vec![kind, fixed as u8];
        control.extend_from_slice(&value[..fixed]);
        controls.push(control);
    }
    Some(controls)
}

/// The plant: a NEW_CID of 13 bytes at the front is read as one of 12.
fn forgive(body: &mut Vec<u8>) {
    if plant::is_on() && body.len() >= 15 && body[..2] == [4, 13] {
        body[1] = 12;
        body.remove(14);
    }
}
