//! Which socket of a port gets a datagram: one classic BPF program per SO_REUSEPORT group.
//!
//! ```text
//! sockets  0 … n−1: flows of thread 0 … n−1      n … 2n−1: handshakes of thread 0 … n−1
//!
//! byte 0 & 15 ∈ {8, 9}  →  byte 1 mod n                    a connection id names its thread
//! else h = hash(source address, source port) mod n
//!   byte 0 == 0         →  n + h   (h without handshake sockets)
//!   else                →  h
//! ```
//! The kernel runs it on the datagram's payload and reaches the IP header through SKF_NET_OFF. A load
//! past the end of the payload ends the program with 0, so empty datagrams meet socket 0. Every result
//! is the index of one of our own sockets: one that another program adds to the group gets nothing.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use super::sys::Sys;

/// Threads of one server.
pub const GROUP_MAX: usize = 16;

/// Packet types that carry a connection id behind the first byte.
const CID_TYPES: [u32; 2] = [8, 9];
/// Odd multipliers with well spread bits; the low half of a product depends on few bits of the input,
/// so the result is taken from the high half.
const MIX_1: u32 = 0x9e37_79b1;
const MIX_2: u32 = 0x85eb_ca6b;

const NET: u32 = libc::SKF_NET_OFF as u32;
const UDP: u32 = libc::IPPROTO_UDP as u32;

/// What one instruction jumps to, resolved when the program is complete.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    Next,
    Cid,
    V6,
    Port,
    Mix,
    Request,
}

struct Assembler {
    code: Vec<(libc::sock_filter, Label, Label)>,
    places: Vec<(Label, usize)>,
}

impl Assembler {
    fn op(&mut self, code: u32, k: u32) {
        self.jump(code, k, Label::Next, Label::Next);
    }

    fn jump(&mut self, code: u32, k: u32, yes: Label, no: Label) {
        let filter = libc::sock_filter {
            code: code as u16,
            jt: 0,
            jf: 0,
            k,
        };
        self.code.push((filter, yes, no));
    }

    fn place(&mut self, label: Label) {
        self.places.push((label, self.code.len()));
    }

    /// Jumps count from the instruction behind the jump.
    fn finish(self) -> Vec<libc::sock_filter> {
        let places = self.places;
        let distance = |label: Label, from: usize| {
            let place = places.iter().find(|(name, _)| *name == label);
            place.map_or(0, |(_, to)| to.saturating_sub(from + 1))
        };
        let resolve =
            |(index, (mut filter, yes, no)): (usize, (libc::sock_filter, Label, Label))| {
                if filter.code == (libc::BPF_JMP | libc::BPF_JA) as u16 {
                    filter.k = distance(yes, index) as u32;
                } else {
                    filter.jt = distance(yes, index) as u8;
                    filter.jf = distance(no, index) as u8;
                }
                filter
            };
        self.code.into_iter().enumerate().map(resolve).collect()
    }
}

const LOAD_BYTE: u32 = libc::BPF_LD | libc::BPF_B | libc::BPF_ABS;
const LOAD_HALF: u32 = libc::BPF_LD | libc::BPF_H | libc::BPF_ABS;
const LOAD_HALF_AT_X: u32 = libc::BPF_LD | libc::BPF_H | libc::BPF_IND;
const LOAD_WORD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
const LOAD_HEADER_LENGTH: u32 = libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH;
const JUMP: u32 = libc::BPF_JMP | libc::BPF_JA;
const JUMP_EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
const AND: u32 = libc::BPF_ALU | libc::BPF_AND | libc::BPF_K;
const ADD: u32 = libc::BPF_ALU | libc::BPF_ADD | libc::BPF_K;
const MULTIPLY: u32 = libc::BPF_ALU | libc::BPF_MUL | libc::BPF_K;
const MODULO: u32 = libc::BPF_ALU | libc::BPF_MOD | libc::BPF_K;
const SHIFT_RIGHT: u32 = libc::BPF_ALU | libc::BPF_RSH | libc::BPF_K;
const XOR: u32 = libc::BPF_ALU | libc::BPF_XOR | libc::BPF_K;
const XOR_X: u32 = libc::BPF_ALU | libc::BPF_XOR | libc::BPF_X;
const A_TO_X: u32 = libc::BPF_MISC | libc::BPF_TAX;
const X_TO_A: u32 = libc::BPF_MISC | libc::BPF_TXA;
const RETURN: u32 = libc::BPF_RET | libc::BPF_K;
const RETURN_A: u32 = libc::BPF_RET | libc::BPF_A;

