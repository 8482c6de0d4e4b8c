//! RFC 6455 of a client, as far as the load needs it: the upgrade, masked frames out, whole unmasked frames
//! in. No extensions, so nothing is compressed.

use std::io;

use super::http;

pub const TEXT: u8 = 1;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// The key of the RFC's example (§1.3) and what a server must answer to it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;

pub struct Frame<'a> {
    pub opcode: u8,
    pub payload: &'a [u8],
    /// Bytes of header and payload.
    pub used: usize,
}

pub fn write_upgrade(out: &mut Vec<u8>, path: &str) {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    out.extend_from_slice(request.as_bytes());
}

/// Bytes of the server's answer, None while it is not complete.
pub fn take_upgrade(input: &[u8]) -> io::Result<Option<usize>> {
    let Some(end) = http::head_end(input) else {
        return Ok(None);
    };
    let head = input.get(..end).unwrap_or(&[]);
    if http::status(head) != Some(101) || http::field(head, "sec-websocket-accept") != Some(ACCEPT)
    {
        return Err(io::Error::other("the upgrade was refused"));
    }
    Ok(Some(end))
}

pub fn write_frame(out: &mut Vec<u8>, opcode: u8, mask: u32, payload: &[u8]) {
    out.push(FINAL | opcode);
    match payload.len() {
        length @ 0..=125 => out.push(MASKED | length as u8),
        length @ 126..=65_535 => {
            out.push(MASKED | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.push(MASKED | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    let mask = mask.to_be_bytes();
    out.extend_from_slice(&mask);
    let masks = mask.iter().cycle();
    out.extend(payload.iter().zip(masks).map(|(byte, mask)| byte ^ mask));
}

/// None while it is not complete.
pub fn take_frame(input: &[u8]) -> io::Result<Option<Frame<'_>>> {
    let Some(([first, second], rest)) = input.split_first_chunk::<2>() else {
        return Ok(None);
    };
    if first & 0xf0 != FINAL || second & MASKED != 0 {
        return Err(io::Error::other(
            "a frame in parts, of an extension, or masked",
        ));
    }
    let (length, rest) = match second & 127 {
        126 => match rest.split_first_chunk::<2>() {
            Some((length, rest)) => (u64::from(u16::from_be_bytes(*length)), rest),
            None => return Ok(None),
        },
        127 => match rest.split_first_chunk::<8>() {
            Some((length, rest)) => (u64::from_be_bytes(*length), rest),
            None => return Ok(None),
        },
        short => (u64::from(short), rest),
    };
    let length = usize::try_from(length).map_err(io::Error::other)?;
    Ok(rest.get(..length).map(|payload| Frame {
        opcode: first & 15,
        payload,
        used: input.len() - rest.len() + length,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6455 §5.7.
    #[test]
    fn frames_are_those_of_the_rfc() {
        let mut out = Vec::new();
        write_frame(&mut out, TEXT, 0x37fa_213d, b"Hello");
        let masked = [
            0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
        ];
        assert_eq!(out, masked);
        let unmasked = b"\x81\x05Hello\x89";
        let frame = take_frame(unmasked).unwrap().unwrap();
        assert_eq!(
            (frame.opcode, frame.payload, frame.used),
            (TEXT, &b"Hello"[..], 7)
        );
        for length in 0..7 {
            assert!(take_frame(&unmasked[..length]).unwrap().is_none());
        }
        assert!(take_frame(&masked).is_err());
        assert!(take_frame(&[0x01, 0x00]).is_err());
    }

    #[test]
    fn lengths_take_as_many_bytes_as_they_need() {
        for (length, header) in [(125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let mut out = Vec::new();
            write_frame(&mut out, TEXT, 0, &vec![7; length]);
            assert_eq!(out.len(), header + 4 + length);
            // As a server would send it.
            out[1] &= 127;
            out.drain(header..header + 4);
            let frame = take_frame(&out).unwrap().unwrap();
            assert_eq!((frame.payload.len(), frame.used), (length, header + length));
        }
    }

    #[test]
    fn an_upgrade_needs_the_right_answer() {
        let answer = format!("HTTP/1.1 101 x\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n");
        assert_eq!(take_upgrade(answer.as_bytes()).unwrap(), Some(answer.len()));
        assert_eq!(take_upgrade(b"HTTP/1.1 101 x\r\n").unwrap(), None);
        assert!(take_upgrade(b"HTTP/1.1 401 x\r\n\r\n").is_err());
    }
}
