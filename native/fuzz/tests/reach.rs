//! How far the corpus of the server gets: behind handshakes, into NX, to the ends of flows.

mod support;

use std::collections::BTreeSet;

use ggscale_fuzz::server::reached;
use support::corpus;

/// A corpus that stays in front of the AEAD would meet none of these.
const DEEP: &[&str] = &[
    "opened",
    "closed",
    "payloads-in",
    "denials-out",
    "nx-confirmed",
    "path-candidates",
    "path-challenges-out",
    "migrations",
    "new-cids-out",
    "replaced",
    "timeouts",
    "replayed",
    "challenge-open-failed",
    "control-unexpected",
    "flow-packet-rate",
    "flow-byte-rate",
    "blocked",
    "busy",
    "history-full",
    "pending-full",
    "token-lifetime",
];

#[test]
fn the_servers_corpus_gets_behind_handshakes_keys_and_migrations() {
    let met: BTreeSet<_> = corpus("server")
        .iter()
        .flat_map(|(_, input)| reached(input))
        .collect();
    let missing: Vec<_> = DEEP.iter().filter(|name| !met.contains(*name)).collect();
    assert!(missing.is_empty(), "never reached: {missing:?} of {met:?}");
}
