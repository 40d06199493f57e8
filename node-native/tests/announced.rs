//! What a hub tells of addresses: its private ones, and those of others, to their own network only.
#![cfg(target_os = "linux")]

mod support;

use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, Swarm, Transport,
    core::upgrade::Version,
    identify,
    identity::Keypair,
    kad,
    multiaddr::Protocol,
    noise, relay,
    swarm::{self, NetworkBehaviour, SwarmEvent},
    tcp, yamux,
};
use support::{
    HUB_FLAGS, Hub, PATIENCE,
    http::request,
    network::{self, ADDRESSES, Network, PUBLIC_ADDRESSES},
    tincan, tincan_in,
};

/// A peer of another program that writes down which addresses it is told.
#[derive(NetworkBehaviour)]
struct Protocols {
    identify: identify::Behaviour,
    kad: kad::Behaviour<kad::store::MemoryStore>,
    relay: relay::client::Behaviour,
}

struct Listener(Swarm<Protocols>);

impl Listener {
    fn new() -> Self {
        let key = Keypair::generate_ed25519();
        let id = key.public().to_peer_id();
        let (relayed, relay) = relay::client::new(id);
        let transport = relayed
            .or_transport(tcp::tokio::Transport::default())
            .upgrade(Version::V1Lazy)
            .authenticate(noise::Config::new(&key).expect("a key that signs"))
            .multiplex(yamux::Config::default())
            .boxed();
        let name = swarm::StreamProtocol::new("/tincan/kad/1.0.0");
        let kad = kad::Behaviour::with_config(id, kad::store::MemoryStore::new(id), kad::Config::new(name));
        let identify = identify::Behaviour::new(identify::Config::new("/stock/1.0.0".into(), key.public()));
        let config = swarm::Config::with_tokio_executor().with_idle_connection_timeout(PATIENCE);
        Self(Swarm::new(transport, Protocols { identify, kad, relay }, id, config))
    }

    async fn until<T>(&mut self, mut wanted: impl FnMut(SwarmEvent<ProtocolsEvent>) -> Option<T>) -> T {
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Some(found) = wanted(self.0.select_next_some().await) {
                    return found;
                }
            }
        });
        found.await.expect("the event in time")
    }

    /// What the hub says of itself by identify.
    async fn identified(&mut self, hub: &Multiaddr) -> Vec<Multiaddr> {
        self.0.dial(hub.clone()).expect("a dial");
        let told = self.until(|event| match event {
            SwarmEvent::Behaviour(ProtocolsEvent::Identify(identify::Event::Received { info, .. })) => {
                Some(info.listen_addrs)
            }
            _ => None,
        });
        told.await
    }

    /// Where somebody is by what the hub says in Kademlia; nothing when it names nobody who can be asked.
    async fn found(&mut self, hub: &Multiaddr, wanted: PeerId) -> Option<Vec<Multiaddr>> {
        let Some(Protocol::P2p(id)) = hub.iter().last() else { panic!("{hub} has no id") };
        self.0.behaviour_mut().kad.add_address(&id, hub.clone());
        self.0.behaviour_mut().kad.get_closest_peers(wanted);
        let peers = self.until(|event| match event {
            SwarmEvent::Behaviour(ProtocolsEvent::Kad(kad::Event::OutboundQueryProgressed {
                result: kad::QueryResult::GetClosestPeers(Ok(found)),
                ..
            })) => Some(found.peers),
            _ => None,
        });
        peers.await.into_iter().find(|peer| peer.peer_id == wanted).map(|peer| peer.addrs)
    }

    /// Where the hub says that it relays.
    async fn reserved(&mut self, hub: &Multiaddr) -> Vec<Multiaddr> {
        self.0.listen_on(hub.clone().with(Protocol::P2pCircuit)).expect("a listener");
        let mut told = Vec::new();
        self.until(|event| match event {
            SwarmEvent::NewListenAddr { address, .. } => {
                told.push(address);
                None
            }
            SwarmEvent::Behaviour(ProtocolsEvent::Relay(relay::client::Event::ReservationReqAccepted { .. })) => {
                Some(())
            }
            _ => None,
        })
        .await;
        // Its addresses follow it.
        while told.is_empty() {
            if let SwarmEvent::NewListenAddr { address, .. } = self.0.select_next_some().await {
                told.push(address);
            }
        }
        while let Some(Some(event)) = futures::FutureExt::now_or_never(self.0.next()) {
            if let SwarmEvent::NewListenAddr { address, .. } = event {
                told.push(address);
            }
        }
        told
    }
}

