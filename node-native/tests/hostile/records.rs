//! Kademlia: keys, records, providers and answers beyond all bounds.

use libp2p::{Multiaddr, PeerId, identity::Keypair};

use super::{
    dice::Dice,
    habits::{Habits, identify},
    peer::Peer,
    proto::Proto,
};

pub const PROTOCOL: &str = "/tincan/kad/1.0.0";
/// Bytes of one packet that a hub takes.
const PACKET: usize = 16 * 1024;
/// Requests of one flood; a connection may have 32 streams at once.
const FLOOD: usize = 40;

const PUT: u64 = 0;
const ADD_PROVIDER: u64 = 2;

pub async fn attack(dice: &mut Dice, hub: &Multiaddr) -> Result<(), String> {
    let peer = Peer::stranger(hub, |key| habits(dice, key)).await?;
    let many = dice.between(1, FLOOD);
    let mut streams = Vec::new();
    for _ in 0..many {
        let bytes = request(dice, &peer.id);
        // A hub that closes streams in the middle is right.
        match peer.say(PROTOCOL, &bytes).await {
            Ok(stream) => streams.push(stream),
            Err(_) => break,
        }
    }
    peer.heard().await
}

/// Answers of its own, since a hub also asks those who say that they speak Kademlia.
fn habits(dice: &mut Dice, key: &Keypair) -> Habits {
    let addresses: Vec<Vec<u8>> = (0..40).map(|_| address(dice)).collect();
    let answer = Proto::default().number(1, 4).all(8, (0..30).map(|_| closer(dice))).done();
    let identity = identify(key, &["/meshsub/1.1.0", PROTOCOL], "hostile/1.0.0", &addresses);
    Habits::identified(identity).and(PROTOCOL, Proto::prefixed(&answer))
}

fn request(dice: &mut Dice, me: &PeerId) -> Vec<u8> {
    let long = *dice.pick(&[0, 1, 257, 4000, PACKET]);
    let key = dice.bytes(long);
    let kind = dice.below(9) as u64;
    let message = match dice.below(10) {
        0 => dice.bytes(1000),
        1 => Proto::default().number(1, kind).bytes(2, &key).done(),
        2 => put(&key, b"value", 60),
        3 => {
            let size = *dice.pick(&[0, 8192, 8193, 12_000, PACKET]);
            put(&dice.bytes(32), &dice.bytes(size), 60)
        }
        4 => put(&dice.bytes(256), b"value", *dice.pick(&[0, 1, u64::from(u32::MAX), u64::MAX])),
        // In the name of somebody else.
        5 => {
            let key = dice.bytes(40);
            let record = Proto::default().bytes(1, &key).bytes(2, b"lie").bytes(666, &PeerId::random().to_bytes());
            Proto::default().number(1, PUT).bytes(2, &key).bytes(3, &record.done()).done()
        }
        6 => {
            let provider = *dice.pick(&[*me, PeerId::random()]);
            provide(&dice.bytes(200), &provider, (0..dice.below(300)).map(|_| address(dice)).collect())
        }
        7 => Proto::default().number(1, kind).bytes(2, &key).all(8, (0..60).map(|_| closer(dice))).done(),
        8 => Proto::default().number(1, u64::MAX).bytes(2, &key).number(10, u64::MAX).done(),
        _ => Vec::new(),
    };
    match dice.below(6) {
        // A length without its message, or another's.
        0 => Proto::prefixed(&message)[..1].to_vec(),
        1 => [&[0xff; 8], message.as_slice()].concat(),
        _ => Proto::prefixed(&message),
    }
}

fn put(key: &[u8], value: &[u8], ttl: u64) -> Vec<u8> {
    let record = Proto::default().bytes(1, key).bytes(2, value).number(777, ttl);
    Proto::default().number(1, PUT).bytes(2, key).bytes(3, &record.done()).done()
}

/// A word that somebody provides a key, with these addresses.
pub fn provide(key: &[u8], provider: &PeerId, addresses: Vec<Vec<u8>>) -> Vec<u8> {
    let peer = Proto::default().bytes(1, &provider.to_bytes()).all(2, addresses).number(3, 1);
    Proto::default().number(1, ADD_PROVIDER).bytes(2, key).bytes(9, &peer.done()).done()
}

fn closer(dice: &mut Dice) -> Vec<u8> {
    let id = match dice.below(3) {
        0 => dice.bytes(38),
        _ => PeerId::random().to_bytes(),
    };
    Proto::default().bytes(1, &id).all(2, (0..8).map(|_| address(dice))).number(3, dice.number()).done()
}

/// One that leads nowhere: nobody listens there.
fn address(dice: &mut Dice) -> Vec<u8> {
    if dice.one_in(10) {
        return dice.bytes(30);
    }
    let [a, b] = [dice.below(255), dice.between(1, 1023)];
    let text = format!("/ip4/127.77.{a}.1/tcp/{b}");
    text.parse::<Multiaddr>().expect("an address").to_vec()
}
