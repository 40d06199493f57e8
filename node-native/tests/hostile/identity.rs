//! identify: whole books of addresses, names without end, and pushes one after the other.

use libp2p::{Multiaddr, identity::Keypair};

use super::{
    dice::Dice,
    habits::{Habits, identify},
    peer::Peer,
    proto::Proto,
};

pub const PUSH: &str = "/ipfs/id/push/1.0.0";

pub async fn attack(dice: &mut Dice, hub: &Multiaddr) -> Result<(), String> {
    let peer = Peer::stranger(hub, |key| Habits::identified(message(dice, key))).await?;
    let many = dice.between(1, 60);
    let mut streams = Vec::new();
    for _ in 0..many {
        let pushed = Proto::prefixed(&message(dice, &peer.key));
        match peer.say(PUSH, &pushed).await {
            Ok(stream) => streams.push(stream),
            Err(_) => break,
        }
        if dice.one_in(3) {
            streams.clear();
        }
    }
    // Asking for the hub's own again and again is allowed, and must not cost much.
    for _ in 0..many {
        if peer.open("/ipfs/id/1.0.0").await.is_err() {
            break;
        }
    }
    peer.heard().await
}

fn message(dice: &mut Dice, key: &Keypair) -> Vec<u8> {
    let many = *dice.pick(&[0, 1, 100, 5000]);
    let name = "x".repeat(*dice.pick(&[0, 1, 3000, 1024 * 1024]));
    match dice.below(8) {
        0 => dice.bytes(2000),
        1 => identify(key, &["/meshsub/1.1.0"], "hostile", &vec![b"\x04\x7f\x00\x00\x01\x06\x10\x00".to_vec(); many]),
        2 => identify(key, &["/meshsub/1.1.0"], "hostile", &(0..many).map(|_| dice.bytes(20)).collect::<Vec<_>>()),
        3 => identify(key, &[&format!("/{name}")], "hostile", &[]),
        4 => identify(key, &["/meshsub/1.1.0"], &name, &[]),
        5 => identify(key, &vec!["/tincan/hub/1.0.0"; many.min(150)], "tincan/9.9.9 (native)\n\x1b[2J", &[]),
        // Somebody else's key.
        6 => identify(&Keypair::generate_ed25519(), &["/meshsub/1.1.0"], "hostile", &[]),
        _ => Vec::new(),
    }
}
