//! HTTP/1.1 of a client, as far as the load needs it (RFC 9112): requests with a body, responses with a
//! Content-Length.

use std::io;

/// A response at the front of what came.
pub struct Response<'a> {
    pub status: u16,
    pub body: &'a [u8],
    /// Bytes of head and body.
    pub used: usize,
}

pub fn write_post(out: &mut Vec<u8>, path: &str, headers: &str, body: &[u8]) {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{headers}\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(body);
}

/// The end of a head, behind its empty line.
pub fn head_end(input: &[u8]) -> Option<usize> {
    let end = input.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    Some(end + 4)
}

/// Of a status line.
pub fn status(head: &[u8]) -> Option<u16> {
    let digits = head.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// A field's value; names are compared without case.
pub fn field<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let (field, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
        field.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// None while it is not complete.
pub fn take_response(input: &[u8]) -> io::Result<Option<Response<'_>>> {
    let Some(end) = head_end(input) else {
        return Ok(None);
    };
    let (head, rest) = input.split_at(end);
    let status = status(head).ok_or_else(|| io::Error::other("no status line"))?;
    let length = field(head, "content-length").and_then(|value| value.parse::<usize>().ok());
    let length = length.ok_or_else(|| io::Error::other("a response without Content-Length"))?;
    Ok(rest.get(..length).map(|body| Response {
        status,
        body,
        used: end + length,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_taken_when_it_is_complete() {
        let text = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}HTTP";
        for length in 0..text.len() - 4 {
            let taken = take_response(&text[..length]).unwrap();
            assert!(taken.is_none(), "{length}");
        }
        let taken = take_response(text).unwrap().unwrap();
        assert_eq!((taken.status, taken.body), (200, &b"{}"[..]));
        assert_eq!(&text[taken.used..], b"HTTP");
        assert!(take_response(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
