//! Rules for the edge to C that no lint knows, read from the sources themselves.

use std::fs;
use std::path::Path;

/// Path and text of every source file that is part of the addon.
fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        if path.is_dir() {
            sources(&path, found);
        } else if name.ends_with(".rs") && !name.ends_with("_test.rs") {
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

fn all() -> Vec<(String, String)> {
    let mut found = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut found,
    );
    found
}

/// The code lines from `lines` on, without attributes and comments.
fn first_code<'a>(lines: &[&'a str]) -> &'a str {
    let is_code = |line: &&&str| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#') && !line.starts_with("//")
    };
    lines.iter().find(is_code).copied().unwrap_or("").trim()
}

#[test]
fn every_function_that_javascript_calls_catches_its_panics() {
    let mut functions = 0;
    for (name, text) in all() {
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            if !line.trim_start().starts_with("#[napi") {
                continue;
            }
            let code = first_code(&lines[index + 1..]);
            if !code.contains("fn ") {
                continue;
            }
            functions += 1;
            assert!(line.contains("catch_unwind"), "{name}: {code}");
        }
    }
    assert!(functions > 30, "{functions} found");
}

#[test]
fn every_function_that_libuv_or_node_calls_enters_by_the_one_gate() {
    let mut functions = 0;
    for (name, text) in all() {
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let is_definition =
                line.contains("extern \"C\" fn ") && !line.contains("extern \"C\" fn(");
            if !is_definition {
                continue;
            }
            functions += 1;
            let body = lines[index..].iter().take_while(|line| **line != "}");
            let enters = body.clone().any(|line| line.contains("enter("));
            assert!(enters, "{name}: {line}");
        }
    }
    assert!(functions > 3, "{functions} found");
}
