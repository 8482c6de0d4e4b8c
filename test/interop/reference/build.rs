//! Compiles the reference's two C files from the folder that `NETCODE_SOURCE` names.

use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-env-changed=NETCODE_SOURCE");
    let source = match std::env::var_os("NETCODE_SOURCE") {
        Some(folder) => PathBuf::from(folder),
        None => panic!("NETCODE_SOURCE has to name a checkout of mas-bandwidth/netcode"),
    };
    let sodium = source.join("sodium");
    cc::Build::new()
        .files([source.join("netcode.c"), sodium.join("sodium.c")])
        .include(&source)
        .include(&sodium)
        .define("NETCODE_RELEASE", None)
        .define("NDEBUG", None)
        .warnings(false)
        .compile("netcode");
}
