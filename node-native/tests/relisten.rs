//! A hub whose UDP socket fails listens anew, on the same port. The socket is broken from outside.
#![cfg(target_os = "linux")]

mod support;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
};

use libp2p::{Multiaddr, multiaddr::Protocol};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use support::{Hub, tincan, without_id};

fn port(address: &str) -> u16 {
    let address: Multiaddr = address.parse().expect("an address");
    let udp = |part| if let Protocol::Udp(port) = part { Some(port) } else { None };
    address.iter().find_map(udp).expect("a UDP port")
}

/// Another process's UDP socket on this port, shared with it.
fn shared_socket(process: u32, port: u16) -> UdpSocket {
    let table = fs::read_to_string(format!("/proc/{process}/net/udp")).expect("it runs");
    let row = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let local = format!(":{port:04X}");
    let row = row.into_iter().find(|cells| cells[1].ends_with(&local)).expect("it listens there");
    let link = format!("socket:[{}]", row[9]);
    let files = fs::read_dir(format!("/proc/{process}/fd")).expect("it runs");
    let named = files
        .filter_map(Result::ok)
        .find(|file| fs::read_link(file.path()).is_ok_and(|target| target.to_string_lossy() == link));
    let number: i32 = named.expect("it is its").file_name().to_string_lossy().parse().expect("a number");
    let pid = Pid::from_raw(i32::try_from(process).expect("a process")).expect("a process");
    let process = pidfd_open(pid, PidfdFlags::empty()).expect("it is ours");
    pidfd_getfd(process, number, PidfdGetfdFlags::empty()).expect("a child's").into()
}

/// Makes the next read of a socket fail: it is connected to a port where nobody listens, and says something. Then somebody
/// does listen there, and answers, so that it is read.
fn break_socket(socket: &UdpSocket) {
    let listener = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let dead: SocketAddr = listener.local_addr().expect("bound");
    drop(listener);
    socket.connect(dead).expect("loopback");
    socket.send(b"is anybody there").expect("sent");
    let listener = UdpSocket::bind(dead).expect("a socket");
    listener.send_to(b"now", socket.local_addr().expect("bound")).expect("sent");
}

#[test]
fn a_webrtc_listener_that_died_is_opened_again() {
    let mut hub = Hub::start();
    let address = hub.address("webrtc-direct").to_owned();
    for _ in 0..2 {
        break_socket(&shared_socket(hub.running.id(), port(&address)));
        let said = hub.running.err.containing("a listener failed");
        assert!(said.contains("UDP socket failed"), "{said}");
        hub.running.err.containing("is open again");
        let again = hub.running.out.containing("/webrtc-direct/");
        assert!(again.contains(without_id(&address)), "{again}, and it was {address}");
        let ping = tincan(&format!("ping {address} -c 1 --ephemeral")).run(b"");
        ping.assert_status(0);
    }
}
