//! Listeners that dial each other, and dialers that come again from where they were.

#![cfg(not(target_family = "wasm"))]

mod raw;

use std::{future::poll_fn, pin::Pin, time::Duration};

use futures::future::join_all;
use libp2p::{
    Multiaddr, PeerId, Transport as _,
    core::{
        Endpoint, StreamMuxer,
        transport::{DialOpts, ListenerId, PortUse, TransportEvent},
    },
    identity::Keypair,
    multiaddr::Protocol,
};
use raw::Raw;
use tincan_webrtc::{
    Limits,
    direct::credentials::Version,
    native::{Certificate, Connection, Transport},
};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

const PATIENCE: Duration = Duration::from_secs(45);

async fn within<T>(awaited: impl Future<Output = T>) -> T {
    timeout(PATIENCE, awaited).await.expect("in time")
}

/// What a hub keeps over a restart.
#[derive(Clone)]
struct Kept {
    key: Keypair,
    certificate: Certificate,
    port: u16,
}

/// A hub on all interfaces: who arrives, and a way to have it dial. Ends when the task is aborted.
struct Hub {
    kept: Kept,
    address: Multiaddr,
    arrivals: mpsc::Receiver<(PeerId, Connection)>,
    dials: mpsc::Sender<(Multiaddr, tokio::sync::oneshot::Sender<(PeerId, Connection)>)>,
    task: JoinHandle<()>,
}

async fn hub(kept: Option<Kept>) -> Hub {
    let new = || Kept {
        key: Keypair::generate_ed25519(),
        certificate: Certificate::generate().expect("a certificate"),
        port: 0,
    };
    let mut kept = kept.unwrap_or_else(new);
    let transport = Transport::new(kept.key.clone(), kept.certificate.clone(), Limits::default());
    // No second attempt by another version may come to help.
    let mut transport = transport.dialling(Version::V2);
    let address = format!("/ip4/0.0.0.0/udp/{}/webrtc-direct", kept.port).parse().expect("an address");
    transport.listen_on(ListenerId::next(), address).expect("listens");
    let told = within(poll_fn(|cx| Pin::new(&mut transport).poll(cx))).await.into_new_address().expect("an address");
    let address: Multiaddr = told.replace(0, |_| Some(Protocol::Ip4([127, 0, 0, 1].into()))).expect("an IP address");
    let udp = |part| if let Protocol::Udp(port) = part { Some(port) } else { None };
    kept.port = address.iter().find_map(udp).expect("a port");
    let (accepted, arrivals) = mpsc::channel(64);
    let (dials, mut dialled) = mpsc::channel::<(Multiaddr, tokio::sync::oneshot::Sender<(PeerId, Connection)>)>(64);
    let task = tokio::spawn(async move {
        loop {
            tokio::select! {
                happened = poll_fn(|cx| Pin::new(&mut transport).poll(cx)) => {
                    if let TransportEvent::Incoming { upgrade, .. } = happened {
                        let accepted = accepted.clone();
                        tokio::spawn(async move {
                            if let Ok(made) = upgrade.await {
                                let _ = accepted.send(made).await;
                            }
                        });
                    }
                }
                Some((address, reply)) = dialled.recv() => {
                    let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
                    let dial = transport.dial(address, options).expect("an address of ours");
                    tokio::spawn(async move {
                        let _ = reply.send(dial.await.expect("connected"));
                    });
                }
            }
        }
    });
    Hub { kept, address, arrivals, dials, task }
}

impl Hub {
    async fn dial(&self, other: &Multiaddr) -> (PeerId, Connection) {
        let (reply, made) = tokio::sync::oneshot::channel();
        self.dials.send((other.clone(), reply)).await.expect("it runs");
        within(made).await.expect("it connects")
    }

    fn peer(&self) -> PeerId {
        self.kept.key.public().to_peer_id()
    }
}

/// Both dial at the same time, and both dials succeed.
async fn meet(one: &mut Hub, other: &mut Hub) -> Vec<Connection> {
    let dials = join_all([one.dial(&other.address), other.dial(&one.address)]).await;
    assert_eq!([dials[0].0, dials[1].0], [other.peer(), one.peer()]);
    let (at_one, at_other) = (within(one.arrivals.recv()).await, within(other.arrivals.recv()).await);
    let arrived = [at_one.expect("it runs"), at_other.expect("it runs")];
    assert_eq!([arrived[0].0, arrived[1].0], [other.peer(), one.peer()]);
    dials.into_iter().chain(arrived).map(|(_, connection)| connection).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_listeners_dial_each_other_at_once_and_again_after_one_has_restarted() {
    let (mut one, mut other) = (hub(None).await, hub(None).await);
    drop(meet(&mut one, &mut other).await);
    let kept = other.kept.clone();
    other.task.abort();
    drop(other);
    let mut other = loop {
        let port_is_free = std::net::UdpSocket::bind(("0.0.0.0", kept.port)).is_ok();
        if port_is_free {
            break hub(Some(kept)).await;
        }
        tokio::task::yield_now().await;
    };
    meet(&mut one, &mut other).await;
}

/// Its host forgot everything, or a router gave its port to another: the new connection stands while the listener still
/// holds the old one for alive.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_again_from_the_same_port_does_not_wait_for_the_end_of_what_it_had() {
    let mut hub = hub(None).await;
    let mut raw = Raw::dial(&hub.address).await;
    raw.prove().await;
    let (_, mut old) = within(hub.arrivals.recv()).await.expect("it runs");
    for _ in 0..3 {
        let port = raw.socket.local_addr().expect("bound").port();
        drop(raw);
        raw = Raw::dial_from(port, &hub.address).await;
        raw.prove().await;
        let (_, new) = within(hub.arrivals.recv()).await.expect("it runs");
        let error = within(poll_fn(|cx| Pin::new(&mut old).poll(cx))).await.expect_err("it is over");
        assert_eq!(error.to_string(), "the connection had to make room for others");
        old = new;
    }
}
