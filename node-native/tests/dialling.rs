//! Names and addresses that lead nowhere, or only later: dialled in a network of the test's own.
#![cfg(target_os = "linux")]

mod support;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use support::{
    Hub, Running,
    names::{Answer, Etc, Names},
    network::{ADDRESSES, ADDRESSES_V6, DEAD, DEAD_V6, Network},
    tincan_in,
};

const SUBJECT: &str = "names that change and addresses that lead nowhere";
/// An address that leads nowhere takes 10 s; starting a busy machine's processes takes one or two.
const SOON: Duration = Duration::from_secs(5);

/// Two hosts: a hub and a name server on the first, on the second somebody who asks that server.
struct Scene {
    names: Names,
    etc: Etc,
    hub: Hub,
    data: tempfile::TempDir,
    network: Network,
}

impl Scene {
    fn new() -> Option<Self> {
        let network = Network::new(SUBJECT)?.with_dead_addresses();
        let [a, b] = &network.hosts;
        let etc = Etc::of(b, ADDRESSES[0]);
        let names = Names::serve(a, ADDRESSES[0]);
        let data = tempfile::tempdir().expect("a temporary folder");
        let hub = Self::hub(a, data.path());
        Some(Self { names, etc, hub, data, network })
    }

    fn hub(host: &str, data: &Path) -> Hub {
        let listen =
            ["/ip4/0.0.0.0/tcp/4747", "/ip4/0.0.0.0/tcp/4748/ws", "/ip4/0.0.0.0/udp/4747/quic-v1", "/ip6/::/tcp/4747"];
        let flags: String = listen.iter().map(|address| format!(" --listen {address}")).collect();
        Hub::of(tincan_in(host, &format!("serve --no-mdns --http 127.0.0.1:0{flags}")).path("--data-dir", data))
    }

    fn set(&self, name: &str, addresses: &[&str]) {
        self.names.set(name, Answer::Addresses(addresses.iter().map(|ip| ip.parse().expect("an address")).collect()));
    }

    fn run(&self, command: &str) -> Running {
        tincan_in(&self.network.hosts[1], &format!("{command} --ephemeral --no-mdns")).start()
    }

    #[track_caller]
    fn ping(&self, address: &str) -> Duration {
        let began = Instant::now();
        let ended = self.run(&format!("ping -c 1 {address}")).wait();
        ended.assert_status(0);
        began.elapsed()
    }
}

#[test]
fn a_dead_address_behind_a_name_costs_no_retry() {
    let Some(scene) = Scene::new() else { return };
    scene.set("live.test", &[ADDRESSES[0]]);
    // The system puts the one first that is nearer to this host's own address.
    scene.set("deadfirst.test", &[DEAD[0], ADDRESSES[0]]);
    scene.set("deadlast.test", &[ADDRESSES[0], DEAD[1]]);
    scene.set("deadv6.test", &[ADDRESSES[0], DEAD_V6]);
    scene.set("deadv4.test", &[DEAD[0], DEAD[1], ADDRESSES_V6[0]]);
    let least = scene.ping("/dns/live.test/tcp/4747");
    for (name, ways) in [
        ("dns/deadfirst.test", &["tcp/4747", "tcp/4748/ws", "udp/4747/quic-v1"][..]),
        ("dns4/deadlast.test", &["tcp/4747", "tcp/4748/ws"]),
        ("dns/deadv6.test", &["tcp/4747", "tcp/4748/ws"]),
        ("dns/deadv4.test", &["tcp/4747"]),
    ] {
        for way in ways {
            let took = scene.ping(&format!("/{name}/{way}"));
            support::notice(&format!("{name}/{way}: {took:?}, without a dead address {least:?}"));
            assert!(took < SOON, "{name}/{way}: {took:?}");
        }
    }
    let ended = scene.run("ping -c 1 /dns4/deadlast.test/tcp/4749").wait();
    let error = ended.error(1);
    assert!(error.contains("10.77.0.1: Connection refused, 10.77.0.9: no answer within 10 s"), "{error}");
}

#[test]
fn a_dnsaddr_stands_for_whole_addresses_that_race() {
    let Some(scene) = Scene::new() else { return };
    let id = &scene.hub.id;
    scene.set("live.test", &[DEAD[0], ADDRESSES[0]]);
    let texts = [
        format!("dnsaddr=/ip4/{}/tcp/4747/p2p/{id}", DEAD[0]),
        "dnsaddr=nonsense".to_owned(),
        "dnsaddr=/ip4/10.77.0.1/tcp/4747/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN".to_owned(),
        format!("dnsaddr=/dnsaddr/hub.test/p2p/{id}"),
        format!("dnsaddr=/dns4/live.test/tcp/4748/ws/p2p/{id}"),
    ];
    scene.names.set("_dnsaddr.hub.test", Answer::Texts(texts.to_vec()));
    assert!(scene.ping(&format!("/dnsaddr/hub.test/p2p/{id}")) < SOON);
    let ended = scene.run("ping -c 1 /dnsaddr/none.test").wait();
    assert!(ended.error(1).contains("the name none.test is not found; "), "{ended:?}");
}

