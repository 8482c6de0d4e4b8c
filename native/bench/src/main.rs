//! `ggscale-bench floor | server | load`: one process of the native bench.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ggscale_bench::meter::CountingAllocator;
use ggscale_bench::{flood, floor, inner, load, server};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[derive(Parser)]
#[command(
    name = "ggscale-bench",
    version,
    about = "One process of the native bench; `npm run bench:native` runs them"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// An echo over recvmmsg and sendmmsg without any protocol
    Floor(floor::FloorArguments),
    /// An echo over the production endpoint
    Server(server::ServerArguments),
    /// The measured endpoint over memory instead of sockets
    Inner(inner::InnerArguments),
    /// Bad requests at a steady rate
    Flood(flood::FloodArguments),
    /// What sends to either
    Load(load::LoadArguments),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Floor(arguments) => floor::run(&arguments),
        Command::Server(arguments) => server::run(&arguments),
        Command::Inner(arguments) => inner::run(&arguments),
        Command::Flood(arguments) => flood::run(&arguments),
        Command::Load(arguments) => load::run(arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ggscale-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
