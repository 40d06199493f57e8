//! Tincan's own protocols: hub streams and syncs.

use futures::future::join_all;
use libp2p::{Multiaddr, PeerId, identity::Keypair};

use super::{
    dice::Dice,
    frames,
    gossip::{self, subscribe},
    habits::{Habits, identify},
    peer::Peer,
    proto::{Proto, varint},
    talk::ROOM,
};

pub const HUB: &str = "/tincan/hub/1.0.0";
pub const SYNC: &str = "/tincan/sync/1.0.0";
/// Messages of one flood.
const FLOOD: usize = 60;

pub async fn attack(dice: &mut Dice, hub: &Multiaddr) -> Result<(), String> {
    let hub_too = dice.one_in(3);
    let habits = |key: &Keypair| if hub_too { pretends_to_be_a_hub(dice, key) } else { Habits::modest(key) };
    let peer = Peer::stranger(hub, habits).await?;
    let _gossip = peer.say(gossip::PROTOCOL, &Proto::prefixed(&subscribe([ROOM.to_owned()]))).await?;
    let protocol = *dice.pick(&[HUB, SYNC, SYNC]);
    let many = dice.between(1, FLOOD);
    let said: Vec<Vec<u8>> =
        (0..many).map(|_| if protocol == HUB { watch(dice) } else { question(dice, &peer) }).collect();
    // All at once: the hub lets them wait for each other, and gives them up in time.
    let _streams = join_all(said.iter().map(|bytes| peer.say(protocol, bytes))).await;
    peer.heard().await
}

/// Tells the hub, on the stream that it opens, what hubs tell.
fn pretends_to_be_a_hub(dice: &mut Dice, key: &Keypair) -> Habits {
    let room = |dice: &mut Dice| "r".repeat(*dice.pick(&[0, 1, 64, 65, 30_000]));
    let says: Vec<u8> = (0..dice.between(1, 200))
        .flat_map(|n| {
            let hub = if n % 2 == 0 { dice.bytes(38) } else { PeerId::random().to_bytes() };
            let message = match dice.below(5) {
                0 => Proto::default().bytes(1, &Proto::default().number(1, dice.number()).done()),
                1 => Proto::default().bytes(3, &Proto::default().bytes(2, &vec![b'!'; 5000]).done()),
                2 => Proto::default().bytes(2, &dice.bytes(100)),
                _ => {
                    let listed = vec![PeerId::random().to_bytes(); 200];
                    let report = Proto::default().bytes(1, room(dice).as_bytes()).bytes(2, &hub);
                    Proto::default().bytes(2, &report.number(3, dice.number()).all(4, listed).done())
                }
            };
            Proto::prefixed(&message.done())
        })
        .collect();
    Habits::identified(identify(key, &["/meshsub/1.1.0", HUB], "tincan/0.1.0 (native)", &[])).and(HUB, says)
}

fn watch(dice: &mut Dice) -> Vec<u8> {
    let rooms = |count: usize, size: usize| (0..count).map(move |n| format!("{n:0size$}").into_bytes());
    match dice.below(7) {
        0 => dice.bytes(1000),
        1 => Proto::prefixed(&Proto::default().all(1, rooms(5000, 1)).done()),
        2 => Proto::prefixed(&Proto::default().all(1, rooms(2, 30_000)).done()),
        3 => Proto::prefixed(&Proto::default().bytes(1, b"\xff\xfe").number(2, u64::MAX).done()),
        4 => varint(u64::MAX),
        // Above the bound of one message.
        5 => Proto::prefixed(&vec![0; 70_000]),
        _ => Proto::prefixed(&Proto::default().bytes(1, ROOM.as_bytes()).done()).repeat(300),
    }
}

fn question(dice: &mut Dice, peer: &Peer) -> Vec<u8> {
    let about = |fields: Proto| {
        Proto::prefixed(
            &Proto::default().bytes(1, ROOM.as_bytes()).done().into_iter().chain(fields.done()).collect::<Vec<_>>(),
        )
    };
    match dice.below(9) {
        0 => dice.bytes(1000),
        1 => about(Proto::default()),
        2 => about(Proto::default().all(2, (0..5000).map(|_| dice.bytes(8)))),
        3 => about(Proto::default().all(2, (0..100).map(|_| dice.bytes(3000)))),
        // Given unasked.
        4 => about(Proto::default().all(3, (0..40).map(|n| frames::malicious(dice, &peer.key, n)))),
        5 => about(Proto::default().all(3, frames::harmless(dice, &peer.key))),
        6 => varint(1 << 40),
        7 => Proto::prefixed(&vec![0; 100_000]),
        // Half a question.
        _ => [varint(2 * 1024 * 1024), vec![0; 50_000]].concat(),
    }
}
