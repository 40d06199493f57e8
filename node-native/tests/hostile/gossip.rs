//! gossipsub: RPCs of every wrong kind, and frames that do not hold.

use libp2p::{Multiaddr, identity::Keypair};

use super::{
    dice::Dice,
    frames,
    habits::Habits,
    peer::Peer,
    proto::{Proto, varint},
    talk::ROOM,
};

pub const PROTOCOL: &str = "/meshsub/1.1.0";
/// Bytes of one RPC that a hub takes.
const RPC: usize = 60_000;
/// What there is in [`rpcs`].
const KINDS: usize = 16;
/// RPCs of one flood.
const FLOOD: usize = 30;

pub async fn attack(dice: &mut Dice, hub: &Multiaddr) -> Result<(), String> {
    let peer = Peer::stranger(hub, Habits::modest).await?;
    let hello = subscribe([ROOM.to_owned()]);
    let mut said = vec![hello];
    let kind = dice.below(KINDS);
    said.extend(rpcs(kind, dice, &peer.key));
    let bytes: Vec<u8> = said.iter().flat_map(|rpc| Proto::prefixed(rpc)).collect();
    let told = |error| format!("kind {kind}: {error}");
    let _stream = peer.say(PROTOCOL, &bytes).await.map_err(told)?;
    peer.heard().await.map_err(told)
}

fn rpcs(kind: usize, dice: &mut Dice, key: &Keypair) -> Vec<Vec<u8>> {
    let many = dice.between(1, FLOOD);
    let ids =
        |dice: &mut Dice, size: usize| -> Vec<Vec<u8>> { (0..RPC / (size + 4)).map(|_| dice.bytes(size)).collect() };
    match kind {
        0 => (0..many).map(|_| dice.bytes(2000)).collect(),
        1 => vec![dice.garble(&subscribe((0..200).map(|n| format!("room {n}"))))],
        // Longer than an RPC may be.
        2 => vec![vec![0; 200_000]],
        3 => (0..many).map(|n| subscribe((0..1500).map(|m| format!("flood {n} {m}")))).collect(),
        4 => (0..many).map(|_| subscribe([String::from_utf8_lossy(&dice.bytes(15_000)).into_owned()])).collect(),
        5 => (0..many).map(|n| subscription(&format!("in and out {n}"), n % 2 == 0)).collect(),
        6 => {
            let size = *dice.pick(&[1, 40, 20_000]);
            (0..many).map(|_| control(1, &Proto::default().bytes(1, ROOM.as_bytes()).all(2, ids(dice, size)))).collect()
        }
        7 => (0..many).map(|_| control(2, &Proto::default().all(1, ids(dice, 40)))).collect(),
        8 => (0..many).map(|_| control(5, &Proto::default().all(1, ids(dice, 30)))).collect(),
        9 => (0..many * 20).map(|n| control(3, &Proto::default().bytes(1, format!("graft {n}").as_bytes()))).collect(),
        10 => {
            let peer = Proto::default().bytes(1, &dice.bytes(38)).bytes(2, &dice.bytes(500)).done();
            let backoff = *dice.pick(&[0, 1, 1 << 40, u64::MAX]);
            let prune = Proto::default().bytes(1, ROOM.as_bytes()).all(2, vec![peer; 50]).number(3, backoff);
            vec![control(4, &prune); many]
        }
        11 => (0..many).map(|_| unsigned(dice, key)).collect(),
        12 => {
            let good = message(key, dice.number(), ROOM, b"a line").done();
            vec![dice.garble(&publish(&good)); many]
        }
        13 => vec![publish(&message(key, 1, &"elsewhere".repeat(dice.between(1, 500)), b"a line").done()); many],
        // Within what gossip bears, above what a line may be.
        14 => (0..many).map(|n| publish(&message(key, n as u64, ROOM, &vec![b'x'; RPC]).done())).collect(),
        _ => frames::harmless(dice, key).iter().enumerate().map(|(n, frame)| said(key, n, frame)).collect(),
    }
}

/// A whole RPC with one message, signed as gossip wants it.
pub fn said(key: &Keypair, number: usize, payload: &[u8]) -> Vec<u8> {
    publish(&message(key, number as u64, ROOM, payload).done())
}

/// `publish` of an RPC.
fn publish(message: &[u8]) -> Vec<u8> {
    Proto::default().bytes(2, message).done()
}

fn message(key: &Keypair, number: u64, topic: &str, data: &[u8]) -> Proto {
    let unsigned = Proto::default()
        .bytes(1, &key.public().to_peer_id().to_bytes())
        .bytes(2, data)
        .bytes(3, &number.to_be_bytes())
        .bytes(4, topic.as_bytes());
    let covered = [b"libp2p-pubsub:".to_vec(), unsigned.clone().done()].concat();
    unsigned.bytes(5, &key.sign(&covered).expect("a key that signs"))
}

/// A message that strict gossip must not take.
fn unsigned(dice: &mut Dice, key: &Keypair) -> Vec<u8> {
    let from = key.public().to_peer_id().to_bytes();
    let bare = Proto::default().bytes(4, ROOM.as_bytes()).bytes(2, b"a line");
    publish(&match dice.below(4) {
        0 => bare.done(),
        1 => bare.bytes(1, &from).done(),
        2 => bare.bytes(1, &from).bytes(3, &dice.bytes(3)).bytes(5, &dice.bytes(64)).done(),
        _ => bare.bytes(1, &dice.bytes(50)).bytes(3, &dice.bytes(8)).bytes(5, &dice.bytes(64)).done(),
    })
}

pub fn subscribe(topics: impl IntoIterator<Item = String>) -> Vec<u8> {
    topics.into_iter().flat_map(|topic| subscription(&topic, true)).collect()
}

pub fn subscription(topic: &str, on: bool) -> Vec<u8> {
    Proto::default().bytes(1, &Proto::default().number(1, on.into()).bytes(2, topic.as_bytes()).done()).done()
}

pub fn control(field: u64, message: &Proto) -> Vec<u8> {
    Proto::default().bytes(3, &Proto::default().bytes(field, &message.clone().done()).done()).done()
}

/// A length that nothing follows.
pub fn announced(length: u64) -> Vec<u8> {
    varint(length)
}
