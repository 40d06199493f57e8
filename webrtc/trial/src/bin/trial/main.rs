//! `trial`: a hub to dial, or a peer that dials. See the library.

mod flood;
#[path = "../../../../tests/stranger/mod.rs"]
mod stranger;
mod transports;

use std::{net::IpAddr, process::ExitCode};

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use libp2p::{Multiaddr, identity::Keypair, multiaddr::Protocol};
use serde::Serialize;
use serde_json::json;
use tincan_trial::{Node, bulk::Direction, hub::Hub};
use tincan_webrtc::direct::address::listen_address;
use tokio::io::AsyncReadExt;

use transports::{Version, Which};

/// Everything a transport is tried with, as a hub or as a peer. Prints JSON, one line each.
#[derive(Debug, Parser)]
struct Trial {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Listens until standard input ends
    Hub {
        #[arg(long, default_value = "127.0.0.1")]
        ip: IpAddr,
        /// Whose WebRTC
        #[arg(long, value_enum, default_value_t)]
        transports: Which,
        #[arg(long, default_value_t = 0)]
        ws_port: u16,
        #[arg(long, default_value_t = 0)]
        webrtc_port: u16,
    },
    /// Asks a listener of /webrtc-direct for much and means nothing, until standard input ends
    Flood {
        address: Multiaddr,
        /// How far each stranger goes
        #[arg(long, value_enum, default_value = "mixed")]
        kind: flood::Kind,
        /// Strangers a second, each from a new source
        #[arg(long, default_value_t = 2_000)]
        rate: u64,
    },
    /// Dials a hub
    Peer {
        #[command(subcommand)]
        trial: Tried,
    },
}

#[derive(Debug, Args)]
struct Dialling {
    address: Multiaddr,
    /// Whose WebRTC
    #[arg(long, value_enum, default_value_t)]
    transports: Which,
    /// Of /webrtc-direct, by this one alone
    #[arg(long, value_enum)]
    version: Option<Version>,
}

#[derive(Debug, Subcommand)]
enum Tried {
    /// Everything once, as a new peer each time
    Join {
        #[command(flatten)]
        dialling: Dialling,
        #[arg(long, default_value_t = 1)]
        count: usize,
        #[arg(long, default_value_t = 1)]
        pings: usize,
    },
    /// So many bytes, up or down
    Bulk {
        #[command(flatten)]
        dialling: Dialling,
        direction: Direction,
        bytes: u64,
    },
    /// Many short streams over one connection
    Streams {
        #[command(flatten)]
        dialling: Dialling,
        count: usize,
        at_once: usize,
    },
    /// A stream that is not read for a while
    Unread {
        #[command(flatten)]
        dialling: Dialling,
        bytes: u64,
    },
    /// Connections that do nothing, until standard input ends; told once all stand
    Idle {
        #[command(flatten)]
        dialling: Dialling,
        count: usize,
    },
    /// Connecting and hanging up, over and over
    Cycles {
        #[command(flatten)]
        dialling: Dialling,
        count: usize,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    match run(Trial::parse().command).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all went well.
async fn run(command: Command) -> Result<bool> {
    match command {
        Command::Hub { ip, transports, ws_port, webrtc_port } => hub(ip, transports, ws_port, webrtc_port).await,
        Command::Flood { address, kind, rate } => {
            println!("{}", serde_json::to_string(&flood::flood(&address, kind, rate, input_ends()).await?)?);
            Ok(true)
        }
        Command::Peer { trial } => tried(trial).await,
    }
}

async fn hub(ip: IpAddr, which: Which, ws_port: u16, webrtc_port: u16) -> Result<bool> {
    let keypair = Keypair::generate_ed25519();
    let mut hub = Hub::new(&keypair, transports::build(&keypair, which, None)?)?;
    let ws = hub.listen(Multiaddr::from(ip).with(Protocol::Tcp(ws_port)).with(Protocol::Ws("/".into()))).await?;
    let webrtc = hub.listen(listen_address(ip, webrtc_port)).await?;
    println!("{}", json!({ "peer": keypair.public().to_peer_id().to_string(), "ws": ws, "webrtc": webrtc }));
    tokio::select! {
        () = hub.serve() => {}
        () = input_ends() => {}
    }
    hub.close().await;
    Ok(true)
}

async fn input_ends() {
    let mut stdin = tokio::io::stdin();
    while matches!(stdin.read(&mut [0; 64]).await, Ok(1..)) {}
}

async fn idle(dialling: &Dialling, count: usize) -> Result<bool> {
    let (stand, mut standing) = tokio::sync::mpsc::channel(1);
    let mut lost = tokio::task::JoinSet::new();
    for _ in 0..count {
        let (mut node, stand, address) = (peer(dialling)?, stand.clone(), dialling.address.clone());
        lost.spawn(async move {
            let connected = || {
                // Each is waited for before the next begins.
                let _ = stand.try_send(());
            };
            node.watch(&address, connected).await
        });
        // One after the other: handshakes are not what is looked at.
        tokio::select! {
            _ = standing.recv() => {}
            Some(lost) = lost.join_next() => {
                lost??;
                anyhow::bail!("a connection did not last");
            }
        }
    }
    println!("{}", json!({ "connections": count }));
    input_ends().await;
    Ok(true)
}

async fn tried(trial: Tried) -> Result<bool> {
    match trial {
        Tried::Join { dialling, count, pings } => {
            let mut all = true;
            for _ in 0..count {
                all &= tell(peer(&dialling)?.join(&dialling.address, pings).await)?;
            }
            Ok(all)
        }
        Tried::Bulk { dialling, direction, bytes } => {
            tell(peer(&dialling)?.bulk(&dialling.address, direction, bytes).await)
        }
        Tried::Streams { dialling, count, at_once } => {
            tell(peer(&dialling)?.streams(&dialling.address, count, at_once).await)
        }
        Tried::Unread { dialling, bytes } => tell(peer(&dialling)?.unread(&dialling.address, bytes).await),
        Tried::Idle { dialling, count } => idle(&dialling, count).await,
        Tried::Cycles { dialling, count } => {
            let done = peer(&dialling)?.cycles(&dialling.address, count).await;
            tell(done.map(|count| json!({ "cycles": count })))
        }
    }
}

fn peer(dialling: &Dialling) -> Result<Node> {
    let keypair = Keypair::generate_ed25519();
    let transport = transports::build(&keypair, dialling.transports, dialling.version)?;
    Node::new(&keypair, transport, tincan_trial::node::Role::Peer).context("no node")
}

/// Prints how one trial went; says whether it went well.
fn tell(outcome: Result<impl Serialize, tincan_trial::Error>) -> Result<bool> {
    match &outcome {
        Ok(done) => println!("{}", serde_json::to_string(done)?),
        Err(error) => println!("{}", json!({ "error": error.to_string() })),
    }
    Ok(outcome.is_ok())
}
