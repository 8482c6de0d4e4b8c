//! A sandbox in earnest: a child process under a seccomp filter that does not know the batch calls, as
//! old container profiles do not.

use std::process::Command;

use ggscale_transport_core::Path;

use super::*;
use crate::sockets::{AnyIo, IoKind};

/// Set for the child: errno, what is refused, and when.
const VARIABLE: &str = "GGSCALE_TEST_SECCOMP";
const DONE: &str = "carried all of them";

/// Refuses `calls` to this thread and those that it starts; false where the kernel has no seccomp.
fn install(calls: &[libc::c_long], errno: i32) -> bool {
    let statement = |code: u32, jt, jf, k| libc::sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    // The number of the call is the first word of what the filter sees.
    let mut code = vec![statement(
        libc::BPF_LD | libc::BPF_W | libc::BPF_ABS,
        0,
        0,
        0,
    )];
    for call in calls {
        let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
        code.push(statement(equal, 0, 1, *call as u32));
        let refuse = libc::SECCOMP_RET_ERRNO | errno as u32;
        code.push(statement(libc::BPF_RET | libc::BPF_K, 0, 0, refuse));
    }
    let allow = libc::SECCOMP_RET_ALLOW;
    code.push(statement(libc::BPF_RET | libc::BPF_K, 0, 0, allow));
    let program = libc::sock_fprog {
        len: code.len() as u16,
        filter: code.as_mut_ptr(),
    };
    // SAFETY: the program and its instructions live through the call.
    unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program) == 0
    }
}

fn open(kind: IoKind) -> AnyIo {
    let options = UdpOptions::new("127.0.0.1:0".parse().unwrap());
    AnyIo::open(kind, &options, 1).unwrap().remove(0)
}

/// Sends 70 datagrams each way and says what the endpoints know of themselves then.
fn carry(first: &mut AnyIo, second: &mut AnyIo) {
    let datagrams: Vec<Vec<u8>> = (0..70).map(|number| vec![0x15; number + 1]).collect();
    for _ in 0..2 {
        let path = Path {
            remote: second.local_address(),
            local: None,
        };
        let mut rest: Vec<Outgoing> = datagrams
            .iter()
            .map(|bytes| Outgoing { bytes, path })
            .collect();
        while !rest.is_empty() {
            let taken = first.send(&rest).unwrap();
            rest.drain(..taken);
        }
        let mut scratch = Scratch::with_bytes(second.scratch_bytes());
        let mut lengths = Vec::new();
        loop {
            let count = second.receive(Queue::Flows, BATCH, &mut scratch).unwrap();
            lengths.extend(scratch.arrivals[..count].iter().map(|it| it.length));
            if count == 0 {
                break;
            }
        }
        assert_eq!(lengths, (1..=70).collect::<Vec<_>>());
        std::mem::swap(first, second);
    }
}

/// The child's part; nothing where the variable is not set.
#[test]
fn child_under_seccomp() {
    let Ok(case) = std::env::var(VARIABLE) else {
        return;
    };
    let (errno, case) = case.split_once(' ').unwrap();
    let errno = errno.parse().unwrap();
    let batches = [libc::SYS_recvmmsg, libc::SYS_sendmmsg];
    let messages = [libc::SYS_recvmsg, libc::SYS_sendmsg];
    let kind = if case == "portable" {
        IoKind::Portable
    } else {
        IoKind::Batch
    };
    let refused: Vec<libc::c_long> = match case {
        "portable" => [batches, messages].concat(),
        _ => batches.to_vec(),
    };
    let (mut first, mut second);
    if case == "later" {
        (first, second) = (open(kind), open(kind));
        carry(&mut first, &mut second);
        assert!(first.features().recvmmsg && first.features().sendmmsg);
        if !install(&refused, errno) {
            return println!("no seccomp here");
        }
    } else {
        if !install(&refused, errno) {
            return println!("no seccomp here");
        }
        (first, second) = (open(kind), open(kind));
        assert!(!first.features().recvmmsg && !first.features().sendmmsg);
    }
    carry(&mut first, &mut second);
    assert!(!first.features().recvmmsg && !first.features().sendmmsg);
    println!("{DONE}");
}

#[test]
fn batch_calls_refused_by_seccomp_degrade_once_and_quietly_in_a_real_sandbox() {
    for errno in [libc::EPERM, libc::ENOSYS] {
        for case in ["open", "later", "portable"] {
            let output = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "udp::seccomp_test::child_under_seccomp"])
                .args(["--nocapture", "--test-threads=1"])
                .env(VARIABLE, format!("{errno} {case}"))
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{errno} {case}: {said}{errors}");
            if said.contains("no seccomp here") {
                eprintln!("skipped: this kernel has no seccomp");
                return;
            }
            assert!(said.contains(DONE), "{errno} {case}: {said}{errors}");
            assert_eq!(errors, "", "quietly");
        }
    }
}
