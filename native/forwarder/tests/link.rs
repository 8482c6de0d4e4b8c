//! Real UDP and the kernel's real TCP through the real binary. Needs root and /dev/net/tun; says so and passes without.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_ggscale-forwarder");

/// Nothing more is expected once a socket has been silent this long: far beyond any delay used here.
const QUIET: Duration = Duration::from_secs(2);

struct Side {
    namespace: String,
    address: String,
}

struct Forwarder {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    a: Side,
    b: Side,
}

/// `None` where the privilege is missing.
fn start(arguments: &[&str]) -> Option<Forwarder> {
    let mut child = Command::new(BINARY)
        .arg("run")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let input = child.stdin.take().expect("piped");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    output.read_line(&mut line).expect("readable");
    if line.is_empty() {
        let status = child.wait().expect("ended");
        let mut reason = String::new();
        child
            .stderr
            .take()
            .expect("piped")
            .read_to_string(&mut reason)
            .expect("text");
        assert_eq!(status.code(), Some(2), "{reason}");
        assert_eq!(reason.trim_end().lines().count(), 1, "{reason}");
        // Not eprintln!: that one is swallowed when a test passes.
        let _ = writeln!(std::io::stderr(), "skipped: {}", reason.trim_end());
        return None;
    }
    let namespaces = fields(&line, "netns");
    let addresses = fields(&line, "address");
    let [a, b] = [0, 1].map(|index| Side {
        namespace: namespaces[index].clone(),
        address: addresses[index].clone(),
    });
    Some(Forwarder {
        child,
        input,
        output,
        a,
        b,
    })
}

impl Forwarder {
    /// Closes standard input and returns the counters line.
    fn finish(mut self) -> String {
        drop(self.input);
        let mut line = String::new();
        self.output.read_line(&mut line).expect("readable");
        assert!(self.child.wait().expect("ended").success());
        line
    }
}

fn fields(json: &str, name: &str) -> Vec<String> {
    let marker = format!("\"{name}\":");
    json.split(&marker)
        .skip(1)
        .map(|rest| {
            rest.trim_start_matches('"')
                .chars()
                .take_while(|character| !"\",}".contains(*character))
                .collect()
        })
        .collect()
}

fn number(json: &str, name: &str, index: usize) -> u64 {
    fields(json, name)[index].parse().expect("a number")
}

/// Moves the calling thread alone; the threads of a test live in different namespaces.
fn enter(namespace: &str) {
    let file = std::fs::File::open(namespace).expect("the namespace is there");
    // SAFETY: a plain system call on a descriptor that is open.
    let result = unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) };
    assert_eq!(result, 0);
}

fn inside<T: Send + 'static>(
    namespace: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    let namespace = namespace.to_owned();
    thread::spawn(move || {
        enter(&namespace);
        work()
    })
}

/// Segments this namespace's TCP has sent again.
fn retransmitted_segments() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/net/snmp").expect("readable");
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("Tcp:"))
        .map(|line| line.split_whitespace().collect())
        .collect();
    let column = rows[0]
        .iter()
        .position(|name| *name == "RetransSegs")
        .expect("known");
    rows[1][column].parse().expect("a number")
}

/// A burst must not be lost in the receiver's buffer: only the link loses packets here.
fn with_room(socket: UdpSocket) -> UdpSocket {
    let size: libc::c_int = 4 << 20;
    // SAFETY: an int and its size, as SO_RCVBUFFORCE wants.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVBUFFORCE,
            (&raw const size).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    assert_eq!(result, 0);
    socket
}

/// Sends `count` numbered datagrams from a to b, which echoes; returns (arrived at b, numbers back at a).
fn udp_echo(forwarder: &Forwarder, count: u32) -> (u64, Vec<u32>) {
    let (port_sender, port) = mpsc::channel();
    let echo = inside(&forwarder.b.namespace, move || {
        let socket = with_room(UdpSocket::bind("0.0.0.0:0").expect("bound"));
        port_sender
            .send(socket.local_addr().expect("bound").port())
            .expect("heard");
        let mut buffer = [0; 64];
        let mut arrived = 0;
        loop {
            let (length, from) = socket.recv_from(&mut buffer).expect("received");
            if length == 1 {
                return arrived;
            }
            arrived += 1;
            socket.send_to(&buffer[..length], from).expect("sent");
        }
    });
    let target = format!("{}:{}", forwarder.b.address, port.recv().expect("ready"));
    let numbers = inside(&forwarder.a.namespace, move || {
        let socket = with_room(UdpSocket::bind("0.0.0.0:0").expect("bound"));
        socket.set_read_timeout(Some(QUIET)).expect("set");
        let mut numbers = Vec::new();
        let mut buffer = [0; 64];
        for number in 0..count {
            socket
                .send_to(&number.to_le_bytes(), &target)
                .expect("sent");
        }
        while let Ok(length) = socket.recv(&mut buffer) {
            assert_eq!(length, 4);
            numbers.push(u32::from_le_bytes(buffer[..4].try_into().expect("four")));
        }
        // The end mark may be lost too: many, one suffices.
        for _ in 0..200 {
            socket.send_to(&[0], &target).expect("sent");
        }
        numbers
    });
    let numbers = numbers.join().expect("no panic");
    (echo.join().expect("no panic"), numbers)
}

