//! renetcode 2.0.0 as a program: `client`, `server`, `token` and `read-token`. The crate is sans-IO:
//! the socket here is ours.

mod endpoints;
mod tokens;

use std::time::Duration;

use peer_common::{end, run, to_hex, Arguments, Line, Role};

fn main() {
    end(start());
}

fn start() -> Result<i32, String> {
    let arguments = Arguments::from_process()?;
    let deadline = Duration::from_secs(arguments.number_or("deadline", 60)?);
    match arguments.mode.as_str() {
        "client" => {
            let mut peer = endpoints::ClientPeer::new(&arguments)?;
            Line::event("ready").text("port", peer.port()).print();
            Ok(run(&mut peer, Role::Client, deadline))
        }
        "server" => {
            let mut peer = endpoints::ServerPeer::new(&arguments)?;
            Line::event("ready").text("port", peer.port()).print();
            Ok(run(&mut peer, Role::Server, deadline))
        }
        "token" => {
            let token = tokens::generate(&arguments)?;
            Line::event("token").text("hex", to_hex(&token)).print();
            Ok(0)
        }
        "read-token" => {
            let token = tokens::read(&arguments.bytes::<2048>("token")?)?;
            let servers: Vec<String> = token
                .server_addresses
                .iter()
                .flatten()
                .map(|address| address.to_string())
                .collect();
            Line::event("public-token")
                .text("protocolId", token.protocol_id)
                .text("createTimestamp", token.create_timestamp)
                .text("expireTimestamp", token.expire_timestamp)
                .text("timeoutSeconds", token.timeout_seconds)
                .text("servers", servers.join(","))
                .text("clientToServerKey", to_hex(&token.client_to_server_key))
                .text("serverToClientKey", to_hex(&token.server_to_client_key))
                .text("nonce", to_hex(&token.xnonce))
                .text("privateData", to_hex(&token.private_data))
                .print();
            Ok(0)
        }
        mode => Err(format!("unknown mode {mode}")),
    }
}
