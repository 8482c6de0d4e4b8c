//! Socket addresses and control messages, as the kernel wants them.

use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use super::sys::{UDP_GRO, UDP_SEGMENT};

/// Room for an address of either family, which both begin with the family.
pub(super) type Name = libc::sockaddr_in6;
pub(super) const NAME_BYTES: libc::socklen_t = size_of::<Name>() as libc::socklen_t;

/// What one received datagram can bring, headers included: timestamp (32), overflow (24), packet info
/// (40), segment size (24).
pub(super) const RECEIVE_CONTROL_BYTES: usize = 128;
/// Packet info (40) and segment size (24).
const SEND_CONTROL_BYTES: usize = 64;

#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub(super) struct ReceiveControl([u8; RECEIVE_CONTROL_BYTES]);

#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub(super) struct SendControl([u8; SEND_CONTROL_BYTES]);

pub(super) fn read_name(name: &Name) -> Option<SocketAddr> {
    let port = u16::from_be(name.sin6_port);
    match i32::from(name.sin6_family) {
        libc::AF_INET => {
            let pointer: *const Name = name;
            // SAFETY: the family says which structure this is; it is the smaller one, and its
            // alignment is the same.
            let v4 = unsafe { &*pointer.cast::<libc::sockaddr_in>() };
            let address = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            Some(SocketAddr::V4(SocketAddrV4::new(address, port)))
        }
        libc::AF_INET6 => {
            let address = Ipv6Addr::from(name.sin6_addr.s6_addr);
            // The scope belongs to link-local addresses only; elsewhere it would split one peer.
            let scope = if address.is_unicast_link_local() {
                name.sin6_scope_id
            } else {
                0
            };
            Some(SocketAddr::V6(SocketAddrV6::new(address, port, 0, scope)))
        }
        _ => None,
    }
}

/// Writes `address` as the socket's family wants it: IPv4 is mapped on an IPv6 socket.
pub(super) fn write_name(name: &mut Name, address: SocketAddr, v6: bool) -> libc::socklen_t {
    if let (SocketAddr::V4(v4), false) = (address, v6) {
        let pointer: *mut Name = name;
        // SAFETY: the smaller structure of the two, with the same alignment.
        let out = unsafe { &mut *pointer.cast::<libc::sockaddr_in>() };
        out.sin_family = libc::AF_INET as libc::sa_family_t;
        out.sin_port = v4.port().to_be();
        out.sin_addr.s_addr = u32::from(*v4.ip()).to_be();
        out.sin_zero = [0; 8];
        return size_of::<libc::sockaddr_in>() as libc::socklen_t;
    }
    let (ip, scope) = match address {
        SocketAddr::V4(v4) => (v4.ip().to_ipv6_mapped(), 0),
        SocketAddr::V6(v6) => (*v6.ip(), v6.scope_id()),
    };
    name.sin6_family = libc::AF_INET6 as libc::sa_family_t;
    name.sin6_port = address.port().to_be();
    name.sin6_flowinfo = 0;
    name.sin6_addr.s6_addr = ip.octets();
    name.sin6_scope_id = scope;
    NAME_BYTES
}

/// What the control messages of one receive said.
#[derive(Default)]
pub(super) struct Notes {
    pub stamp_ns: Option<u64>,
    pub overflow: Option<u32>,
    pub local: Option<IpAddr>,
    /// Bytes of each datagram in the buffer, when it holds several.
    pub segment: Option<usize>,
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
                (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) if length >= size_of::<u32>() => {
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
                (libc::SOL_UDP, UDP_GRO) if length >= size_of::<i32>() => {
                    let size = data.cast::<i32>().read_unaligned();
                    notes.segment = usize::try_from(size).ok().filter(|size| *size > 0);
                }
                _ => {}
            }
            message = libc::CMSG_NXTHDR(header, message);
        }
    }
    notes
}

/// Puts control messages one behind the other.
struct Writer<'a> {
    control: &'a mut SendControl,
    used: usize,
}