/// The program for `threads` sockets of flows and, when `handshakes`, as many of requests. `seed`
/// keeps the choice of a thread from being known in advance.
pub(super) fn program(threads: u32, handshakes: bool, seed: u32) -> Vec<libc::sock_filter> {
    let mut to = Assembler {
        code: Vec::new(),
        places: Vec::new(),
    };
    if threads <= 1 {
        to.op(LOAD_BYTE, 0);
        to.jump(JUMP_EQUAL, 0, Label::Request, Label::Next);
        to.op(RETURN, 0);
        to.place(Label::Request);
        to.op(RETURN, u32::from(handshakes));
        return to.finish();
    }
    to.op(LOAD_BYTE, 0);
    to.op(AND, 15);
    for kind in CID_TYPES {
        to.jump(JUMP_EQUAL, kind, Label::Cid, Label::Next);
    }
    hash_source(&mut to, seed);
    // X = thread; a request goes to the socket behind the flows'.
    to.op(MODULO, threads);
    to.op(A_TO_X, 0);
    to.op(LOAD_BYTE, 0);
    to.jump(JUMP_EQUAL, 0, Label::Request, Label::Next);
    to.op(X_TO_A, 0);
    to.op(RETURN_A, 0);
    to.place(Label::Request);
    to.op(X_TO_A, 0);
    to.op(ADD, if handshakes { threads } else { 0 });
    to.op(RETURN_A, 0);
    to.place(Label::Cid);
    to.op(LOAD_BYTE, 1);
    to.op(MODULO, threads);
    to.op(RETURN_A, 0);
    to.finish()
}

/// Leaves 16 bits in A that depend on every bit of the source address and the source port.
fn hash_source(to: &mut Assembler, seed: u32) {
    to.op(LOAD_BYTE, NET);
    to.op(SHIFT_RIGHT, 4);
    to.jump(JUMP_EQUAL, 6, Label::V6, Label::Next);
    // IPv4: the UDP header stands behind the options.
    to.op(LOAD_HEADER_LENGTH, NET);
    to.op(LOAD_HALF_AT_X, NET);
    to.op(MULTIPLY, MIX_1);
    to.op(A_TO_X, 0);
    to.op(LOAD_WORD, NET.wrapping_add(12));
    to.op(XOR_X, 0);
    to.jump(JUMP, 0, Label::Mix, Label::Next);
    // IPv6: four words, then the port unless an extension header stands in its place.
    to.place(Label::V6);
    to.op(LOAD_WORD, NET.wrapping_add(8));
    for offset in [12, 16, 20] {
        to.op(MULTIPLY, MIX_1);
        to.op(A_TO_X, 0);
        to.op(LOAD_WORD, NET.wrapping_add(offset));
        to.op(XOR_X, 0);
    }
    to.op(MULTIPLY, MIX_1);
    to.op(A_TO_X, 0);
    to.op(LOAD_BYTE, NET.wrapping_add(6));
    to.jump(JUMP_EQUAL, UDP, Label::Port, Label::Next);
    to.op(X_TO_A, 0);
    to.jump(JUMP, 0, Label::Mix, Label::Next);
    to.place(Label::Port);
    to.op(LOAD_HALF, NET.wrapping_add(40));
    to.op(XOR_X, 0);
    to.place(Label::Mix);
    to.op(XOR, seed);
    for (shift, factor) in [(16, MIX_2), (13, MIX_1)] {
        to.op(A_TO_X, 0);
        to.op(SHIFT_RIGHT, shift);
        to.op(XOR_X, 0);
        to.op(MULTIPLY, factor);
    }
    to.op(SHIFT_RIGHT, 16);
}

/// Attaches `program` to the group that `fd` is in.
pub(super) fn attach<S: Sys>(
    sys: &mut S,
    fd: &OwnedFd,
    mut program: Vec<libc::sock_filter>,
) -> io::Result<()> {
    let program = libc::sock_fprog {
        len: program.len() as u16,
        filter: program.as_mut_ptr(),
    };
    let option = (libc::SOL_SOCKET, libc::SO_ATTACH_REUSEPORT_CBPF);
    // SAFETY: the pointer leads to `len` instructions, which live through the call.
    unsafe { sys.setsockopt(fd.as_raw_fd(), option, &program) }
        .map_err(io::Error::from_raw_os_error)
}
