//! The C reference as a program: `client`, `server` and `token`.

mod c;
mod client;
mod server;

use std::ffi::{c_char, c_int, CString};
use std::time::Duration;

use peer_common::{end, run, to_hex, Arguments, Line, Role};

use client::ClientPeer;
use server::ServerPeer;

fn main() {
    end(start());
}

fn start() -> Result<i32, String> {
    let arguments = Arguments::from_process()?;
    let deadline = Duration::from_secs(arguments.number_or("deadline", 60)?);
    // SAFETY: once, before anything else of it.
    unsafe {
        if c::netcode_init() == c::ERROR {
            return Err("netcode_init failed".to_string());
        }
        c::netcode_log_level(0); // standard output is for lines of ours
    }
    match arguments.mode.as_str() {
        "client" => {
            let mut peer = ClientPeer::new(&arguments)?;
            Line::event("ready").text("port", peer.port()).print();
            Ok(run(&mut peer, Role::Client, deadline))
        }
        "server" => {
            let mut peer = ServerPeer::new(&arguments)?;
            Line::event("ready").text("port", peer.port()).print();
            Ok(run(&mut peer, Role::Server, deadline))
        }
        "token" => {
            Line::event("token")
                .text("hex", to_hex(&token(&arguments)?))
                .print();
            Ok(0)
        }
        mode => Err(format!("unknown mode {mode}")),
    }
}

fn token(arguments: &Arguments) -> Result<Vec<u8>, String> {
    let addresses = arguments.addresses("server")?;
    let texts: Vec<CString> = addresses
        .iter()
        .map(|address| CString::new(address.to_string()).map_err(|error| error.to_string()))
        .collect::<Result<_, _>>()?;
    let pointers: Vec<*const c_char> = texts.iter().map(|text| text.as_ptr()).collect();
    let key = arguments.bytes::<32>("key")?;
    let mut user_data = arguments.bytes::<{ c::USER_DATA_BYTES }>("user-data")?;
    let mut token = vec![0; c::CONNECT_TOKEN_BYTES];
    // SAFETY: all pointers live for the call and are as long as the standard says.
    let code = unsafe {
        c::netcode_generate_connect_token(
            pointers.len() as c_int,
            pointers.as_ptr(),
            pointers.as_ptr(),
            arguments.number("expire")?,
            arguments.number("timeout")?,
            arguments.number("client-id")?,
            arguments.number("protocol-id")?,
            key.as_ptr(),
            user_data.as_mut_ptr(),
            token.as_mut_ptr(),
        )
    };
    if code == c::ERROR {
        return Err("netcode_generate_connect_token failed".to_string());
    }
    Ok(token)
}
