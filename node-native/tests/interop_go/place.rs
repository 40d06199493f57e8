//! Where both sides run: on this machine's loopback, or on two hosts with a cable between them.

use std::{collections::BTreeSet, process::Command};

use crate::{
    Transport,
    go::{self, Go, Kademlia},
    support::{
        Hub, Running, Tincan,
        network::{ADDRESSES, Network},
        tincan, tincan_in,
    },
    webrtc,
};

const LOOPBACK: &str = "127.0.0.1";

/// Ours on the one side, go-libp2p on the other.
#[derive(Debug)]
pub(crate) struct Place {
    /// Nothing means loopback.
    cable: Option<Network>,
}

impl Place {
    /// Where go-libp2p dials us; nothing where it cannot.
    pub(crate) fn to_be_dialled_by_go(over: Transport) -> Option<Self> {
        go::program()?;
        match over {
            Transport::WebRtcDirect => Some(Self { cable: Some(webrtc::network_of_single_addresses()?) }),
            _ => Some(Self { cable: None }),
        }
    }

    /// Where we dial go-libp2p; nothing where that is not installed.
    pub(crate) fn to_dial_go() -> Option<Self> {
        go::program().map(|_| Self { cable: None })
    }

    /// Our address.
    pub(crate) fn ours(&self) -> &'static str {
        if self.cable.is_some() { ADDRESSES[0] } else { LOOPBACK }
    }

    /// Ours, to be started.
    pub(crate) fn tincan(&self, arguments: &str) -> Tincan {
        match &self.cable {
            Some(network) => tincan_in(&network.hosts[0], arguments).arguments("--no-mdns"),
            None => tincan(arguments),
        }
    }

    /// A hub that listens on this transport, and on TCP for our own, and tells in its log what happens.
    pub(crate) fn hub(&self, over: Transport) -> Hub {
        let mut arguments = "serve --ephemeral -v --http 127.0.0.1:0".to_owned();
        for transport in BTreeSet::from([Transport::Tcp, over]) {
            arguments += " --listen ";
            arguments += &transport.listen(self.ours());
        }
        Hub::of(self.tincan(&arguments))
    }

    /// A peer that listens on this transport.
    pub(crate) fn go(&self, over: Transport, kademlia: Kademlia) -> Go {
        let program = go::program().expect("without it there is no place");
        let (command, ip) = match &self.cable {
            Some(network) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", &network.hosts[1]]).arg(program);
                (command, ADDRESSES[1])
            }
            None => (Command::new(program), LOOPBACK),
        };
        Go::start(command, &over.listen(ip), kademlia)
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
