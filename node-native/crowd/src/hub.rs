//! The hub that is measured: the binary `tincan` in a process of its own, with its data in a folder of its own.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};
use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use tempfile::TempDir;

/// Below those that systems give to whoever dials: none is taken while the hub is away.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
/// Ports that are tried until one is free.
const TRIES: usize = 200;

/// By which transport peers dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Transport {
    /// Plain TCP.
    Tcp,
    /// WebSocket, as pages do.
    Ws,
}

/// A running hub, on ports that stay its own; killed when dropped.
#[derive(Debug)]
pub struct Hub {
    binary: PathBuf,
    folder: TempDir,
    ports: Ports,
    child: Child,
    addresses: Vec<Multiaddr>,
}

/// Where it listens.
#[derive(Debug, Clone, Copy)]
struct Ports {
    tcp: u16,
    ws: u16,
    page: u16,
}

impl Hub {
    /// Starts it; returns once it listens. Blocks meanwhile.
    ///
    /// # Errors
    /// It does not start, or does not say where it listens.
    pub fn start(binary: &Path) -> Result<Self> {
        let folder = tempfile::tempdir().context("no folder for the hub")?;
        let ports = Ports { tcp: free_port()?, ws: free_port()?, page: free_port()? };
        let (child, addresses) = run(binary, folder.path(), ports)?;
        Ok(Self { binary: binary.to_owned(), folder, ports, child, addresses })
    }

    /// Kills it without a farewell.
    ///
    /// # Errors
    /// It is not there.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill().context("cannot kill the hub")?;
        self.child.wait().context("the hub does not end").map(drop)
    }

    /// Starts it again after [`Self::kill`], on the same ports and with what it has stored. Blocks until it listens.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_again(&mut self) -> Result<()> {
        (self.child, self.addresses) = run(&self.binary, self.folder.path(), self.ports)?;
        Ok(())
    }

    /// Where it is dialled by this transport, with its id.
    ///
    /// # Errors
    /// It does not listen there.
    pub fn address(&self, transport: Transport) -> Result<Multiaddr> {
        let is_ws = |address: &Multiaddr| address.iter().any(|part| matches!(part, Protocol::Ws(_)));
        let wanted = |address: &&Multiaddr| is_ws(address) == (transport == Transport::Ws);
        self.addresses.iter().find(wanted).cloned().with_context(|| format!("the hub has no address of {transport:?}"))
    }

    /// Its peer id.
    ///
    /// # Errors
    /// No address of it names any.
    pub fn peer_id(&self) -> Result<PeerId> {
        let mut parts = self.addresses.iter().flatten();
        let named = parts.find_map(|part| if let Protocol::P2p(peer) = part { Some(peer) } else { None });
        named.context("the hub's addresses name no peer")
    }

    /// Its process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(binary: &Path, folder: &Path, ports: Ports) -> Result<(Child, Vec<Multiaddr>)> {
    let Ports { tcp, ws, page } = ports;
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TINCAN_")) {
        command.env_remove(name);
    }
    command.args(["serve", "--no-mdns", "--data-dir"]).arg(folder).env("HOME", folder);
    command.args(["--http", &format!("127.0.0.1:{page}")]);
    command.args([
        "--listen",
        &format!("/ip4/127.0.0.1/tcp/{tcp}"),
        "--listen",
        &format!("/ip4/127.0.0.1/tcp/{ws}/ws"),
    ]);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    // Its log is of interest only to who asks for it.
    command.stderr(if std::env::var_os("RUST_LOG").is_some() { Stdio::inherit() } else { Stdio::null() });
    let mut child = command.spawn().with_context(|| format!("cannot start {}", binary.display()))?;
    let mut said = BufReader::new(child.stdout.take().context("the hub has no output")?);
    let (mut addresses, mut line) = (Vec::new(), String::new());
    while said.read_line(&mut line)? > 0 {
        if let Some(listening) = line.trim_end().strip_prefix("listening: ") {
            addresses.push(listening.parse().with_context(|| format!("{listening} is no address"))?);
        } else if line.starts_with("page: ") {
            // It stays open: a hub that cannot print ends.
            child.stdout = Some(said.into_inner());
            return Ok((child, addresses));
        }
        line.clear();
    }
    let _ = child.kill();
    let status = child.wait()?;
    bail!("{} does not say where it listens, and ended with {status}; see RUST_LOG=info", binary.display());
}

fn free_port() -> Result<u16> {
    let tries = (0..TRIES).map(|_| rand::random_range(PORTS));
    let mut free = tries.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.next().context("no free port on 127.0.0.1")
}
