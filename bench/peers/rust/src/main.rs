//! `ggscale-peers server | load`: one process of `npm run bench -- --peers`, an echo over somebody else's
//! transport or the benchmark's load on that. They hear the same words as the other processes
//! (`ggscale_bench::control`).

#![cfg(target_os = "linux")]

mod datagrams;
#[cfg(feature = "enet")]
mod enet;
mod kcp_peer;
mod renet_client;
mod renet_server;
mod serving;

use std::io;
use std::net::IpAddr;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ggscale_bench::control::tell;
use ggscale_bench::load::wire::Wire;
use ggscale_bench::load::{self, LoadArguments};
use serde_json::json;
use serving::EchoServer;

#[derive(Parser)]
#[command(
    name = "ggscale-peers",
    about = "One process of `npm run bench -- --peers`"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// An echo
    Server(ServerArguments),
    /// What sends to it: arguments as of `ggscale-bench load`
    Load {
        #[arg(long, value_enum)]
        peer: Peer,
        #[command(flatten)]
        arguments: Box<LoadArguments>,
    },
}

#[derive(Args)]
struct ServerArguments {
    #[arg(long, value_enum)]
    peer: Peer,
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    #[arg(long, default_value_t = 1)]
    flows: u32,
}

#[derive(Clone, Copy, ValueEnum)]
enum Peer {
    #[cfg(feature = "enet")]
    Enet,
    Kcp,
    Renet,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Server(arguments) => open_server(&arguments).and_then(serving::run),
        Command::Load { peer, arguments } => run_load(peer, *arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ggscale-peers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn open_server(arguments: &ServerArguments) -> io::Result<Box<dyn EchoServer>> {
    let (host, flows) = (arguments.host, arguments.flows);
    Ok(match arguments.peer {
        #[cfg(feature = "enet")]
        Peer::Enet => Box::new(enet::Server::open(host, flows)?),
        Peer::Kcp => Box::new(kcp_peer::Server::open(host, flows)?),
        Peer::Renet => Box::new(renet_server::Server::open(host, flows)?),
    })
}

fn run_load(peer: Peer, arguments: LoadArguments) -> io::Result<()> {
    let wire: Box<dyn Wire> = match peer {
        #[cfg(feature = "enet")]
        Peer::Enet => Box::new(enet::Load::open(&arguments)?),
        Peer::Kcp => Box::new(kcp_peer::Load::open(&arguments)?),
        Peer::Renet => Box::new(renet_client::Load::open(&arguments)?),
    };
    tell(&json!({ "ready": true }))?;
    load::serve(arguments, wire)
}
