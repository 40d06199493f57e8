//! `/tincan/hub/1.0.0` by hand: false hubs, members, and watchers that read or do not.

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::{Multiaddr, PeerId, core::muxing::SubstreamBox, identity::Keypair};
use tincan_shared::room::frame;
use tokio::time::timeout;

use super::{
    gossip::{self, subscribe},
    habits::{Habits, identify},
    own::HUB,
    peer::{Halves, Peer, WAIT, read_varint},
    proto::Proto,
};
use crate::support::node::now_ms;

/// A message of a hub, as it came.
pub type Told = Vec<u8>;

/// A report of so many members, these among them.
pub fn report(room: &str, hub: &PeerId, total: u64, joined: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    report_with_foreign(room, hub, total, 0, joined)
}

/// The same, so many of whom use another program.
pub fn report_with_foreign(
    room: &str,
    hub: &PeerId,
    total: u64,
    foreign: u64,
    joined: impl IntoIterator<Item = Vec<u8>>,
) -> Vec<u8> {
    let report = Proto::default().bytes(1, room.as_bytes()).bytes(2, &hub.to_bytes()).number(3, total).all(4, joined);
    Proto::prefixed(&Proto::default().bytes(2, &report.number(6, foreign).done()).done())
}

/// A report of one member, with the presence that proves that it is one.
pub fn report_of_one(room: &str, hub: &PeerId, key: &Keypair) -> Vec<u8> {
    let body = frame::Body::Presence { nick: "somebody".to_owned(), status: "here".to_owned(), relays: vec![] };
    let time_ms = now_ms();
    let draft = frame::Draft { room, sequence: time_ms, previous: 0, time_ms, body: &body };
    let presence = frame::sign(key, &draft).expect("signed").bytes;
    let report = Proto::default().bytes(1, room.as_bytes()).bytes(2, &hub.to_bytes()).number(3, 1);
    let report = report.all(4, [key.public().to_peer_id().to_bytes()]).all(7, [presence]);
    Proto::prefixed(&Proto::default().bytes(2, &report.done()).done())
}

/// A report that this member has left, and that nobody is there any more.
pub fn report_of_nobody(room: &str, hub: &PeerId, left: &PeerId) -> Vec<u8> {
    let report = Proto::default().bytes(1, room.as_bytes()).bytes(2, &hub.to_bytes()).all(5, [left.to_bytes()]);
    Proto::prefixed(&Proto::default().bytes(2, &report.done()).done())
}

/// A hub's first word: its clock.
pub fn hello(time_ms: u64) -> Vec<u8> {
    let hello = Proto::default().number(1, time_ms).done();
    Proto::prefixed(&Proto::default().bytes(1, &hello).done())
}

/// Why a hub refuses something.
pub fn reason(code: &str, text: &str) -> Vec<u8> {
    let reason = Proto::default().bytes(1, code.as_bytes()).bytes(2, text.as_bytes());
    Proto::prefixed(&Proto::default().bytes(3, &reason.done()).done())
}

/// What identifies itself as a hub, and says this on the stream that another hub opens to it.
pub fn false_hub(key: &Keypair, says: Vec<u8>) -> Habits {
    Habits::identified(identify(key, &["/meshsub/1.1.0", HUB], "tincan/0.1.0 (native)", &[])).and(HUB, says)
}

/// A stranger in these rooms.
pub async fn member(hub: &Multiaddr, rooms: impl IntoIterator<Item = String>) -> (Peer, Halves) {
    let peer = Peer::stranger(hub, Habits::modest).await.expect("connected");
    let hello: Vec<u8> = rooms.into_iter().flat_map(|room| Proto::prefixed(&subscribe([room]))).collect();
    let stream = peer.say(gossip::PROTOCOL, &hello).await.expect("said");
    peer.heard().await.expect("heard");
    (peer, stream)
}

/// A watch of these rooms, as it is said.
pub fn watch(rooms: impl IntoIterator<Item = String>) -> Vec<u8> {
    Proto::prefixed(&Proto::default().all(1, rooms.into_iter().map(String::into_bytes)).done())
}

/// A stranger's stream to a hub.
#[derive(Debug)]
pub struct Watcher {
    pub peer: Peer,
    pub stream: SubstreamBox,
}

impl Watcher {
    pub async fn open(hub: &Multiaddr) -> Self {
        Self::of(Peer::stranger(hub, Habits::modest).await.expect("connected")).await
    }

    /// The stream of somebody who is connected already.
    pub async fn of(peer: Peer) -> Self {
        let stream = peer.open(HUB).await.expect("a hub");
        Self { peer, stream }
    }

    pub async fn say(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("taken");
        self.stream.flush().await.expect("taken");
    }

    /// The next message of the hub that contains this.
    pub async fn told(&mut self, parts: &[&[u8]]) -> Told {
        let contains = |told: &Told, part: &[u8]| told.windows(part.len()).any(|window| window == part);
        let wait = async {
            loop {
                let told = self.next().await.expect("the hub's stream stays open");
                if parts.iter().all(|part| contains(&told, part)) {
                    return told;
                }
            }
        };
        timeout(WAIT, wait).await.expect("the hub tells it in time")
    }

    async fn next(&mut self) -> std::io::Result<Told> {
        let length = read_varint(&mut self.stream).await?;
        let mut told = vec![0; length];
        self.stream.read_exact(&mut told).await?;
        Ok(told)
    }
}
