//! `--name value` arguments and hexadecimal text.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::str::FromStr;

/// The words of the command line: one mode, then pairs of `--name value`.
pub struct Arguments {
    pub mode: String,
    values: HashMap<String, String>,
}

impl Arguments {
    /// Reads the process arguments; the message of an error says which one is wrong.
    pub fn from_process() -> Result<Self, String> {
        let mut words = std::env::args().skip(1);
        let mode = words
            .next()
            .ok_or("expected a mode: client, server or token")?;
        let mut values = HashMap::new();
        while let Some(word) = words.next() {
            let name = word
                .strip_prefix("--")
                .ok_or(format!("unexpected argument {word}"))?;
            let value = words.next().ok_or(format!("--{name} needs a value"))?;
            values.insert(name.to_string(), value);
        }
        Ok(Self { mode, values })
    }

    pub fn text(&self, name: &str) -> Result<&str, String> {
        self.values
            .get(name)
            .map(String::as_str)
            .ok_or(format!("--{name} is missing"))
    }

    pub fn number<T: FromStr>(&self, name: &str) -> Result<T, String> {
        self.text(name)?
            .parse()
            .map_err(|_| format!("--{name} is not a number in range"))
    }

    pub fn number_or<T: FromStr>(&self, name: &str, default: T) -> Result<T, String> {
        if self.values.contains_key(name) {
            self.number(name)
        } else {
            Ok(default)
        }
    }

    /// Exactly `N` bytes of hexadecimal text.
    pub fn bytes<const N: usize>(&self, name: &str) -> Result<[u8; N], String> {
        parse_hex(self.text(name)?)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(format!("--{name} is not {N} bytes of hexadecimal text"))
    }

    /// One or more socket addresses, separated by commas.
    pub fn addresses(&self, name: &str) -> Result<Vec<SocketAddr>, String> {
        self.text(name)?
            .split(',')
            .map(|word| {
                word.parse()
                    .map_err(|_| format!("--{name}: {word} is not an address"))
            })
            .collect()
    }
}

pub fn parse_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
