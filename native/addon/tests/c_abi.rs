//! The two halves of the C interface: what a C compiler makes of `native/include/ggscale_transport.h`
//! is what the runtime has, and the functions of the table keep its promises.

use std::env::{temp_dir, var_os};
use std::ffi::{CStr, OsString};
use std::fs;
use std::mem::offset_of;
use std::path::{Path, PathBuf};
use std::process::{id, Command};
use std::ptr::{null, null_mut};
use std::sync::Arc;

use ggscale_transport_addon::c_abi::{self as abi, Api, Handle};
use ggscale_transport_addon::counters::{all_names, COUNT};
use ggscale_transport_addon::published::Publisher;

const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Werror", "-pedantic"];

/// Prints each size, offset and number of the header as `name value`.
const PROGRAM: &str = r#"
#include <stddef.h>
#include <stdio.h>
#include <ggscale_transport.h>
#define SHOW(name, value) printf("%s %llu\n", name, (unsigned long long)(value))
#define FIELD(field) SHOW(#field, offsetof(ggscale_api, field))
int main(void) {
  SHOW("version", GGSCALE_ABI_VERSION);
  SHOW("table", sizeof(ggscale_api));
  FIELD(abi_version);
  FIELD(size);
  FIELD(counter_count);
  FIELD(counter_name);
  FIELD(read_counters);
  FIELD(retain);
  FIELD(release);
  SHOW("api", offsetof(ggscale_endpoint, api));
  SHOW("status", sizeof(ggscale_status));
  SHOW("ok", GGSCALE_OK);
  SHOW("closed", GGSCALE_CLOSED);
  SHOW("bad_argument", GGSCALE_BAD_ARGUMENT);
  SHOW("bad_abi", GGSCALE_BAD_ABI);
  SHOW("internal", GGSCALE_INTERNAL);
  SHOW("lower", GGSCALE_TAG_LOWER);
  SHOW("upper", GGSCALE_TAG_UPPER);
  return 0;
}
"#;

/// A folder of this test, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = temp_dir().join(format!("ggscale-{name}-{}", id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What the program prints when `compiler` made it, without a warning.
fn printed(compiler: OsString, standard: &str, source: &str) -> String {
    let folder = Folder::new(source);
    let (source, program) = (folder.0.join(source), folder.0.join("program"));
    fs::write(&source, PROGRAM).unwrap();
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../include");
    let compiled = Command::new(compiler)
        .arg(standard)
        .args(STRICT)
        .arg("-I")
        .arg(include)
        .arg("-o")
        .args([&program, &source])
        .output()
        .expect("a compiler for C and C++");
    let errors = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{errors}");
    let run = Command::new(&program).output().unwrap();
    String::from_utf8(run.stdout).unwrap()
}

fn compiler(variable: &str, usual: &str) -> OsString {
    var_os(variable).unwrap_or_else(|| usual.into())
}

#[test]
fn the_header_in_c11_and_cpp17_says_what_the_runtime_has() {
    let fields = [
        ("version", u64::from(abi::ABI_VERSION)),
        ("table", size_of::<Api>() as u64),
        ("abi_version", offset_of!(Api, abi_version) as u64),
        ("size", offset_of!(Api, size) as u64),
        ("counter_count", offset_of!(Api, counter_count) as u64),
        ("counter_name", offset_of!(Api, counter_name) as u64),
        ("read_counters", offset_of!(Api, read_counters) as u64),
        ("retain", offset_of!(Api, retain) as u64),
        ("release", offset_of!(Api, release) as u64),
        ("api", 0),
        ("status", size_of_val(&abi::OK) as u64),
        ("ok", abi::OK as u64),
        ("closed", abi::CLOSED as u64),
        ("bad_argument", abi::BAD_ARGUMENT as u64),
        ("bad_abi", abi::BAD_ABI as u64),
        ("internal", abi::INTERNAL as u64),
        ("lower", abi::TYPE_TAG.0),
        ("upper", abi::TYPE_TAG.1),
    ];
    let expected: String = fields
        .iter()
        .map(|(name, value)| format!("{name} {value}\n"))
        .collect();
    assert_eq!(
        printed(compiler("CC", "cc"), "-std=c11", "layout.c"),
        expected
    );
    assert_eq!(
        printed(compiler("CXX", "c++"), "-std=c++17", "layout.cc"),
        expected
    );
}

