//! One JSON object per line on standard output, flushed at once: the test reads it as an event.

use std::fmt::Write as _;
use std::io::Write as _;

pub struct Line(String);

impl Line {
    pub fn event(name: &str) -> Self {
        Self(format!("{{\"event\":\"{name}\""))
    }

    /// 64-bit values travel as text: a JSON number would lose bits above 2^53.
    pub fn text(mut self, name: &str, value: impl ToString) -> Self {
        let value = value.to_string().replace('\\', "\\\\").replace('"', "\\\"");
        let _ = write!(self.0, ",\"{name}\":\"{value}\"");
        self
    }

    pub fn number(mut self, name: &str, value: usize) -> Self {
        let _ = write!(self.0, ",\"{name}\":{value}");
        self
    }

    pub fn print(self) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{}}}", self.0);
        let _ = out.flush();
    }
}
