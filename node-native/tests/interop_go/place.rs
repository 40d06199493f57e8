//! Both sides on this machine's loopback.

use std::{collections::BTreeSet, process::Command};

use crate::{
    Transport,
    go::{self, Go, Kademlia},
    support::{Hub, Running, Tincan, tincan},
};

pub(crate) const LOOPBACK: &str = "127.0.0.1";

/// Ours on the one side, go-libp2p on the other.
#[derive(Debug)]
pub(crate) struct Place {
    go: &'static std::path::Path,
}

impl Place {
    /// Nothing where go-libp2p is not installed.
    pub(crate) fn found() -> Option<Self> {
        go::program().map(|go| Self { go })
    }

    /// A hub that listens on this transport, and on TCP for our own, and tells in its log what happens.
    pub(crate) fn hub(&self, over: Transport) -> Hub {
        let mut arguments = "serve --ephemeral -v --http 127.0.0.1:0".to_owned();
        for transport in BTreeSet::from([Transport::Tcp, over]) {
            arguments += " --listen ";
            arguments += &transport.listen(LOOPBACK);
        }
        Hub::of(tincan(&arguments))
    }

    /// A peer that listens on this transport.
    pub(crate) fn go(&self, over: Transport, kademlia: Kademlia) -> Go {
        Go::start(Command::new(self.go), &over.listen(LOOPBACK), kademlia)
    }
}

/// Ours, running under a key that is known.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) running: Running,
    pub(crate) id: String,
    _dir: tempfile::TempDir,
}

impl Known {
    pub(crate) fn start(ours: Tincan) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let id = tincan("id").path("--data-dir", dir.path()).run(b"").out.concat();
        let running = ours.path("--data-dir", dir.path()).start();
        Self { running, id, _dir: dir }
    }
}