/// A handle as foreign code holds it, with one count, and its table.
fn handle_of(publishers: &[&Publisher<COUNT>]) -> (Arc<Handle>, *const Handle, &'static Api) {
    let parts = publishers.iter().map(|it| Arc::clone(it.published()));
    let handle = Handle::new(parts.collect());
    let foreign = Arc::into_raw(Arc::clone(&handle));
    // SAFETY: the first field of a handle is its table.
    let api = unsafe { *foreign.cast::<&'static Api>() };
    (handle, foreign, api)
}

#[test]
fn the_table_names_every_counter_and_no_other() {
    let publisher = Publisher::default();
    let (_handle, foreign, api) = handle_of(&[&publisher]);
    assert_eq!(
        (api.abi_version, api.size as usize),
        (abi::ABI_VERSION, size_of::<Api>())
    );
    // SAFETY: a name lives until the process ends; the count of `foreign` is given back.
    unsafe {
        let count = (api.counter_count)();
        let name = |index| CStr::from_ptr((api.counter_name)(index)).to_str().unwrap();
        let names: Vec<&str> = (0..count).map(name).collect();
        assert_eq!(names, all_names().collect::<Vec<_>>());
        assert!((api.counter_name)(count).is_null());
        assert!((api.counter_name)(u32::MAX).is_null());
        (api.release)(foreign);
    }
}

#[test]
fn counters_are_summed_over_threads_and_stay_when_the_endpoint_is_closed() {
    let mut publishers = [Publisher::default(), Publisher::default()];
    for publisher in &mut publishers {
        publisher.publish(&std::array::from_fn(|index| u64::MAX / 4 + index as u64));
    }
    let (handle, foreign, api) = handle_of(&[&publishers[0], &publishers[1]]);
    let sum = |index: usize| u64::MAX / 4 * 2 + 2 * index as u64;
    // SAFETY: `foreign` is alive until its release, and the arrays have room for what is asked.
    unsafe {
        let mut few = [7; 3];
        assert_eq!((api.read_counters)(foreign, few.as_mut_ptr(), 2), abi::OK);
        assert_eq!(few, [sum(0), sum(1), 7], "no more than asked for");
        let mut many = [7; COUNT + 2];
        let asked = many.len() as u32;
        publishers[0].publish(&[1; COUNT]);
        publishers[1].publish(&[2; COUNT]);
        handle.close();
        drop((handle, publishers));
        assert_eq!(
            (api.read_counters)(foreign, many.as_mut_ptr(), asked),
            abi::CLOSED
        );
        assert_eq!(many[..COUNT], [3; COUNT], "the last ones");
        assert_eq!(many[COUNT..], [0, 0], "nothing beyond the last counter");
        assert_eq!((api.read_counters)(foreign, null_mut(), 0), abi::CLOSED);
        (api.release)(foreign);
    }
}

#[test]
fn null_is_refused_where_it_cannot_be_meant_and_ignored_where_it_can() {
    let publisher = Publisher::default();
    let (_handle, foreign, api) = handle_of(&[&publisher]);
    // SAFETY: as above.
    unsafe {
        let mut value = 7;
        assert_eq!(
            (api.read_counters)(null(), &mut value, 1),
            abi::BAD_ARGUMENT
        );
        assert_eq!(
            (api.read_counters)(foreign, null_mut(), 1),
            abi::BAD_ARGUMENT
        );
        assert_eq!((api.read_counters)(foreign, null_mut(), 0), abi::OK);
        assert_eq!(value, 7);
        (api.retain)(null());
        (api.release)(null());
        (api.release)(foreign);
    }
}

#[test]
fn a_handle_lives_as_long_as_it_is_retained() {
    let publisher = Publisher::default();
    let (handle, foreign, api) = handle_of(&[&publisher]);
    let watch = Arc::downgrade(&handle);
    drop(handle);
    // SAFETY: each use has a count, until the last is given back.
    unsafe {
        (api.retain)(foreign);
        (api.release)(foreign);
        assert_eq!(watch.strong_count(), 1);
        (api.release)(foreign);
    }
    assert_eq!(watch.strong_count(), 0);
}