/// Named by one address, it has told others.
#[test]
fn a_hub_that_is_lost_at_one_address_is_found_at_another() {
    let Some(mut scene) = Scene::new() else { return };
    let address = format!("/ip4/{}/tcp/4747", ADDRESSES[0]);
    let id = format!("{address}/p2p/{}", scene.hub.id);
    // Nobody reaches them, the hub neither.
    let nowhere = "--listen /ip4/127.0.0.1/tcp/0";
    let mut terminals = [address, id].map(|address| scene.run(&format!("chat {address} {nowhere}")));
    for terminal in &mut terminals {
        terminal.err.containing("online");
    }
    scene.hub.running.signal("KILL");
    // So often that Kademlia's own dials, which know these addresses, have ended.
    for terminal in &mut terminals {
        (0..4).for_each(|_| drop(terminal.err.containing("offline; trying again")));
    }
    // TCP over IPv4 alone: QUIC and IPv6 stay.
    let Some(_cut) = scene.network.cut(SUBJECT) else { return };
    scene.hub = Scene::hub(&scene.network.hosts[0], scene.data.path());
    for terminal in &mut terminals {
        terminal.err.containing("online");
    }
    let [mut ann, mut ben] = terminals;
    ann.line("found");
    assert!(ben.out.next().ends_with(": found"));
}

#[test]
fn name_servers_and_hosts_that_change_are_found_without_a_restart() {
    let Some(scene) = Scene::new() else { return };
    scene.set("hub.test", &[ADDRESSES[0]]);
    scene.etc.name_server(DEAD[1]);
    let mut ann = scene.run("chat /dns4/hub.test/tcp/4747");
    let told = ann.err.containing("cannot reach /dns4/hub.test/tcp/4747: ");
    assert!(told.contains("no name server answers about hub.test; check this machine's network"), "{told}");
    scene.etc.name_server(ADDRESSES[0]);
    ann.err.containing("online");

    // Names that only this host knows.
    let mut ben = scene.run("chat /dns/hub.local/tcp/4748/ws");
    let told = ben.err.containing("cannot reach /dns/hub.local/tcp/4748/ws: ");
    assert!(told.contains("the name hub.local is not found; check its spelling"), "{told}");
    scene.etc.hosts(&format!("{} hub.local\n", ADDRESSES[0]));
    ben.err.containing("online");
    ben.line("found");
    assert!(ann.out.next().ends_with(": found"));
}

/// The system itself waits 5 s for the first of them.
#[test]
fn a_dead_first_name_server_costs_time_and_not_the_name() {
    let Some(scene) = Scene::new() else { return };
    scene.set("hub.test", &[ADDRESSES[0]]);
    scene.etc.name_servers(&[DEAD[1], ADDRESSES[0]]);
    scene.ping("/dns4/hub.test/tcp/4747");
}

#[test]
fn a_name_server_that_answers_oddly_stops_nobody_and_is_told() {
    let Some(scene) = Scene::new() else { return };
    let live = ADDRESSES[0].parse().expect("an address");
    let odd = [
        ("additional.test", Answer::Additional(live), "is not found"),
        ("misplaced.test", Answer::Misplaced(live), ""),
        ("alias.test", Answer::Alias("gone.test"), "is not found"),
        ("none.test", Answer::Addresses(Vec::new()), "is not found"),
        ("fails.test", Answer::Fails, "cannot be looked up now"),
        ("garbage.test", Answer::Garbage, ""),
        ("silent.test", Answer::Nothing, "no name server answers about silent.test"),
    ];
    let mut terminals: Vec<Running> = Vec::new();
    for (name, answer, _) in &odd {
        // Else the answer about another name would be about this one.
        let name = if *name == "misplaced.test" { "elsewhere.test" } else { name };
        scene.names.set(name, answer.clone());
        terminals.push(scene.run(&format!("chat /dns4/{name}/tcp/4747 /dns/{name}/tcp/4748/ws")));
    }
    for (terminal, (name, _, told)) in terminals.iter_mut().zip(&odd) {
        let said = terminal.err.containing("cannot reach /dns");
        assert!(said.contains(told) && said.contains("; check "), "{name}: {said}");
    }
    for (name, ..) in &odd {
        scene.set(name, &[ADDRESSES[0]]);
    }
    scene.set("elsewhere.test", &[ADDRESSES[0]]);
    for mut terminal in terminals {
        terminal.err.containing("online");
        assert!(!terminal.err.seen.iter().any(|line| line.contains("panicked")), "{:#?}", terminal.err.seen);
    }
}
