//! Runs the real binary, reads its lines against a deadline, and ends it whatever happens.
#![allow(dead_code, unreachable_pub, reason = "each test file is a program of its own and uses its part")]

pub mod disk;
pub mod flood;
pub mod forbid;
pub mod http;
pub mod left_out;
#[cfg(target_os = "linux")]
pub mod names;
pub mod network;
pub mod node;
pub mod old;
pub mod pinger;
#[cfg(target_os = "linux")]
pub mod pty;
pub mod stock;

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

/// Long enough for a busy machine; nothing waits for it unless something is wrong.
pub const PATIENCE: Duration = Duration::from_secs(45);

/// Says what whoever reads the output must see: the harness hides what `eprintln!` says in a test that passes.
pub fn notice(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A command line of the binary, or of another program beside it, in a home of its own.
#[derive(Debug)]
pub struct Tincan {
    command: Command,
    _home: tempfile::TempDir,
}

/// `tincan` with these arguments, separated by spaces, and `--no-mdns`.
pub fn tincan(arguments: &str) -> Tincan {
    Tincan::new(Command::new(env!("CARGO_BIN_EXE_tincan"))).arguments(arguments).arguments("--no-mdns")
}

/// `tincan` inside a network namespace, where it may look for peers.
pub fn tincan_in(namespace: &str, arguments: &str) -> Tincan {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace, env!("CARGO_BIN_EXE_tincan")]);
    Tincan::new(command).arguments(arguments)
}

impl Tincan {
    pub fn new(mut command: Command) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TINCAN_")) {
            command.env_remove(name);
        }
        command.env("HOME", home.path()).env_remove("XDG_DATA_HOME").env_remove("RUST_LOG");
        Self { command, _home: home }
    }

    pub fn arguments(mut self, arguments: &str) -> Self {
        self.command.args(arguments.split_whitespace());
        self
    }

    pub fn path(mut self, flag: &str, path: &Path) -> Self {
        self.command.arg(flag).arg(path);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn start(mut self) -> Running {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the binary starts");
        let out = Lines::read("out", child.stdout.take().expect("piped"));
        let err = Lines::read("err", child.stderr.take().expect("piped"));
        let stdin = child.stdin.take();
        Running { child, stdin, out, err, _home: self._home }
    }

    /// Starts it on a terminal of its own.
    #[cfg(target_os = "linux")]
    pub fn on_terminal(self) -> pty::OnTerminal {
        pty::OnTerminal::start(self.command, self._home)
    }

    /// Runs to the end with this input.
    pub fn run(self, input: &[u8]) -> Ended {
        let mut running = self.start();
        running.write(input);
        running.end_input();
        running.wait()
    }
}

/// Lines of one stream, as they come.
#[derive(Debug)]
pub struct Lines {
    name: &'static str,
    coming: Receiver<String>,
    /// All that were read.
    pub seen: Vec<String>,
}

impl Lines {
    fn read(name: &'static str, stream: impl Read + Send + 'static) -> Self {
        let (sender, coming) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { name, coming, seen: Vec::new() }
    }

    /// The next line that fits; those before it are skipped.
    #[track_caller]
    pub fn expect(&mut self, what: &str, fits: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.coming.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if fits(&line) {
                        return line;
                    }
                }
                Err(error) => panic!("std{}: no {what} ({error}); it said {:#?}", self.name, self.seen),
            }
        }
    }

    #[track_caller]
    pub fn next(&mut self) -> String {
        self.expect("line", |_| true)
    }

    #[track_caller]
    pub fn containing(&mut self, part: &str) -> String {
        self.expect(part, |line| line.contains(part))
    }

    fn rest(&mut self) -> Vec<String> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.coming.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Disconnected) => return std::mem::take(&mut self.seen),
                Err(RecvTimeoutError::Timeout) => panic!("std{} stays open; it said {:#?}", self.name, self.seen),
            }
        }
    }
}

/// A running binary; killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    pub out: Lines,
    pub err: Lines,
    _home: tempfile::TempDir,
}

