//! `ggscale-forwarder run` and `ggscale-forwarder enter`; see the crate's documentation.

use clap::{Args, Parser, Subcommand};
use ggscale_forwarder::emulator::Profile;
use ggscale_forwarder::link::LinkError;
use ggscale_forwarder::{enter, forward};
use std::ffi::OsString;
use std::process::ExitCode;

/// Exit code for bad arguments (clap's own) and for a missing privilege.
const EXIT_USAGE: u8 = 2;

#[derive(Parser)]
#[command(
    name = "ggscale-forwarder",
    version,
    about = "Impairs real UDP and TCP between two network namespaces"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make the link; print one JSON line when ready, and one with counters at the end of standard input
    Run(RunArguments),
    /// Run a command inside a namespace of the link
    Enter {
        /// The "netns" of one side, as printed by `run`
        namespace: String,
        /// Command and arguments, after `--`
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
}

#[derive(Args)]
struct RunArguments {
    /// Ratio of packets lost, each direction on its own
    #[arg(long, default_value_t = 0.0, value_parser = ratio)]
    loss: f64,
    /// One-way delay in milliseconds
    #[arg(long, default_value_t = 0.0, value_parser = milliseconds)]
    delay_ms: f64,
    /// Random part added to the delay, up to this many milliseconds; keeps the order
    #[arg(long, default_value_t = 0.0, value_parser = milliseconds)]
    jitter_ms: f64,
    /// Ratio of packets held back so that later ones overtake them
    #[arg(long, default_value_t = 0.0, value_parser = ratio)]
    reorder: f64,
    /// How long a packet is held back
    #[arg(long, default_value_t = 5.0, value_parser = milliseconds)]
    reorder_ms: f64,
    /// Seed of all fates
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn ratio(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=1.0).contains(&value) {
        Ok(value)
    } else {
        Err("must lie between 0 and 1".to_owned())
    }
}

fn milliseconds(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=10_000.0).contains(&value) {
        Ok(value)
    } else {
        Err("must lie between 0 and 10000".to_owned())
    }
}

fn microseconds(milliseconds: f64) -> u64 {
    (milliseconds * 1_000.0).round() as u64
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(arguments) => run(&arguments),
        Command::Enter { namespace, command } => {
            eprintln!("ggscale-forwarder: {}", enter::enter(&namespace, &command));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &RunArguments) -> ExitCode {
    let profile = Profile {
        loss: arguments.loss,
        delay_us: microseconds(arguments.delay_ms),
        jitter_us: microseconds(arguments.jitter_ms),
        reorder: arguments.reorder,
        reorder_us: microseconds(arguments.reorder_ms),
    };
    match forward::run(profile, arguments.seed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(LinkError::Privilege(reason)) => {
            eprintln!(
                "ggscale-forwarder: needs root (CAP_NET_ADMIN, CAP_SYS_ADMIN) and /dev/net/tun: {reason}"
            );
            ExitCode::from(EXIT_USAGE)
        }
        Err(LinkError::System(reason)) => {
            eprintln!("ggscale-forwarder: {reason}");
            ExitCode::FAILURE
        }
    }
}
