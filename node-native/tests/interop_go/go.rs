//! The peer built on go-libp2p: built once, driven line by line.

use std::{
    env::consts::EXE_SUFFIX,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Instant,
};

use crate::support::{PATIENCE, Running, Tincan, left_out::left_out};

/// What identify tells of the peer.
pub(crate) const AGENT: &str = "go-peer/1";

/// Whether it answers others' questions in Kademlia.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kademlia {
    Client,
    Server,
}

/// A running peer.
#[derive(Debug)]
pub(crate) struct Go {
    running: Running,
    pub(crate) id: String,
    /// Where it listens, with its id.
    pub(crate) address: String,
}

impl Go {
    /// `command` is the program, and in which network.
    pub(crate) fn start(mut command: Command, listen: &str, kademlia: Kademlia) -> Self {
        if kademlia == Kademlia::Server {
            command.arg("-server");
        }
        command.arg(listen);
        let mut running = Tincan::new(command).start();
        let mut after = |prefix: &str| {
            let line = running.out.next();
            line.strip_prefix(prefix).unwrap_or_else(|| panic!("{line:?} does not start with {prefix:?}")).to_owned()
        };
        let (id, address) = (after("peer id: "), after("listening: "));
        after("ready");
        Self { running, id, address }
    }

    /// One line in, one line out, whether it went well or not.
    pub(crate) fn answer(&mut self, line: &str) -> String {
        self.running.line(line);
        self.running.out.next()
    }

    /// One line in, one line out, which is no error.
    #[track_caller]
    pub(crate) fn ask(&mut self, line: &str) -> String {
        let answer = self.answer(line);
        assert!(!answer.starts_with("error: "), "{line}: {answer}");
        answer
    }

    /// Asks until the answer is this one: an announcement without an answer may still be under way.
    #[track_caller]
    pub(crate) fn ask_until(&mut self, line: &str, wanted: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            let answer = self.ask(line);
            if answer == wanted {
                return;
            }
            assert!(Instant::now() < until, "{line}: {answer}, not {wanted}");
        }
    }

    /// Dials whoever the address ends in, and is connected by that address alone.
    #[track_caller]
    pub(crate) fn dial(&mut self, address: &str) {
        let (host, id) = address.rsplit_once("/p2p/").expect("an address with an id");
        assert_eq!(self.ask(&format!("dial {address}")), format!("dialled {id}"));
        let by = without_certhash(host);
        assert_eq!(self.ask(&format!("connections {id}")), format!("1 connections: {by}"));
    }

    #[track_caller]
    pub(crate) fn ping(&mut self, id: &str) {
        assert_eq!(self.ask(&format!("ping {id}")), format!("3 pongs from {id}"));
    }

    /// Knows what this peer of ours is: agent, version and at least these protocols.
    #[track_caller]
    pub(crate) fn identifies(&mut self, id: &str, spoken: &[&str]) {
        let said = self.ask(&format!("identify {id}"));
        let (who, speaks) = said.split_once(" speaks=").expect(&said);
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(who, format!("agent=\"tincan/{version} (native)\" protocol=\"tincan/1.0.0\""));
        let speaks: Vec<_> = speaks.split(',').collect();
        for protocol in spoken {
            assert!(speaks.contains(protocol), "{protocol} is not among {speaks:?}");
        }
    }

    /// The end of its id, as terminals show it.
    pub(crate) fn short_id(&self) -> &str {
        &self.id[self.id.len() - 6..]
    }
}

/// An address as go-libp2p tells it of a connection.
fn without_certhash(address: &str) -> String {
    let Some((before, rest)) = address.split_once("/certhash/") else { return address.to_owned() };
    let after = rest.find('/').map_or("", |end| &rest[end..]);
    format!("{before}{after}")
}

/// The program; nothing where Go is not installed.
pub(crate) fn program() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    BUILT.get_or_init(build).as_deref()
}

fn build() -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/go");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("go-peer{EXE_SUFFIX}"));
    let mut go = Command::new("go");
    // Not every checkout is one that Go can ask its version control about.
    go.current_dir(source).args(["build", "-buildvcs=false", "-o"]).arg(&program).arg(".");
    match go.output() {
        Ok(built) if built.status.success() => Some(program),
        Ok(failed) => panic!("the go-libp2p peer does not build: {}", String::from_utf8_lossy(&failed.stderr)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            left_out("the go-libp2p tests, as go is not installed");
            None
        }
        Err(error) => panic!("go does not start: {error}"),
    }
}
