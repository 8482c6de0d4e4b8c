//! Fuzz targets: each a function of bytes that panics when a property does not hold.
//!
//! ```text
//!   libFuzzer (src/main.rs, coverage-guided) ─┐
//!   corpus/<target>/ (tests/replay.rs)        ├─▶ Target::run(bytes) ─▶ production code
//!   mutants of it (tests/canaries.rs)         ┘
//! ```
//! How to run them, and what they found: docs/FUZZING.md.

mod control;
mod input;
#[path = "../../addon/src/io.rs"]
#[allow(dead_code)]
mod io;
pub mod mutate;
mod packet;
pub mod plant;
mod rl1;
pub mod server;
mod token;
mod udp;

/// One thing that is fuzzed.
pub struct Target {
    /// Also the name of its folder in `corpus/`.
    pub name: &'static str,
    pub run: fn(&[u8]),
    /// Of an input, in bytes.
    pub max_length: usize,
    /// What [`plant`] makes of the code under test.
    pub planted: &'static str,
}

pub const TARGETS: &[Target] = &[
    Target {
        name: "token",
        run: token::run,
        max_length: 1024,
        planted: "an address of type 3 is read as IPv4",
    },
    Target {
        name: "packet",
        run: packet::run,
        max_length: 512,
        planted: "the replay window forgets its last place",
    },
    Target {
        name: "control",
        run: control::run,
        max_length: 512,
        planted: "a NEW_CID may be one byte too long",
    },
    Target {
        name: "cmsg",
        run: udp::cmsg::run,
        max_length: 512,
        planted: "a datagram of one byte is lost",
    },
    Target {
        name: "rl1",
        run: rl1::run,
        max_length: 2048,
        planted: "the second ordered message of a channel comes twice",
    },
    Target {
        name: "server",
        run: server::run,
        max_length: 512,
        planted: "the last byte of a tag is not looked at",
    },
];

#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
