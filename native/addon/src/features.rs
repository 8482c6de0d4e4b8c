//! What the system gave an endpoint's sockets: probed once when they open, taken back once when a call
//! is refused later. Nothing is logged; `features()` tells.

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Several datagrams per system call; otherwise one.
    pub recvmmsg: bool,
    pub sendmmsg: bool,
    /// Runs of datagrams to one destination leave as one (UDP_SEGMENT).
    pub gso: bool,
    /// Datagrams that came together are received as one (UDP_GRO).
    pub gro: bool,
    /// The kernel says when a datagram came.
    pub timestamps: bool,
    /// The kernel says how many it dropped.
    pub rxq_overflow: bool,
    /// Answers leave from the address that was called.
    pub packet_info: bool,
    /// Handshake requests have a socket and a buffer of their own.
    pub handshake_socket: bool,
    /// IPv4 and IPv6 on one socket.
    pub dual_stack: bool,
    /// The kernel chooses among the sockets of the port.
    pub steering: bool,
    /// As asked for in SO_RCVBUF terms: half of what the kernel reports, which counts bookkeeping.
    pub receive_buffer_bytes: usize,
    pub send_buffer_bytes: usize,
    /// How long the receive buffer takes what the expected peers send while nobody reads, ms.
    pub receive_pause_ms: u32,
}
