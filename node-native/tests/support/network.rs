//! Networks of a test's own: never the one this machine is on.

use std::{
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use super::{Tincan, left_out::left_out};

/// Addresses of the two hosts.
pub const ADDRESSES: [&str; 2] = ["10.77.0.1", "10.77.0.2"];

/// `tincan` inside a network namespace without the help of `ip`, which itself needs what a hardened service may not have.
pub fn tincan_entering(namespace: &str, arguments: &str) -> Tincan {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/run/netns/{namespace}")).arg(env!("CARGO_BIN_EXE_tincan"));
    Tincan::new(command).arguments(arguments)
}

/// Their public ones, in a network of the same cable that stands for the internet.
pub const PUBLIC_ADDRESSES: [&str; 2] = ["198.51.100.1", "198.51.100.2"];
/// The same where there is IPv6 only.
pub const IPV6_ADDRESSES: [&str; 2] = ["fd77::1", "fd77::2"];

/// Two hosts on one cable.
#[derive(Debug)]
pub struct Network {
    pub hosts: [String; 2],
}

impl Network {
    /// Nothing where networks cannot be made; then it says that this subject was left out.
    pub fn new(subject: &str) -> Option<Self> {
        let network = Self::without_addresses(subject)?;
        for (host, address) in network.hosts.iter().zip(ADDRESSES) {
            assert!(ip(&format!("-n {host} addr add {address}/24 dev wire")));
            assert!(ip(&format!("-n {host} route add 224.0.0.0/4 dev wire")));
        }
        Some(network)
    }

    /// Gives both hosts public addresses too.
    pub fn with_public_addresses(&self) {
        for (host, address) in self.hosts.iter().zip(PUBLIC_ADDRESSES) {
            assert!(ip(&format!("-n {host} addr add {address}/24 dev wire")));
        }
    }

    /// With IPv6 addresses alone.
    pub fn ipv6_only(subject: &str) -> Option<Self> {
        let network = Self::without_addresses(subject)?;
        for (host, address) in network.hosts.iter().zip(IPV6_ADDRESSES) {
            // Nobody else can have it: not waiting until that is known.
            if !ip(&format!("-n {host} addr add {address}/64 dev wire nodad")) {
                left_out(&format!("{subject}, as this machine has no IPv6"));
                return None;
            }
        }
        Some(network)
    }

    /// Without any address but loopback's.
    pub fn without_addresses(subject: &str) -> Option<Self> {
        let network = Self::down(subject)?;
        for host in &network.hosts {
            assert!(ip(&format!("-n {host} link set lo up")));
            assert!(ip(&format!("-n {host} link set wire up")));
        }
        Some(network)
    }

    /// With no interface up, not even loopback.
    pub fn down(subject: &str) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("tc{}x{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let hosts = ["a", "b"].map(|side| format!("{name}{side}"));
        let network = Self { hosts };
        let [a, b] = &network.hosts;
        for host in [a, b] {
            if !ip(&format!("netns add {host}")) {
                left_out(&format!("{subject}, as network namespaces need root and the program ip"));
                return None;
            }
        }
        assert!(ip(&format!("link add wire netns {a} type veth peer name wire netns {b}")));
        Some(network)
    }
}

/// An address of the second host's network where nobody is, and packets are lost without a word.
pub const DEAD: [&str; 2] = ["10.77.0.3", "10.77.0.9"];
/// Addresses of the two hosts by IPv6, and one where nobody is.
pub const ADDRESSES_V6: [&str; 2] = ["fd77::1", "fd77::2"];
pub const DEAD_V6: &str = "fd77::9";

impl Network {
    /// Gives both hosts an IPv6 address, and makes the dead addresses swallow what the second host sends them.
    pub fn with_dead_addresses(self) -> Self {
        for (host, address) in self.hosts.iter().zip(ADDRESSES_V6) {
            assert!(ip(&format!("-n {host} addr add {address}/64 dev wire nodad")));
        }
        for dead in DEAD.iter().chain([&DEAD_V6]) {
            assert!(ip(&format!(
                "-n {} neigh add {dead} lladdr 02:00:00:00:00:99 dev wire nud permanent",
                self.hosts[1]
            )));
        }
        self
    }
}

/// Set where a test runs anew inside a host of a network.
const INSIDE: &str = "IN_A_NETWORK";

impl Network {
    /// Runs the test of this name anew inside the second host; there [`told`] gives it what it is told.
    pub fn run_inside(&self, test: &str, told: &str) {
        let program = std::env::current_exe().expect("a program");
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.hosts[1]]).arg(program).args([test, "--exact", "--nocapture"]);
        let ended = command.env(INSIDE, told).output().expect("ip runs");
        let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        assert!(ended.status.success() && out.contains("1 passed"), "{out}\n{err}");
    }
}

/// What a test was told that runs inside a host of a network; nothing in one that runs outside.
pub fn told() -> Option<String> {
    std::env::var(INSIDE).ok()
}

impl Network {
    /// Slows both ends of the cable as `tc qdisc … tbf` says. False where that cannot be done.
    pub fn shape(&self, tbf: &str) -> bool {
        let shape = |host: &String| ip(&format!("netns exec {host} tc qdisc add dev wire root tbf {tbf}"));
        self.hosts.iter().all(shape)
    }
}

/// While it lives, each host refuses all TCP of the other.
#[derive(Debug)]
pub struct Cut<'a>(&'a Network);

impl Network {
    /// Resets every connection of the two, and lets none come about. Nothing where that cannot be done.
    pub fn cut(&self, subject: &str) -> Option<Cut<'_>> {
        let cut = Cut(self);
        if !self.hosts.iter().all(|host| iptables(host, "-I")) {
            left_out(&format!("{subject}, after a connection was lost: that needs the program iptables"));
            return None;
        }
        Some(cut)
    }
}

impl Network {
    /// Lets no UDP through but mDNS. False where that cannot be done.
    pub fn close_udp(&self, subject: &str) -> bool {
        let packets = "-i wire -p udp ! --dport 5353 -j DROP";
        let closed = self.hosts.iter().all(|host| ip(&format!("netns exec {host} iptables -I INPUT {packets}")));
        if !closed {
            left_out(&format!("{subject}, where UDP is closed: that needs the program iptables"));
        }
        closed
    }
}

impl Drop for Cut<'_> {
    fn drop(&mut self) {
        for host in &self.0.hosts {
            iptables(host, "-D");
        }
    }
}

fn iptables(host: &str, change: &str) -> bool {
    // The other side's resets come through.
    let packets = "-i wire -p tcp ! --tcp-flags RST RST";
    ip(&format!("netns exec {host} iptables {change} INPUT {packets} -j REJECT --reject-with tcp-reset"))
}

impl Drop for Network {
    fn drop(&mut self) {
        for host in &self.hosts {
            ip(&format!("netns del {host}"));
        }
    }
}

fn ip(arguments: &str) -> bool {
    let ran = Command::new("ip").args(arguments.split(' ')).output();
    ran.is_ok_and(|output| output.status.success())
}
