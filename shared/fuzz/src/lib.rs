//! Fuzz targets: each takes any bytes, and panics only when a promise is broken.
//!
//! `cargo test -p tincan-fuzz` throws mutated examples at each for a few seconds; `cargo xtask fuzz` lets libFuzzer
//! search, guided by what the bytes make the code do.

use libp2p::Multiaddr;
use tincan_node::{addresses, config_file::ConfigFile};
pub use tincan_shared::fuzz::{frame, hub, repl, room, sync};

mod stream;

/// A target: its name, what it does with bytes, and bytes that make sense to it.
pub struct Target {
    /// As on the command line.
    pub name: &'static str,
    /// Panics when a promise is broken.
    pub run: fn(&[u8]),
    /// Where mutation starts from.
    pub examples: fn() -> Vec<Vec<u8>>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "frame", run: frame::run, examples: frame::examples },
    Target { name: "room", run: room::run, examples: room::examples },
    Target { name: "sync", run: sync::run, examples: sync::examples },
    Target { name: "hub", run: hub::run, examples: hub::examples },
    Target { name: "stream", run: stream::run, examples: stream::examples },
    Target { name: "repl", run: repl::run, examples: repl::examples },
    Target { name: "multiaddr", run: multiaddr, examples: multiaddrs },
    Target { name: "config", run: config, examples: configs },
];

/// What people type where an address belongs, and what peers announce.
fn multiaddr(bytes: &[u8]) {
    if let Ok(announced) = Multiaddr::try_from(bytes.to_vec()) {
        looked_at(&announced);
    }
    let text = String::from_utf8_lossy(bytes);
    for parse in [addresses::parse_dial, addresses::parse_listen, addresses::parse_external] {
        match parse(&text) {
            Ok(address) => {
                looked_at(&address);
                let again: Multiaddr = address.to_string().parse().expect("what was read is written as it is read");
                assert_eq!(again, address);
            }
            Err(reason) => assert!(!reason.is_empty()),
        }
    }
}

fn looked_at(address: &Multiaddr) {
    let _ = addresses::is_dialable(address);
    if let Some(point) = addresses::Point::of(address) {
        assert!(point.covers(&point));
    }
    tincan_shared::fuzz::address(address);
}

fn multiaddrs() -> Vec<Vec<u8>> {
    let id = "12D3KooWRawPbxPtP1eZaJpumGnyWX2DcUyd3RQnydr3eAto4Az7";
    let texts = [
        format!("/ip4/127.0.0.1/tcp/4747/p2p/{id}"),
        format!("/ip6/::1/udp/4747/quic-v1/p2p/{id}"),
        format!("/dns4/hub.example.org/tcp/443/tls/ws/p2p/{id}"),
        format!("/ip4/192.0.2.1/tcp/1/p2p/{id}/p2p-circuit/p2p/{id}"),
        "/ip4/0.0.0.0/udp/4748/webrtc-direct".to_owned(),
        "/ip4/1.2.3.4/udp/1/webrtc-direct/certhash/uEiDDq4_xNyDorZBH3TlGazyJdOWSwvo4PUo5YHFMrvDE8g".to_owned(),
    ];
    let binary = texts.iter().filter_map(|text| text.parse::<Multiaddr>().ok()).map(|address| address.to_vec());
    binary.chain(texts.iter().map(|text| text.clone().into_bytes())).collect()
}

fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(reason) = ConfigFile::parse(&text) {
        assert!(!reason.trim().is_empty(), "an error without a reason");
    }
}

fn configs() -> Vec<Vec<u8>> {
    [
        "http = \"0.0.0.0:8747\"\nexternal = [\"/ip4/203.0.113.7/tcp/4748/ws\"]\ndeny = [\"203.0.113.0/24\"]\n",
        "[limits]\ncarried_rooms = 512\ncircuit_duration_secs = 9\n",
        "listen = [\"/ip4/127.0.0.1/tcp/1\"]\nno_mdns = true\nmdns_ttl_secs = 5\nroom = \"den\"\nnick = \"ann\"\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
