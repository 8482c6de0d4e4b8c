//! The bench at a size that proves it still runs: shapes, and counts that add up. Nothing about time.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Write};
use std::net::UdpSocket;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(120);

/// One process of the bench; killed with the value.
struct Process {
    child: Child,
    words: ChildStdin,
    lines: BufReader<ChildStdout>,
}

impl Process {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ggscale-bench"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let words = child.stdin.take().expect("piped");
        let lines = BufReader::new(child.stdout.take().expect("piped"));
        Self {
            child,
            words,
            lines,
        }
    }

    fn say(&mut self, word: &str) {
        writeln!(self.words, "{word}").expect("it listens");
    }

    fn read(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
    }

    fn ask(&mut self, word: &str) -> Value {
        self.say(word);
        self.read()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn number(value: &Value, name: &str) -> u64 {
    value[name]
        .as_u64()
        .unwrap_or_else(|| panic!("{name} in {value}"))
}

/// Marks until the load has got `count` echoes in all; so no test waits for a time.
fn until_delivered(load: &mut Process, count: u64) -> (u64, u64) {
    let (mut offered, mut delivered) = (0, 0);
    while delivered < count {
        let mark = load.ask("mark");
        offered += number(&mark, "offered");
        delivered += number(&mark, "delivered");
        std::thread::yield_now();
    }
    (offered, delivered)
}

struct Counts {
    offered: u64,
    delivered: u64,
    server: Value,
}

fn echo(server: &[&str], load: &[&str], is_netcode: bool) -> Counts {
    let mut server = Process::start(server);
    let address = server.read()["ready"].as_str().expect("address").to_owned();
    let protocol = if is_netcode { "netcode" } else { "plain" };
    let mut arguments = vec!["load", "--sleep", "--server", &address, "--wire", protocol];
    arguments.extend(load);
    let mut load = Process::start(&arguments);
    assert_eq!(load.read()["ready"], true);
    server.say("run");
    if is_netcode {
        let connected = load.ask("connect");
        assert_eq!(number(&connected, "closed"), 0);
    }
    load.say("run");
    let (mut offered, mut delivered) = until_delivered(&mut load, 500);
    // A rest: the server serves what is there, and its clock stands still.
    let last = load.ask("pause");
    assert_eq!(last["paused"], true);
    offered += number(&last, "offered");
    delivered += number(&last, "delivered");
    assert_eq!(server.ask("pause")["paused"], true);
    server.say("run");
    load.say("run");
    until_delivered(&mut load, 100);
    assert_eq!(number(&load.ask("pause"), "refused"), 0);
    assert_eq!(server.ask("pause")["paused"], true);
    Counts {
        offered,
        delivered,
        server: server.ask("mark"),
    }
}

#[test]
fn the_floor_echoes_a_closed_loop() {
    let counts = echo(&["floor"], &["--flows", "20"], false);
    assert!(counts.delivered <= counts.offered);
    assert!(number(&counts.server, "echoed") >= counts.delivered);
    assert!(number(&counts.server, "cpuNs") > 0);
    assert!(counts.server["syscallNs"]["buckets"].is_array());
}

#[test]
fn an_answer_with_less_in_it_than_was_asked_for_is_no_echo() {
    let server = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = server.local_addr().expect("bound").to_string();
    for (wire, cut) in [("plain", 1), ("json-dgram", 0)] {
        let load = ["load", "--sleep", "--server", &address, "--wire", wire];
        let mut load = Process::start(&[&load[..], &["--flows", "1"]].concat());
        assert_eq!(load.read()["ready"], true);
        load.say("run");
        let mut asked = [0; 1500];
        for _ in 0..2 {
            // After the first one it gives up waiting, and asks again.
            let (length, peer) = server.recv_from(&mut asked).expect("a message");
            let text = String::from_utf8_lossy(&asked[..length]);
            let (head, _) = text.split_once('[').unwrap_or_default();
            let answer = match cut {
                0 => format!("{head}[]}}}}").into_bytes(),
                cut => asked[..length - cut].to_vec(),
            };
            server.send_to(&answer, peer).expect("sent");
        }
        let (mut strange, mut delivered) = (0, 0);
        while strange < 2 {
            let mark = load.ask("mark");
            strange = number(&mark, "strange");
            delivered += number(&mark, "delivered");
        }
        assert_eq!(delivered, 0, "{wire}");
    }
}

#[test]
fn the_measured_server_opens_and_seals_every_packet_with_each_driver() {
    for driver in ["immediate", "auto", "tick", "threads"] {
        let server = ["server", "--driver", driver];
        let counts = echo(&server, &["--flows", "30", "--hz", "200"], true);
        let mark = &counts.server;
        let counter = |name: &str| mark["counters"][name].as_u64().unwrap_or(0);
        assert_eq!(number(mark, "opened"), 30, "{driver}");
        assert_eq!(number(mark, "closed"), 0, "{driver}");
        assert!(number(mark, "echoed") >= counts.delivered, "{driver}");
        assert_eq!(counter("payloads-in"), number(mark, "echoed"), "{driver}");
        assert_eq!(counter("payloads-out"), number(mark, "echoed"), "{driver}");
        let drops: u64 = mark["drops"]
            .as_object()
            .expect("by reason")
            .values()
            .filter_map(Value::as_u64)
            .sum();
        let seen = counter("payloads-in") + counter("consumed") + drops - counter("rx-overflow");
        assert_eq!(counter("datagrams-in"), seen, "{driver}");
    }
}

#[test]
fn many_flows_share_few_sockets() {
    let server = ["server", "--max-flows", "2100"];
    let load = ["--flows", "2100", "--hz", "1", "--connect-rate", "100000"];
    let counts = echo(&server, &load, true);
    assert_eq!(number(&counts.server, "opened"), 2100);
}

#[test]
fn a_flood_is_refused_by_reason_while_flows_go_on() {
    let mut server = Process::start(&["server"]);
    let address = server.read()["ready"].as_str().expect("address").to_owned();
    let to = ["--server", &address, "--wire", "netcode"];
    let load = [
        "load", "--sleep", "--flows", "5", "--hz", "50", "--forge", "500",
    ];
    let mut load = Process::start(&[&load[..], &to].concat());
    let newcomers = ["load", "--sleep", "--flows", "2", "--first-flow", "5000"];
    let mut newcomers = Process::start(&[&newcomers[..], &to].concat());
    let mut flood = Process::start(&["flood", "--server", &address, "--rate", "5000"]);
    for process in [&mut load, &mut newcomers, &mut flood] {
        assert_eq!(process.read()["ready"], true);
    }
    server.say("run");
    assert_eq!(number(&load.ask("connect"), "connected"), 5);
    load.say("run");
    flood.say("run");
    assert_eq!(number(&newcomers.ask("connect"), "connected"), 2);
    let reasons = [
        "token-open-failed",
        "token-other-address",
        "token-expired",
        "request-version",
        "request-length",
        "unknown-address",
        "open-failed",
    ];
    let begun = Instant::now();
    loop {
        let drops = server.ask("mark")["drops"].clone();
        // It would wait for ever, and say nothing of what is missing.
        assert!(begun.elapsed() < PATIENCE, "not every reason: {drops}");
        if reasons
            .iter()
            .all(|reason| drops[reason].as_u64() > Some(0))
        {
            break;
        }
    }
    let told = flood.ask("pause");
    let by_kind = told["byKind"].as_object().expect("by kind").values();
    let sum: u64 = by_kind.filter_map(Value::as_u64).sum();
    assert_eq!(sum, number(&told, "sent"));
    until_delivered(&mut load, 20);
}