impl Writer<'_> {
    fn put<T>(&mut self, level: i32, kind: i32, value: T) {
        let bytes = size_of::<T>() as u32;
        // SAFETY: plain arithmetic.
        let (length, space) = unsafe { (libc::CMSG_LEN(bytes), libc::CMSG_SPACE(bytes) as usize) };
        if self.used + space > SEND_CONTROL_BYTES {
            return;
        }
        // SAFETY: the header and its value fit behind `used`, which is a multiple of 8 in a buffer
        // that is aligned to 8.
        unsafe {
            let header = self.control.0.as_mut_ptr().add(self.used);
            let header = header.cast::<libc::cmsghdr>();
            (*header).cmsg_level = level;
            (*header).cmsg_type = kind;
            (*header).cmsg_len = length as _;
            libc::CMSG_DATA(header).cast::<T>().write_unaligned(value);
        }
        self.used += space;
    }
}

/// Names the local address to send from and the size of the datagrams that a train is cut into;
/// returns the bytes of control data, 0 when all is the kernel's choice.
pub(super) fn write_control(
    control: &mut SendControl,
    local: Option<IpAddr>,
    segment: Option<u16>,
    v6: bool,
) -> usize {
    let mut writer = Writer { control, used: 0 };
    match (local, v6) {
        (Some(IpAddr::V4(address)), false) => {
            // SAFETY: zero bytes are a valid in_pktinfo.
            let mut info: libc::in_pktinfo = unsafe { zeroed() };
            info.ipi_spec_dst.s_addr = u32::from(address).to_be();
            writer.put(libc::IPPROTO_IP, libc::IP_PKTINFO, info);
        }
        (Some(address), true) => {
            let address = match address {
                IpAddr::V4(address) => address.to_ipv6_mapped(),
                IpAddr::V6(address) => address,
            };
            // SAFETY: zero bytes are a valid in6_pktinfo.
            let mut info: libc::in6_pktinfo = unsafe { zeroed() };
            info.ipi6_addr.s6_addr = address.octets();
            writer.put(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info);
        }
        (Some(IpAddr::V6(_)), false) | (None, _) => {}
    }
    if let Some(segment) = segment {
        writer.put(libc::SOL_UDP, UDP_SEGMENT, segment);
    }
    writer.used
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(address: &str, v6: bool) -> String {
        // SAFETY: zero bytes are a valid address.
        let mut name: Name = unsafe { zeroed() };
        write_name(&mut name, address.parse().unwrap(), v6);
        read_name(&name).unwrap().to_string()
    }

    #[test]
    fn names_keep_addresses_and_the_scope_of_link_local_ones_only() {
        assert_eq!(there_and_back("192.0.2.7:4000", false), "192.0.2.7:4000");
        let mapped = there_and_back("192.0.2.7:4000", true);
        assert_eq!(mapped, "[::ffff:192.0.2.7]:4000");
        for kept in ["[2001:db8::1]:1", "[fe80::1%3]:65535", "[::1]:9"] {
            assert_eq!(there_and_back(kept, true), kept);
        }
        assert_eq!(there_and_back("[2001:db8::1%3]:1", true), "[2001:db8::1]:1");
    }

    #[test]
    fn control_messages_hold_the_local_address_and_the_segment_size() {
        // SAFETY: zero bytes are valid for both.
        let (mut control, mut header): (SendControl, libc::msghdr) = unsafe { zeroed() };
        for (local, v6, bytes) in [
            (None, false, 0),
            (Some("127.0.0.9"), false, 32),
            (Some("127.0.0.9"), true, 40),
            (Some("2001:db8::1"), true, 40),
            // An IPv4 socket has no such address to send from.
            (Some("2001:db8::1"), false, 0),
        ] {
            let local: Option<IpAddr> = local.map(|local| local.parse().unwrap());
            assert_eq!(write_control(&mut control, local, None, v6), bytes);
            let both = write_control(&mut control, local, Some(1200), v6);
            assert_eq!(both, bytes + 24);
            header.msg_control = (&raw mut control).cast();
            header.msg_controllen = both as _;
            let notes = read_control(&header);
            let canonical = notes.local.map(|local| local.to_canonical());
            assert_eq!(canonical, local.filter(|_| bytes > 0));
        }
    }
}
