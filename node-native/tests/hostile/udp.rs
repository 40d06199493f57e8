//! Datagrams: at QUIC's socket, at the one of WebRTC, and in the middle of handshakes that began well.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use libp2p::{Multiaddr, multiaddr::Protocol};
use tokio::{net::UdpSocket, time::timeout};

use super::{dice::Dice, habits::Habits, peer::Peer};

/// The largest datagram there is.
const MAX_DATAGRAM: usize = 65_507;
/// Datagrams of one flood.
const FLOOD: usize = 200;
/// How long an answer is listened for: what comes is thrown away, and most often nothing does.
const LISTEN: Duration = Duration::from_millis(50);
/// How long a handshake may go on that somebody disturbs; the hub gives it up after 10 s or 20 s.
const DISTURBED: Duration = Duration::from_secs(5);

/// Datagrams without a connection, made by `datagram`.
pub async fn flood(dice: &mut Dice, hub: SocketAddr, datagram: impl Fn(&mut Dice) -> Vec<u8>) -> Result<(), String> {
    let socket = bind().await?;
    let many = *dice.pick(&[1, 5, FLOOD]);
    let mut answer = vec![0; MAX_DATAGRAM];
    for _ in 0..many {
        let mut bytes = datagram(dice);
        bytes.truncate(MAX_DATAGRAM);
        // Full buffers are the network's business.
        let _ = socket.send_to(&bytes, hub).await;
    }
    while timeout(LISTEN, socket.recv_from(&mut answer)).await.is_ok_and(|got| got.is_ok()) {}
    Ok(())
}

/// An honest dial whose datagrams somebody changes or swallows from one of them on.
pub async fn disturb(dice: &mut Dice, hub: &Multiaddr) -> Result<(), String> {
    let (target, middle) = (socket(hub), bind().await?);
    let port = middle.local_addr().map_err(|error| error.to_string())?.port();
    let through: Multiaddr =
        hub.iter().map(|part| if matches!(part, Protocol::Udp(_)) { Protocol::Udp(port) } else { part }).collect();
    let outer = bind().await?;
    let from = dice.below(12);
    let how = dice.below(5);
    let mut dice = Dice::of_case(dice.number(), 0);
    let relay = async {
        let (mut client, mut count) = (None, 0);
        let (mut up, mut down) = (vec![0; MAX_DATAGRAM], vec![0; MAX_DATAGRAM]);
        loop {
            tokio::select! {
                Ok((length, sender)) = middle.recv_from(&mut up) => {
                    client = Some(sender);
                    count += 1;
                    for datagram in changed(&mut dice, &up[..length], if count > from { Some(how) } else { None }) {
                        let _ = outer.send_to(&datagram, target).await;
                    }
                }
                Ok((length, _)) = outer.recv_from(&mut down), if client.is_some() => {
                    let _ = middle.send_to(&down[..length], client.expect("it spoke first")).await;
                }
            }
        }
    };
    let dial = timeout(DISTURBED, async {
        if let Ok(peer) = Peer::stranger(&through, Habits::modest).await {
            let _ = peer.heard().await;
        }
    });
    tokio::select! {
        _ = dial => Ok(()),
        () = relay => unreachable!("it runs for ever"),
    }
}

/// What becomes of a datagram: nothing, another one, or several.
fn changed(dice: &mut Dice, datagram: &[u8], how: Option<usize>) -> Vec<Vec<u8>> {
    match how {
        None => vec![datagram.to_vec()],
        Some(0) => Vec::new(),
        Some(1) => vec![dice.garble(datagram)],
        Some(2) => vec![dice.cut(datagram)],
        Some(3) => vec![datagram.to_vec(); 20],
        Some(_) => vec![dice.garble(datagram), dice.bytes(datagram.len()), datagram.to_vec()],
    }
}

/// Where a listener's socket is.
pub fn socket(address: &Multiaddr) -> SocketAddr {
    let mut parts = address.iter();
    match (parts.next(), parts.next()) {
        (Some(Protocol::Ip4(ip)), Some(Protocol::Tcp(port) | Protocol::Udp(port))) => (ip, port).into(),
        _ => panic!("{address} has no socket"),
    }
}

async fn bind() -> Result<UdpSocket, String> {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(|error| error.to_string())
}