fn at(told: &[Multiaddr], host: &str) -> usize {
    told.iter().filter(|address| address.to_string().starts_with(&format!("/ip4/{host}"))).count()
}

#[test]
fn what_is_private_is_told_in_its_network_and_what_is_public_to_strangers() {
    const NAME: &str = "what_is_private_is_told_in_its_network_and_what_is_public_to_strangers";
    if let Some(told) = network::told() {
        let (public, private) = told.split_once(' ').expect("two addresses");
        return inside(&public.parse().expect("an address"), &private.parse().expect("an address"));
    }
    let Some(network) = Network::new("what is told to strangers") else { return };
    network.with_public_addresses();
    let flags = "serve --ephemeral --no-mdns --http 0.0.0.0:8747 --listen /ip4/0.0.0.0/tcp/4747";
    let hub = Hub::of(tincan_in(&network.hosts[0], flags));
    let at = |ip: &str| format!("/ip4/{ip}/tcp/4747/p2p/{}", hub.id);
    network.run_inside(NAME, &format!("{} {}", at(PUBLIC_ADDRESSES[0]), at(ADDRESSES[0])));
}

#[tokio::main]
async fn inside(public: &Multiaddr, private: &Multiaddr) {
    // Somebody else in the private network, whom the hub knows by a private address.
    let listen = format!("/ip4/{}/tcp/0", ADDRESSES[1]);
    let data = tempfile::tempdir().expect("a folder");
    let id = tincan("id").path("--data-dir", data.path()).run(b"").out.remove(0);
    let mut neighbour = tincan(&format!("kv --listen {listen} {private}")).path("--data-dir", data.path()).start();
    neighbour.err.containing("online");
    let id: PeerId = id.parse().expect("an id");

    let mut near = Listener::new();
    let told = near.identified(private).await;
    let all = (at(&told, "127."), at(&told, ADDRESSES[0]), at(&told, PUBLIC_ADDRESSES[0]));
    assert_eq!(all, (0, 1, 1), "{told:?}");
    let known = async {
        loop {
            // Until the hub has heard of the neighbour what it is to tell.
            if let Some(told) = near.found(private, id).await {
                return told;
            }
        }
    };
    let told = tokio::time::timeout(PATIENCE, known).await.expect("the hub knows the neighbour");
    assert_eq!(at(&told, ADDRESSES[1]), 1, "{told:?}");

    let mut stranger = Listener::new();
    let told = stranger.identified(public).await;
    assert_eq!((at(&told, "127."), at(&told, "10."), at(&told, PUBLIC_ADDRESSES[0])), (0, 0, 1), "{told:?}");
    // This stranger could reach the neighbour, if it were told where.
    assert_eq!(stranger.found(public, id).await, None);
    // Nor is it believed that it is there itself, or on the hub's own machine.
    let mut liar = Listener::new();
    let liar_id = *liar.0.local_peer_id();
    for host in [ADDRESSES[1], "127.0.0.1"] {
        liar.0.add_external_address(format!("/ip4/{host}/tcp/2222").parse().expect("an address"));
    }
    // Else it is found to be nowhere.
    liar.0.listen_on(format!("/ip4/{}/tcp/0", PUBLIC_ADDRESSES[1]).parse().expect("an address")).expect("a listener");
    liar.until(|event| matches!(event, SwarmEvent::NewListenAddr { .. }).then_some(())).await;
    liar.0.behaviour_mut().kad.set_mode(Some(kad::Mode::Server));
    liar.identified(public).await;
    let lies = tokio::spawn(async move {
        loop {
            liar.0.select_next_some().await;
        }
    });
    let known = async {
        loop {
            if let Some(told) = near.found(private, liar_id).await {
                return told;
            }
        }
    };
    let told = tokio::time::timeout(PATIENCE, known).await.expect("the hub knows the liar");
    lies.abort();
    assert_eq!((at(&told, "127."), at(&told, "10."), at(&told, PUBLIC_ADDRESSES[1])), (0, 0, 1), "{told:?}");
    let told = stranger.reserved(public).await;
    assert_eq!((at(&told, "10."), at(&told, PUBLIC_ADDRESSES[0])), (0, 1), "{told:?}");

    let told = near.reserved(private).await;
    assert_eq!((at(&told, ADDRESSES[0]), at(&told, PUBLIC_ADDRESSES[0])), (1, 1), "{told:?}");

    api(ADDRESSES[0], PUBLIC_ADDRESSES[0]);
}

