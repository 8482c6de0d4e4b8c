//! The committed corpora.

use std::fs;
use std::path::PathBuf;

/// By file name, so that every run sees the same order.
pub fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let entries = fs::read_dir(folder.join(target)).expect("every target has a corpus");
    let mut found: Vec<_> = entries
        .map(|entry| {
            let entry = entry.expect("an entry");
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).expect("a file"))
        })
        .collect();
    found.sort();
    found
}
