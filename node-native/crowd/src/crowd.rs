//! Peers of Tincan: whole nodes in this process, each with a key and a connection of its own, that keep nothing.

use std::{
    ops::Range,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use futures::future::join_all;
use libp2p::{Multiaddr, Transport as _, core::muxing::StreamMuxerBox, identity::Keypair, swarm::dummy};
use tincan_node::{certificate, transport};
use tincan_shared::{Config, Event, Events, Message, MessageState, NoStorage, Node, Platform, Said, Saved};
use tincan_webrtc::native::Certificate;
use tokio::{task::JoinHandle, time::timeout};

use crate::{ROOM, board::Board, tap::Tapped, uploads::Uploads};

/// How long the nodes of a crowd may take to end.
const FAREWELL: Duration = Duration::from_secs(20);

/// They are in the room, and not connected before [`Crowd::join`].
#[derive(Debug)]
pub(crate) struct Crowd {
    members: Vec<Member>,
    pub(crate) uploads: Arc<Uploads>,
}

#[derive(Debug)]
struct Member {
    node: Node,
    listener: JoinHandle<()>,
}

/// When the first dialled, and when the last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialled {
    pub(crate) first: Instant,
    pub(crate) last: Instant,
}

impl Crowd {
    /// So many, with these numbers on the board.
    pub(crate) async fn gather(numbers: Range<usize>, board: &Arc<Board>) -> Result<Self> {
        let uploads = Arc::new(Uploads::default());
        let certificate = certificate::generate()?;
        let mut members = Vec::new();
        for number in numbers {
            let (node, events) = node(number, &certificate, &uploads)?;
            node.join(ROOM, false).await?;
            let listener = tokio::spawn(listen(number, node.clone(), events, board.clone()));
            members.push(Member { node, listener });
        }
        Ok(Self { members, uploads })
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    /// All dial the hub, at equal distances over this time, and stay connected from then on.
    pub(crate) async fn join(&self, hub: &Multiaddr, over: Duration) -> Result<Dialled> {
        let first = Instant::now();
        let mut dials = Vec::new();
        for (n, member) in self.members.iter().enumerate() {
            let due = first + over.mul_f64(n as f64 / self.members.len() as f64);
            tokio::time::sleep_until(due.into()).await;
            let (node, hub) = (member.node.clone(), hub.clone());
            dials.push(tokio::spawn(async move { node.stay_connected(vec![hub]).await }));
        }
        let last = Instant::now();
        for dial in dials {
            dial.await.context("a peer cannot dial")??;
        }
        Ok(Dialled { first, last })
    }

    /// One of them says a line. False where it waits, since nobody is there.
    pub(crate) async fn say(&self, author: usize, text: String) -> Result<bool> {
        let said = self.members[author].node.say(ROOM, text).await.context("a peer cannot say a line")?;
        Ok(matches!(said, Said::Sent { .. }))
    }

    /// All end.
    pub(crate) async fn leave(self) {
        let ended = join_all(self.members.iter().map(|member| member.node.shutdown()));
        // Who has not ended by then is of no further interest.
        let _ = timeout(FAREWELL, ended).await;
        for member in &self.members {
            member.listener.abort();
        }
    }
}

fn node(number: usize, certificate: &Certificate, uploads: &Arc<Uploads>) -> Result<(Node, Events)> {
    let keypair = Keypair::generate_ed25519();
    let uploads = uploads.clone();
    let transport = transport::build(&keypair, certificate)?
        .map(move |(peer, muxer), _| (peer, StreamMuxerBox::new(Tapped::new(muxer, uploads))))
        .boxed();
    let platform = Platform {
        transport,
        keypair,
        direct: None,
        behaviour: dummy::Behaviour,
        saved: Saved::new(),
        storage: Box::new(NoStorage),
        now_ms,
    };
    let config = Config { nick: Some(format!("peer {number}")), ..Config::page() };
    Node::spawn(config, platform).context("no node")
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Writes down what a node tells.
async fn listen(number: usize, node: Node, mut events: Events, board: Arc<Board>) {
    loop {
        match events.next().await {
            Event::Room(info) if info.room == ROOM => board.total(number, info.total),
            Event::Status(status) => board.let_in(number, status.hub),
            Event::Message(message) if is_of_others(&message) => board.heard(number, &message.text),
            Event::Lagged { .. } => reread(number, &node, &board).await,
            Event::Stopped => return,
            _ => {}
        }
    }
}

async fn reread(number: usize, node: &Node, board: &Board) {
    // Fails only when the node has ended.
    let (Ok(status), Ok(rooms), Ok(messages)) = (node.status().await, node.rooms().await, node.messages(ROOM).await)
    else {
        return;
    };
    let total = rooms.iter().find(|info| info.room == ROOM).map_or(0, |info| info.total);
    let texts = messages.iter().filter(|message| is_of_others(message)).map(|message| message.text.as_str());
    board.reread(number, total, status.hub, texts);
}

fn is_of_others(message: &Message) -> bool {
    message.state == MessageState::Received
}
