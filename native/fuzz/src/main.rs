//! libFuzzer over the target that `GGSCALE_FUZZ_TARGET` names; `GGSCALE_FUZZ_PLANT=1` plants its fault.
//! Started by `npm run fuzz`.
#![no_main]

use std::sync::OnceLock;

use ggscale_fuzz::{plant, target, Target, TARGETS};
use libfuzzer_sys::fuzz_target;

static CHOSEN: OnceLock<&Target> = OnceLock::new();

fn choose() -> &'static Target {
    plant::set(std::env::var_os("GGSCALE_FUZZ_PLANT").is_some_and(|value| value == "1"));
    let name = std::env::var("GGSCALE_FUZZ_TARGET").unwrap_or_default();
    target(&name).unwrap_or_else(|| {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!("GGSCALE_FUZZ_TARGET={name}; known are {}", names.join(", "));
        std::process::exit(2)
    })
}

fuzz_target!(|data: &[u8]| (CHOSEN.get_or_init(choose).run)(data));