#[test]
fn udp_loses_packets_in_both_directions_and_nothing_is_invented() {
    let Some(forwarder) = start(&["--loss", "0.2", "--seed", "7"]) else {
        return;
    };
    let (arrived, numbers) = udp_echo(&forwarder, 1_000);
    let counters = forwarder.finish();
    // 1,000 × 0.8 and 1,000 × 0.64 with more than seven standard deviations of room.
    assert!((700..900).contains(&arrived), "{arrived}");
    assert!((520..760).contains(&numbers.len()), "{}", numbers.len());
    assert!(
        numbers.windows(2).all(|pair| pair[0] < pair[1]),
        "order is kept"
    );
    assert!(number(&counters, "dropped", 0) > 100, "{counters}");
    assert!(number(&counters, "dropped", 1) > 60, "{counters}");
    assert!(number(&counters, "bytes", 0) >= 1_000 * 32, "{counters}");
    assert_eq!(number(&counters, "undeliverable", 0), 0, "{counters}");
}

#[test]
fn tcp_delivers_everything_but_only_by_sending_again() {
    let Some(forwarder) = start(&["--loss", "0.05", "--delay-ms", "1"]) else {
        return;
    };
    const LENGTH: usize = 1 << 20;
    let (port_sender, port) = mpsc::channel();
    let receiver = inside(&forwarder.b.namespace, move || {
        let listener = TcpListener::bind("0.0.0.0:0").expect("bound");
        port_sender
            .send(listener.local_addr().expect("bound").port())
            .expect("heard");
        let (mut stream, _) = listener.accept().expect("accepted");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("all of it");
        bytes
    });
    let target = format!("{}:{}", forwarder.b.address, port.recv().expect("ready"));
    let sender = inside(&forwarder.a.namespace, move || {
        let mut stream = TcpStream::connect(target).expect("connected");
        let bytes: Vec<u8> = (0..LENGTH).map(|index| (index % 251) as u8).collect();
        stream.write_all(&bytes).expect("sent");
        stream.shutdown(std::net::Shutdown::Write).expect("shut");
        // Ends when the peer has everything and closes.
        let _ = stream.read(&mut [0; 1]);
        retransmitted_segments()
    });
    let bytes = receiver.join().expect("no panic");
    let retransmitted = sender.join().expect("no panic");
    let counters = forwarder.finish();
    assert_eq!(bytes.len(), LENGTH);
    assert!(bytes
        .iter()
        .enumerate()
        .all(|(index, byte)| *byte == (index % 251) as u8));
    assert!(retransmitted > 0, "{counters}");
    assert!(number(&counters, "dropped", 0) > 0, "{counters}");
}

#[test]
fn both_directions_are_delayed() {
    let Some(forwarder) = start(&["--delay-ms", "20"]) else {
        return;
    };
    let begin = Instant::now();
    let (arrived, numbers) = udp_echo(&forwarder, 1);
    // A lower bound only: a busy machine may add to it, never take away.
    assert!(begin.elapsed() >= Duration::from_millis(40));
    assert_eq!((arrived, numbers.as_slice()), (1, [0].as_slice()));
    forwarder.finish();
}

#[test]
fn packets_held_back_are_overtaken_and_none_is_lost() {
    let arguments = ["--reorder", "0.1", "--reorder-ms", "30", "--delay-ms", "5"];
    let Some(forwarder) = start(&arguments) else {
        return;
    };
    let (arrived, numbers) = udp_echo(&forwarder, 400);
    let counters = forwarder.finish();
    assert_eq!(arrived, 400, "{counters}");
    assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), 400);
    assert!(
        numbers.windows(2).any(|pair| pair[0] > pair[1]),
        "something overtook"
    );
    assert!(number(&counters, "reordered", 0) > 0, "{counters}");
}

#[test]
fn several_links_with_the_same_addresses_live_side_by_side() {
    let (Some(first), Some(second)) = (start(&[]), start(&["--loss", "1"])) else {
        return;
    };
    assert_eq!(first.a.address, second.a.address);
    assert_ne!(first.a.namespace, second.a.namespace);
    let (_, numbers) = udp_echo(&first, 10);
    assert_eq!(numbers.len(), 10);
    let counters = second.finish();
    assert_eq!(number(&counters, "packets", 0), 0, "{counters}");
    first.finish();
}

#[test]
fn a_command_entered_into_a_side_sees_that_side_only() {
    let Some(forwarder) = start(&[]) else { return };
    let output = Command::new(BINARY)
        .args([
            "enter",
            &forwarder.a.namespace,
            "--",
            "cat",
            "/proc/self/net/dev",
        ])
        .output()
        .expect("runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let devices = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        devices.contains("ggtun0:") && devices.contains("lo:"),
        "{devices}"
    );
    assert_eq!(devices.lines().count(), 2 + 2, "{devices}");
    let gone = forwarder.a.namespace.clone();
    forwarder.finish();
    let late = Command::new(BINARY)
        .args(["enter", &gone, "--", "true"])
        .output()
        .expect("runs");
    assert!(!late.status.success());
}

#[test]
fn the_link_ends_by_signal_as_it_ends_by_input() {
    let Some(mut forwarder) = start(&[]) else {
        return;
    };
    let process = forwarder.child.id() as libc::pid_t;
    // SAFETY: a signal to the child that this test started and has not waited for.
    let result = unsafe { libc::kill(process, libc::SIGTERM) };
    assert_eq!(result, 0);
    let mut line = String::new();
    forwarder.output.read_line(&mut line).expect("readable");
    assert!(line.contains("a_to_b"), "{line}");
    assert!(forwarder.child.wait().expect("ended").success());
}

#[test]
fn bad_values_are_refused_with_exit_code_two() {
    for arguments in [
        ["--loss", "1.5"],
        ["--delay-ms", "-1"],
        ["--loss", "x"],
        ["--warp", "1"],
    ] {
        let output = Command::new(BINARY)
            .arg("run")
            .args(arguments)
            .output()
            .expect("runs");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
}