impl Running {
    pub fn write(&mut self, input: &[u8]) {
        // Who refuses its command line does not read; the test sees that in the exit status.
        let _ = self.stdin.as_mut().expect("input is open").write_all(input);
    }

    pub fn line(&mut self, line: &str) {
        self.write(format!("{line}\n").as_bytes());
    }

    pub fn end_input(&mut self) {
        self.stdin = None;
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().expect("kill runs");
        assert!(sent.success(), "kill -s {name} {id}");
    }

    /// Waits for the end, then reads what is left.
    #[track_caller]
    pub fn wait(mut self) -> Ended {
        let status = self.wait_at_most(PATIENCE);
        Ended { status, out: self.out.rest(), err: self.err.rest() }
    }

    #[track_caller]
    pub fn wait_at_most(&mut self, at_most: Duration) -> ExitStatus {
        let until = Instant::now() + at_most;
        loop {
            if let Some(status) = self.child.try_wait().expect("the child is ours") {
                return status;
            }
            assert!(Instant::now() < until, "still running after {at_most:?}; it said {:#?}", self.err.seen);
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a binary left behind.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub out: Vec<String>,
    pub err: Vec<String>,
}

impl Ended {
    #[track_caller]
    pub fn assert_status(&self, status: i32) {
        assert_eq!(self.status.code(), Some(status), "{self:#?}");
        assert!(!self.err.iter().any(|line| line.contains("panicked")), "{self:#?}");
    }

    /// The one line that says what went wrong.
    #[track_caller]
    pub fn error(&self, status: i32) -> &str {
        self.assert_status(status);
        let errors: Vec<_> = self.err.iter().filter(|line| line.starts_with("error: ")).collect();
        assert!(errors.len() == 1 && errors[0].contains("; "), "{self:#?}");
        errors[0]
    }
}

/// A hub on ports of its own.
#[derive(Debug)]
pub struct Hub {
    pub running: Running,
    pub id: String,
    /// With `/p2p/<id>`.
    pub addresses: Vec<String>,
    /// `127.0.0.1:port` of its page.
    pub http: String,
}

pub const HUB_FLAGS: &str = "serve --http 127.0.0.1:0 --listen /ip4/127.0.0.1/tcp/0 --listen /ip4/127.0.0.1/tcp/0/ws \
     --listen /ip4/127.0.0.1/udp/0/quic-v1 --listen /ip4/127.0.0.1/udp/0/webrtc-direct";

impl Hub {
    /// Keeps nothing.
    pub fn start() -> Self {
        Self::of(tincan(HUB_FLAGS).arguments("--ephemeral"))
    }

    /// Keeps its data here.
    pub fn start_in(dir: &Path) -> Self {
        Self::of(tincan(HUB_FLAGS).path("--data-dir", dir))
    }

    pub fn of(tincan: Tincan) -> Self {
        Self::read(tincan.start())
    }

    /// One that was started.
    pub fn read(mut running: Running) -> Self {
        let after = |line: String, prefix: &str| {
            line.strip_prefix(prefix).unwrap_or_else(|| panic!("{line:?} does not start with {prefix:?}")).to_owned()
        };
        let id = after(running.out.next(), "peer id: ");
        let mut addresses = Vec::new();
        let page = loop {
            let line = running.out.next();
            match line.strip_prefix("listening: ") {
                Some(address) => addresses.push(address.to_owned()),
                None => break after(line, "page: "),
            }
        };
        let http = page.trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self { running, id, addresses, http }
    }

    /// The address that has this in it and nothing behind it but certificate and id.
    #[track_caller]
    pub fn address(&self, transport: &str) -> &str {
        let fits = |address: &&String| match transport {
            "tcp" => address.contains("/tcp/") && !address.contains("/ws"),
            other => address.contains(&format!("/{other}/")),
        };
        self.addresses.iter().find(fits).unwrap_or_else(|| panic!("no {transport} in {:#?}", self.addresses))
    }
}

/// An address without the id at its end.
pub fn without_id(address: &str) -> &str {
    address.rsplit_once("/p2p/").expect("it has an id").0
}
