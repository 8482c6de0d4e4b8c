//! Message headers of a batch, socket addresses and control messages, as the kernel wants them.

use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use crate::io::BATCH;

/// Control messages of one datagram: timestamp (16), overflow (4), packet info (20), with headers.
pub(super) const CONTROL_BYTES: usize = 128;

#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub(super) struct Control([u8; CONTROL_BYTES]);

/// What one message header points at.
pub(super) struct Parts {
    pub name: libc::sockaddr_storage,
    pub vector: libc::iovec,
    pub control: Control,
}

/// Message headers and what they point at; boxed, so that nothing moves.
pub(super) struct Headers {
    pub parts: [Parts; BATCH],
    pub messages: [libc::mmsghdr; BATCH],
}

// SAFETY: the pointers lead into the same box, or into memory that a call fills in before it uses
// them; none is used between calls.
unsafe impl Send for Headers {}

impl Headers {
    pub fn new() -> Box<Self> {
        // SAFETY: all fields are plain C structures for which zero bytes are a valid value.
        let mut headers: Box<Self> = Box::new(unsafe { zeroed() });
        let Self { parts, messages } = &mut *headers;
        for (part, message) in parts.iter_mut().zip(messages) {
            message.msg_hdr.msg_name = (&raw mut part.name).cast();
            message.msg_hdr.msg_iov = &raw mut part.vector;
            message.msg_hdr.msg_iovlen = 1;
        }
        headers
    }
}

pub(super) fn read_name(name: &libc::sockaddr_storage) -> Option<SocketAddr> {
    let pointer: *const libc::sockaddr_storage = name;
    match i32::from(name.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says which structure this is; storage is large and aligned enough.
            let v4 = unsafe { &*pointer.cast::<libc::sockaddr_in>() };
            let address = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            Some(SocketAddr::V4(SocketAddrV4::new(
                address,
                u16::from_be(v4.sin_port),
            )))
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let v6 = unsafe { &*pointer.cast::<libc::sockaddr_in6>() };
            let address = Ipv6Addr::from(v6.sin6_addr.s6_addr);
            let port = u16::from_be(v6.sin6_port);
            // The scope belongs to link-local addresses only; elsewhere it would split one peer.
            let scope = if address.is_unicast_link_local() {
                v6.sin6_scope_id
            } else {
                0
            };
            Some(SocketAddr::V6(SocketAddrV6::new(address, port, 0, scope)))
        }
        _ => None,
    }
}

/// Writes `address` as the socket's family wants it: IPv4 is mapped on an IPv6 socket.
pub(super) fn write_name(
    name: &mut libc::sockaddr_storage,
    address: SocketAddr,
    v6: bool,
) -> libc::socklen_t {
    let pointer: *mut libc::sockaddr_storage = name;
    match (address, v6) {
        (SocketAddr::V4(v4), false) => {
            // SAFETY: storage is large and aligned enough for either family.
            let out = unsafe { &mut *pointer.cast::<libc::sockaddr_in>() };
            out.sin_family = libc::AF_INET as libc::sa_family_t;
            out.sin_port = v4.port().to_be();
            out.sin_addr.s_addr = u32::from(*v4.ip()).to_be();
            out.sin_zero = [0; 8];
            size_of::<libc::sockaddr_in>() as libc::socklen_t
        }
        _ => {
            let (ip, scope) = match address {
                SocketAddr::V4(v4) => (v4.ip().to_ipv6_mapped(), 0),
                SocketAddr::V6(v6) => (*v6.ip(), v6.scope_id()),
            };
            // SAFETY: as above.
            let out = unsafe { &mut *pointer.cast::<libc::sockaddr_in6>() };
            out.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            out.sin6_port = address.port().to_be();
            out.sin6_flowinfo = 0;
            out.sin6_addr.s6_addr = ip.octets();
            out.sin6_scope_id = scope;
            size_of::<libc::sockaddr_in6>() as libc::socklen_t
        }
    }
}