/// The same of the API, which any website may ask by a browser in the hub's network.
fn api(private: &str, public: &str) {
    let ask = |host: &str, headers: &[&str]| {
        let answer = request(&format!("{host}:8747"), "GET /api/v1/node", headers);
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some("*")));
        let node: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
        let all = node["addresses"].as_array().expect("a list").iter();
        all.map(|address| address.as_str().expect("text").parse().expect("an address")).collect::<Vec<Multiaddr>>()
    };
    let told = ask(private, &[]);
    assert_eq!((at(&told, private), at(&told, public)), (1, 1), "{told:?}");
    let told = ask(private, &["Origin: https://example.com"]);
    assert_eq!((at(&told, "127."), at(&told, private), at(&told, public)), (0, 0, 1), "{told:?}");
    let told = ask(public, &[]);
    assert_eq!((at(&told, "127."), at(&told, private), at(&told, public)), (0, 0, 1), "{told:?}");
}

/// Who comes through a proxy on this machine is not on this machine.
#[tokio::test]
async fn whoever_comes_through_a_trusted_proxy_is_told_what_is_public() {
    let external = format!("/ip4/{}/tcp/4747", PUBLIC_ADDRESSES[0]);
    let flags = format!("{HUB_FLAGS} --ephemeral --trusted-proxy 127.0.0.1 --external {external}");
    let hub = Hub::of(tincan(&flags));
    let told = Listener::new().identified(&hub.address("tcp").parse().expect("an address")).await;
    assert_eq!(told.iter().map(Multiaddr::to_string).collect::<Vec<_>>(), [external]);
}

#[test]
fn a_page_whose_name_was_made_to_lead_here_is_told_nothing_private() {
    let hub = Hub::start();
    let ask = |headers: &[&str]| request(&hub.http, "GET /api/v1/node", headers).body;
    assert!(ask(&[]).contains("/ip4/127.0.0.1/tcp/"));
    let rebound = support::http::request_as(&hub.http, "rebound.example.com", "GET /api/v1/node", &[]).body;
    assert!(rebound.contains("/dns/rebound.example.com/tcp/") && !rebound.contains("/ip4/"), "{rebound}");
    for name in ["localhost", "hub", "hub.local"] {
        let own = support::http::request_as(&hub.http, name, "GET /api/v1/node", &[]).body;
        assert!(own.contains("/ip4/127.0.0.1/tcp/"), "{name}: {own}");
    }
    for origin in ["http://example.com", "http://127.0.0.1:1", "null"] {
        let foreign = ask(&[&format!("Origin: {origin}")]);
        assert!(foreign.contains("\"addresses\":[]"), "{origin}: {foreign}");
    }
}

#[test]
fn an_announced_webrtc_address_has_the_hubs_certificate_and_is_dialled_by_strangers() {
    const NAME: &str = "an_announced_webrtc_address_has_the_hubs_certificate_and_is_dialled_by_strangers";
    if let Some(hub) = network::told() {
        return dialled(&hub.parse().expect("an address"));
    }
    let Some(network) = Network::new("an announced WebRTC address") else { return };
    network.with_public_addresses();
    let external = format!("/ip4/{}/udp/4748/webrtc-direct", PUBLIC_ADDRESSES[0]);
    let listen = "--listen /ip4/0.0.0.0/tcp/4747 --listen /ip4/0.0.0.0/udp/4748/webrtc-direct";
    let flags = format!("serve --ephemeral --no-mdns {listen} --external {external}");
    let hub = Hub::of(tincan_in(&network.hosts[0], &flags));
    network.run_inside(NAME, &format!("/ip4/{}/tcp/4747/p2p/{}", PUBLIC_ADDRESSES[0], hub.id));
}

#[tokio::main]
async fn dialled(hub: &Multiaddr) {
    let told = Listener::new().identified(hub).await;
    let direct = told.iter().find(|address| address.to_string().contains("/webrtc-direct")).expect("it is told");
    let ended = tincan(&format!("ping {direct} -c 1 --ephemeral")).run(b"");
    ended.assert_status(0);
}
