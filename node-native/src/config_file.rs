//! The file behind `--config`: the flags with underscores, and what only an operator sets.

use std::{fs, num::NonZeroU64, path::Path, path::PathBuf, time::Duration};

use libp2p::{Multiaddr, PeerId};
use serde::{Deserialize, Deserializer, de};
use tincan_shared::{IpNet, Limits};

use crate::{Error, addresses, args};

/// Settings from a file; nothing where it says nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfigFile {
    /// As `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// As `--ephemeral`.
    pub ephemeral: Option<bool>,
    /// As `--listen`.
    #[serde(deserialize_with = "listen")]
    pub listen: Option<Vec<Multiaddr>>,
    /// As `--external`.
    #[serde(deserialize_with = "external")]
    pub external: Option<Vec<Multiaddr>>,
    /// As `--bootstrap`.
    #[serde(deserialize_with = "dial")]
    pub bootstrap: Option<Vec<Multiaddr>>,
    /// As `--no-mdns`.
    pub no_mdns: Option<bool>,
    /// Seconds until a silent peer counts as gone from the local network. Defaults to 360.
    pub mdns_ttl_secs: Option<u64>,
    /// As `--floodsub`.
    pub floodsub: Option<bool>,
    /// As `--kad-protocol`.
    pub kad_protocol: Option<String>,
    /// As `--http`.
    #[serde(deserialize_with = "http")]
    pub http: Option<String>,
    /// As `--page`.
    pub page: Option<PathBuf>,
    /// As `--trusted-proxy`.
    #[serde(deserialize_with = "ranges")]
    pub trusted_proxy: Option<Vec<IpNet>>,
    /// As `--room`.
    pub room: Option<String>,
    /// As `--plain`.
    pub plain: Option<bool>,
    /// As `--nick`.
    pub nick: Option<String>,
    /// As `--raw`.
    pub raw: Option<bool>,
    /// As `--count`.
    pub count: Option<NonZeroU64>,
    /// As `--verbose`, given so many times.
    pub verbose: Option<u8>,
    /// As `--quiet`.
    pub quiet: Option<bool>,
    /// Peers and addresses that are refused: peer ids, addresses, ranges like `192.0.2.0/24`.
    #[serde(deserialize_with = "denied")]
    pub deny: Denied,
    /// Bounds that differ from the defaults.
    pub limits: LimitsTable,
}

/// Who may not connect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Denied {
    /// By peer id: told why, then closed.
    pub peers: Vec<PeerId>,
    /// By address: closed before anything is said.
    pub ranges: Vec<IpNet>,
}

impl ConfigFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Config`] with the line.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let wrong = |reason| Error::Config { path: path.to_owned(), reason };
        let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        Self::parse(&text).map_err(wrong)
    }

    /// Understands the text of a file.
    ///
    /// # Errors
    /// What is wrong, with the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| {
            let line =
                error.span().map(|span| text.as_bytes()[..span.start.min(text.len())].split(|b| *b == b'\n').count());
            let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
            format!("{place}{}", error.message())
        })
    }
}

macro_rules! limits {
    (plain: $($plain:ident: $kind:ty),*; seconds: $($seconds:ident => $field:ident),*) => {
        /// `[limits]`: every field of [`Limits`], durations in seconds.
        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct LimitsTable {
            $(
                #[doc = concat!("As [`Limits::", stringify!($plain), "`].")]
                pub $plain: Option<$kind>,
            )*
            $(
                #[doc = concat!("As [`Limits::", stringify!($field), "`].")]
                pub $seconds: Option<u64>,
            )*
        }

        impl LimitsTable {
            /// Puts what the file says over the defaults.
            pub fn apply(&self, limits: &mut Limits) {
                $(if let Some(value) = self.$plain { limits.$plain = value; })*
                $(if let Some(value) = self.$seconds { limits.$field = Duration::from_secs(value); })*
            }
        }
    };
}

limits! {
    plain: connections: u32, connections_per_peer: u32, connections_per_source: u32, peers: usize,
        pending_incoming: u32, carried_rooms: usize, carried_rooms_per_peer: usize, joined_rooms: usize, waiting_lines: usize, kept_frames: usize, kept_bytes: usize,
        kept_presences: usize, known_hubs: usize, records: usize, provided_keys: usize, circuits: usize,
        circuits_per_peer: usize, reservations: usize, circuit_bytes: u64, offences: u32, direct: usize, queries: usize;
    seconds: carry_linger_secs => carry_linger, circuit_duration_secs => circuit_duration,
        refuse_for_secs => refuse_for
}

fn listen<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<Multiaddr>>, D::Error> {
    each(from, addresses::parse_listen).map(Some)
}

fn external<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<Multiaddr>>, D::Error> {
    each(from, addresses::parse_external).map(Some)
}

fn dial<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<Multiaddr>>, D::Error> {
    each(from, addresses::parse_dial).map(Some)
}

fn ranges<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<IpNet>>, D::Error> {
    each(from, addresses::parse_range).map(Some)
}

fn http<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(from)?;
    args::parse_http(&text).map(Some).map_err(|reason| de::Error::custom(format!("{text}: {reason}")))
}

fn denied<'de, D: Deserializer<'de>>(from: D) -> Result<Denied, D::Error> {
    let mut denied = Denied::default();
    each(from, |text| {
        if let Ok(peer) = text.parse() {
            denied.peers.push(peer);
        } else if let Ok(range) = addresses::parse_range(text) {
            denied.ranges.push(range);
        } else {
            return Err("it is no peer id, address or range like 192.0.2.0/24".to_owned());
        }
        Ok(())
    })?;
    Ok(denied)
}

fn each<'de, D, T>(from: D, mut parse: impl FnMut(&str) -> Result<T, String>) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
{
    let texts = Vec::<String>::deserialize(from)?;
    texts.iter().map(|text| parse(text).map_err(|reason| de::Error::custom(format!("{text}: {reason}")))).collect()
}