#[derive(Default)]
pub(super) struct Notes {
    pub stamp_ns: Option<u64>,
    pub overflow: Option<u32>,
    pub local: Option<IpAddr>,
}

pub(super) fn read_control(header: &libc::msghdr) -> Notes {
    let mut notes = Notes::default();
    // SAFETY: the kernel wrote msg_controllen bytes of well-formed control messages; each is read
    // only after its length was compared, and unaligned.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(header);
        while !message.is_null() {
            let data = libc::CMSG_DATA(message);
            let length = ((*message).cmsg_len as usize).saturating_sub(libc::CMSG_LEN(0) as usize);
            match ((*message).cmsg_level, (*message).cmsg_type) {
                (libc::SOL_SOCKET, libc::SO_TIMESTAMPNS)
                    if length >= size_of::<libc::timespec>() =>
                {
                    let time = data.cast::<libc::timespec>().read_unaligned();
                    notes.stamp_ns = Some(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64);
                }
                (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) if length >= 4 => {
                    notes.overflow = Some(data.cast::<u32>().read_unaligned());
                }
                (libc::IPPROTO_IP, libc::IP_PKTINFO) if length >= size_of::<libc::in_pktinfo>() => {
                    let info = data.cast::<libc::in_pktinfo>().read_unaligned();
                    // ipi_spec_dst is the local address to answer from (for broadcasts it differs).
                    let address = Ipv4Addr::from(u32::from_be(info.ipi_spec_dst.s_addr));
                    notes.local = Some(IpAddr::V4(address));
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO)
                    if length >= size_of::<libc::in6_pktinfo>() =>
                {
                    let info = data.cast::<libc::in6_pktinfo>().read_unaligned();
                    notes.local = Some(IpAddr::V6(Ipv6Addr::from(info.ipi6_addr.s6_addr)));
                }
                _ => {}
            }
            message = libc::CMSG_NXTHDR(header, message);
        }
    }
    notes
}

/// Names the local address to send from; returns the bytes of control data, 0 for the kernel's choice.
pub(super) fn write_control(control: &mut Control, local: Option<IpAddr>, v6: bool) -> usize {
    let Some(local) = local else { return 0 };
    // SAFETY: `control` is aligned to 8 and larger than one header with the larger structure.
    unsafe {
        let header = control.0.as_mut_ptr().cast::<libc::cmsghdr>();
        match (local, v6) {
            (IpAddr::V4(address), false) => {
                let mut info: libc::in_pktinfo = zeroed();
                info.ipi_spec_dst.s_addr = u32::from(address).to_be();
                let bytes = size_of::<libc::in_pktinfo>() as u32;
                (*header).cmsg_level = libc::IPPROTO_IP;
                (*header).cmsg_type = libc::IP_PKTINFO;
                (*header).cmsg_len = libc::CMSG_LEN(bytes) as _;
                libc::CMSG_DATA(header)
                    .cast::<libc::in_pktinfo>()
                    .write_unaligned(info);
                libc::CMSG_SPACE(bytes) as usize
            }
            (_, true) => {
                let address = match local {
                    IpAddr::V4(address) => address.to_ipv6_mapped(),
                    IpAddr::V6(address) => address,
                };
                let mut info: libc::in6_pktinfo = zeroed();
                info.ipi6_addr.s6_addr = address.octets();
                let bytes = size_of::<libc::in6_pktinfo>() as u32;
                (*header).cmsg_level = libc::IPPROTO_IPV6;
                (*header).cmsg_type = libc::IPV6_PKTINFO;
                (*header).cmsg_len = libc::CMSG_LEN(bytes) as _;
                libc::CMSG_DATA(header)
                    .cast::<libc::in6_pktinfo>()
                    .write_unaligned(info);
                libc::CMSG_SPACE(bytes) as usize
            }
            (IpAddr::V6(_), false) => 0,
        }
    }
}
