//! renetcode's serialised public token is not the standard's: it puts the client id in front and
//! leaves the padding away. The fields between are in the standard's order, so eight bytes less and
//! zeroes at the end give the 2048 bytes of the standard, and the other way round.

use std::io::Cursor;
use std::time::{SystemTime, UNIX_EPOCH};

use peer_common::Arguments;
use renetcode::ConnectToken;

const TOKEN_BYTES: usize = 2048;
const CLIENT_ID_BYTES: usize = 8;

pub fn generate(arguments: &Arguments) -> Result<[u8; TOKEN_BYTES], String> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(|error| error.to_string())?;
    let token = ConnectToken::generate(
        now,
        arguments.number("protocol-id")?,
        arguments.number("expire")?,
        arguments.number("client-id")?,
        arguments.number("timeout")?,
        arguments.addresses("server")?,
        Some(&arguments.bytes("user-data")?),
        &arguments.bytes("key")?,
    )
    .map_err(|error| error.to_string())?;
    let mut written = Vec::new();
    token
        .write(&mut written)
        .map_err(|error| error.to_string())?;
    let mut bytes = [0; TOKEN_BYTES];
    bytes[..written.len() - CLIENT_ID_BYTES].copy_from_slice(&written[CLIENT_ID_BYTES..]);
    Ok(bytes)
}

/// The client id is not in the public part of a standard token: it stays 0 on this side, and the
/// server learns the real one from the private part.
pub fn read(bytes: &[u8; TOKEN_BYTES]) -> Result<ConnectToken, String> {
    let mut prefixed = vec![0; CLIENT_ID_BYTES];
    prefixed.extend_from_slice(bytes);
    ConnectToken::read(&mut Cursor::new(prefixed)).map_err(|error| error.to_string())
}
