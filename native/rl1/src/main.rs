//! `ggscale-rl1`: reads lines from standard input and answers them; see [`ggscale_rl1::script`].
#![forbid(unsafe_code)]

use ggscale_rl1::script::Script;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ggscale-rl1: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let mut input = io::stdin().lock();
    let mut output = io::BufWriter::new(io::stdout().lock());
    let mut script = Script::default();
    let mut line = String::new();
    let mut answer = String::new();
    for number in 1.. {
        line.clear();
        if input.read_line(&mut line).map_err(|e| e.to_string())? == 0 {
            break;
        }
        answer.clear();
        script
            .line(line.trim_end(), &mut answer)
            .map_err(|error| format!("line {number}: {error}"))?;
        output
            .write_all(answer.as_bytes())
            .map_err(|e| e.to_string())?;
        if answer == "sync\n" {
            output.flush().map_err(|e| e.to_string())?;
        }
    }
    output.flush().map_err(|e| e.to_string())
}
