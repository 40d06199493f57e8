//! A running node of this host, and its orderly end.

use std::{path::PathBuf, time::Duration};

use libp2p::{Multiaddr, identity::Keypair};
use tincan_shared::{Config, Events, NoStorage, Node, Platform, Role, Saved, Storage};
use tincan_webrtc::native::Certificate;

use crate::{
    Error, addresses, certificate,
    datadir::{self, LockedDir},
    host::Host,
    interfaces, keyfile, output,
    settings::Settings,
    storage, transport,
};

/// Until a node that was asked to end is left to itself; the whole end may take 5 s.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(3);
/// Until what is unwritten is given up.
const WRITE_TIMEOUT: Duration = Duration::from_millis(1500);

/// What a person does about it who named nobody on a machine without a network.
const ALONE: &str = "this machine has no network, so nobody can be found on it; give the address of a peer or hub, like \
                     /ip4/192.0.2.1/tcp/4747 (of one on this machine: /ip4/127.0.0.1/tcp/4747)";

/// A running node with what it holds on disk.
#[derive(Debug)]
pub struct Session {
    /// The node.
    pub node: Node,
    /// What it says, from its start on.
    pub events: Events,
    /// Where it was told to listen.
    pub listen: Vec<Multiaddr>,
    /// Whether it starts anew the next time.
    pub ephemeral: bool,
    writer: Option<storage::Writer>,
    _data_dir: Option<LockedDir>,
}

/// Who this run is, and what it remembers.
struct Identity {
    key: Keypair,
    certificate: Certificate,
    storage: Box<dyn Storage>,
    saved: Saved,
    writer: Option<storage::Writer>,
    data_dir: Option<LockedDir>,
}

impl Session {
    /// Starts a node with these settings. Must run inside the runtime.
    ///
    /// # Errors
    /// Whatever stands in the way, in words.
    pub fn start(settings: &Settings, config: Config) -> Result<Self, Error> {
        let mut config = settings.apply(config);
        config.validate()?;
        let ipv6 = addresses::has_ipv6();
        config.listen = interfaces::without_watcher(listen(settings, config.role, ipv6));
        addresses::check_free(&config.listen)?;
        let identity = identity(settings, config.role)?;
        let (listen, role) = (config.listen.clone(), config.role);
        let certificate = identity.certificate.fingerprint().multihash();
        config.external =
            config.external.iter().map(|address| addresses::with_certhash(address, certificate)).collect();
        let platform = Platform {
            transport: transport::build(&identity.key, &identity.certificate)?,
            direct: None,
            behaviour: Host::new(settings, identity.key.public().to_peer_id()),
            keypair: identity.key,
            saved: identity.saved,
            storage: identity.storage,
            now_ms,
        };
        let (node, events) = Node::spawn(config, platform)?;
        if !ipv6 && settings.listen.is_none() {
            tracing::info!("this host has no IPv6: listening on IPv4 only");
        }
        if settings.mdns
            && settings.bootstrap.is_empty()
            && role == Role::Peer
            && !settings.quiet
            && interfaces::is_alone()
        {
            output::note(ALONE);
        }
        let ephemeral = identity.data_dir.is_none();
        Ok(Self { node, events, listen, ephemeral, writer: identity.writer, _data_dir: identity.data_dir })
    }

    /// Ends the node: connections are closed, what is unwritten is written. Bounded in time. Says whether everything that
    /// is to be kept is on the disk.
    pub async fn end(self) -> bool {
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, self.node.shutdown()).await.is_err() {
            tracing::warn!("the node did not end in time; leaving it");
        }
        let Some(writer) = self.writer else { return true };
        let written = tokio::task::spawn_blocking(move || writer.finish(WRITE_TIMEOUT)).await.unwrap_or(false);
        if !written {
            tracing::error!("the disk did not take everything in time; the last changes are not stored");
        }
        written
    }
}

fn listen(settings: &Settings, role: Role, ipv6: bool) -> Vec<Multiaddr> {
    if let Some(named) = &settings.listen {
        return named.clone();
    }
    match role {
        Role::Hub => addresses::hub_defaults(ipv6),
        Role::Peer => addresses::peer_defaults(ipv6),
    }
}

fn identity(settings: &Settings, role: Role) -> Result<Identity, Error> {
    if settings.ephemeral {
        return ephemeral();
    }
    let dir = datadir::path(settings)?;
    match LockedDir::lock(&dir)? {
        Some(data_dir) => kept(data_dir),
        None if role == Role::Hub || settings.data_dir.is_some() => Err(Error::DataDirTaken { dir }),
        None => {
            output::note("another node runs here: this one uses a key of its own and keeps nothing");
            ephemeral()
        }
    }
}

fn kept(data_dir: LockedDir) -> Result<Identity, Error> {
    let key = keyfile::load_or_create(&data_dir.file(keyfile::NAME))?;
    let certificate = certificate::load_or_create(&data_dir.file(certificate::NAME))?;
    let (storage, writer, saved) = storage::open(&data_dir.file(storage::NAME))?;
    Ok(Identity { key, certificate, storage: Box::new(storage), saved, writer: Some(writer), data_dir: Some(data_dir) })
}

fn ephemeral() -> Result<Identity, Error> {
    Ok(Identity {
        key: Keypair::generate_ed25519(),
        certificate: certificate::generate()?,
        storage: Box::new(NoStorage),
        saved: Saved::new(),
        writer: None,
        data_dir: None,
    })
}

/// The file `tincan id` reads, which needs no lock: a key never changes.
///
/// # Errors
/// [`Error::NoHome`], [`Error::File`].
pub fn key_path(settings: &Settings) -> Result<PathBuf, Error> {
    let dir = datadir::path(settings)?;
    datadir::create(&dir)?;
    Ok(dir.join(keyfile::NAME))
}

fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
