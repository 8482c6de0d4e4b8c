//! The kernel side: a network namespace held alive by a parked thread, with one configured TUN device in it.
//!
//! Everything is done by ioctl from a thread that has left the caller's network namespace, so no tool has to be
//! installed and nothing in the caller's namespace changes. The device and the namespace vanish with the process.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::mem::{size_of, zeroed};
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::mpsc;
use std::thread::JoinHandle;

pub const MTU_BYTES: usize = 1_500;

/// Deeper than TUN's 500, so that a burst between two turns of the forwarder is not lost by accident.
const TX_QUEUE_PACKETS: libc::c_int = 4_000;

const DEVICE_NAME: &[u8] = b"ggtun0";
const TUN_PATH: &str = "/dev/net/tun";

/// `TUNSETIFF` = `_IOW('T', 202, int)`; libc does not carry it for every target.
const TUNSETIFF: libc::c_ulong = 0x4004_54ca;

/// One end: its namespace lives as long as this value.
pub struct Link {
    pub namespace_path: String,
    pub address: Ipv4Addr,
    device: File,
    // Dropping the sender ends the thread that holds the namespace.
    holder: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
}

#[derive(Debug)]
pub enum LinkError {
    /// Root (or `CAP_SYS_ADMIN` with `CAP_NET_ADMIN`) or `/dev/net/tun` is missing.
    Privilege(String),
    System(String),
}

impl std::fmt::Display for LinkError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Privilege(text) | Self::System(text) => formatter.write_str(text),
        }
    }
}

impl Link {
    /// Makes a namespace with `lo` up and a TUN device that owns `address`/24.
    pub fn open(name: &str, address: Ipv4Addr) -> Result<Self, LinkError> {
        let (ready_sender, ready) = mpsc::channel();
        let (keep_alive, parked) = mpsc::channel::<()>();
        let thread = std::thread::Builder::new()
            .name(format!("netns-{name}"))
            .spawn(move || {
                let made = make_device(address);
                let failed = made.is_err();
                if ready_sender.send(made).is_err() || failed {
                    return;
                }
                // Ends with an error when the Link is dropped; nothing is ever sent.
                let _ = parked.recv();
            })
            .map_err(|error| LinkError::System(format!("cannot start a thread: {error}")))?;
        let (device, namespace_path) = ready
            .recv()
            .map_err(|_| LinkError::System("the namespace thread died".to_owned()))??;
        Ok(Self {
            namespace_path,
            address,
            device,
            holder: Some((keep_alive, thread)),
        })
    }

    pub fn fd(&self) -> libc::c_int {
        self.device.as_raw_fd()
    }

    /// One whole IP packet; `None` when nothing waits.
    pub fn read_packet(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match (&self.device).read(buffer) {
            Ok(length) => Ok(Some(length)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub fn write_packet(&self, packet: &[u8]) -> io::Result<()> {
        (&self.device).write(packet).map(|_| ())
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some((keep_alive, thread)) = self.holder.take() {
            drop(keep_alive);
            let _ = thread.join();
        }
    }
}

/// Runs in the namespace's own thread.
fn make_device(address: Ipv4Addr) -> Result<(File, String), LinkError> {
    // SAFETY: unshare takes flags only; it moves this thread alone.
    if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
        return Err(refused(
            "a network namespace of its own",
            &io::Error::last_os_error(),
        ));
    }
    // SAFETY: no arguments, no memory.
    let (process, thread) = unsafe { (libc::getpid(), libc::syscall(libc::SYS_gettid)) };
    let namespace_path = format!("/proc/{process}/task/{thread}/ns/net");
    let device = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open(TUN_PATH)
        .map_err(|error| refused(TUN_PATH, &error))?;
    let mut request = interface_request(DEVICE_NAME);
    request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
    // SAFETY: a valid ifreq for an ioctl that reads and writes one.
    if unsafe { libc::ioctl(device.as_raw_fd(), TUNSETIFF as _, &mut request) } != 0 {
        return Err(refused("a TUN device", &io::Error::last_os_error()));
    }
    configure(address).map_err(|error| refused("the configuration of the device", &error))?;
    Ok((device, namespace_path))
}

fn configure(address: Ipv4Addr) -> io::Result<()> {
    // SAFETY: the descriptor is checked and then owned.
    let socket = unsafe {
        let fd = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        OwnedFd::from_raw_fd(fd)
    };
    let apply = |operation: libc::c_ulong, request: &mut libc::ifreq| -> io::Result<()> {
        // SAFETY: every operation used here reads one ifreq.
        match unsafe { libc::ioctl(socket.as_raw_fd(), operation as _, request) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    };
    let up = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;

    let mut request = interface_request(b"lo");
    request.ifr_ifru.ifru_flags = up;
    apply(libc::SIOCSIFFLAGS, &mut request)?;

    let mut request = interface_request(DEVICE_NAME);
    request.ifr_ifru.ifru_addr = socket_address(address);
    apply(libc::SIOCSIFADDR, &mut request)?;
    request.ifr_ifru.ifru_netmask = socket_address(Ipv4Addr::new(255, 255, 255, 0));
    apply(libc::SIOCSIFNETMASK, &mut request)?;
    request.ifr_ifru.ifru_mtu = MTU_BYTES as libc::c_int;
    apply(libc::SIOCSIFMTU, &mut request)?;
    // ifru_metric shares its place with ifr_qlen, which libc does not name.
    request.ifr_ifru.ifru_metric = TX_QUEUE_PACKETS;
    apply(libc::SIOCSIFTXQLEN, &mut request)?;
    request.ifr_ifru.ifru_flags = up;
    apply(libc::SIOCSIFFLAGS, &mut request)
}

fn interface_request(name: &[u8]) -> libc::ifreq {
    // SAFETY: ifreq is plain data, all zeros is a valid value.
    let mut request: libc::ifreq = unsafe { zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name) {
        *to = *from as libc::c_char;
    }
    request
}

fn socket_address(address: Ipv4Addr) -> libc::sockaddr {
    const _: () = assert!(size_of::<libc::sockaddr_in>() == size_of::<libc::sockaddr>());
    let inet = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: 0,
        sin_addr: libc::in_addr {
            s_addr: u32::from_ne_bytes(address.octets()),
        },
        sin_zero: [0; 8],
    };
    // SAFETY: same size (asserted), both plain data.
    unsafe { std::mem::transmute(inet) }
}

fn refused(what: &str, error: &io::Error) -> LinkError {
    let missing = matches!(
        error.raw_os_error(),
        Some(libc::EPERM | libc::EACCES | libc::ENOENT | libc::ENODEV | libc::ENXIO | libc::ENOSYS)
    );
    let text = format!("{what}: {error}");
    if missing {
        LinkError::Privilege(text)
    } else {
        LinkError::System(text)
    }
}
