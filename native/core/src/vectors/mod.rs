//! Golden vectors in test/vectors, for every implementation of the documents. These modules make them
//! from fixed inputs and compare; `UPDATE_VECTORS=1 cargo test` writes them anew.

mod netcode;
mod nx;

use std::path::PathBuf;

use serde_json::Value;

const PROTOCOL_ID: u64 = 0x1122_3344_5566_7788;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// first, first + 1, …: recognisable in a dump.
fn run<const N: usize>(first: u8) -> [u8; N] {
    core::array::from_fn(|index| first.wrapping_add(index as u8))
}

fn check_in(folder: &str, name: &str, made: Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../test/vectors")
        .join(folder)
        .join(name);
    let text = serde_json::to_string_pretty(&made).unwrap() + "\n";
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(
        serde_json::from_str::<Value>(&stored).unwrap(),
        made,
        "{name}"
    );
}
