//! `tincan chat` fed by a pipe: every line arrives, in order, or is named.

mod support;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use support::{
    Hub, Running, Tincan,
    left_out::left_out,
    network::{ADDRESSES, Network},
    tincan, tincan_in, without_id,
};

/// Somebody who hears what is said.
fn listener(chat: Tincan, hub: &Hub) -> Running {
    let mut listener = chat.arguments(&format!("--nick ben {}", hub.address("tcp"))).start();
    listener.err.containing("online");
    listener
}

/// Lines that begin with their number, as long as that.
fn numbered(count: usize, bytes: usize) -> Vec<String> {
    (0..count).map(|n| format!("{n} {}", "x".repeat(bytes))).collect()
}

fn text_of(line: &str) -> &str {
    line.split_once("): ").expect(line).1
}

/// Pipes so many short lines through a hub.
fn all_arrive_in_order(transport: &str, count: usize) {
    let hub = Hub::start();
    let mut ben = listener(tincan("chat --ephemeral"), &hub);
    let lines = numbered(count, 0);
    let mut ann = tincan(&format!("chat --ephemeral --nick ann {}", without_id(hub.address(transport)))).start();
    ann.write((lines.join("\n") + "\n").as_bytes());
    ann.end_input();
    for line in &lines {
        assert_eq!(text_of(&ben.out.next()), line);
    }
    ann.wait().assert_status(0);
}

#[test]
fn two_thousand_lines_arrive_over_tcp() {
    all_arrive_in_order("tcp", 2000);
}

#[test]
fn two_thousand_lines_arrive_over_quic() {
    all_arrive_in_order("quic-v1", 2000);
}

/// Long lines over a link of 1 Mbit/s, with the hub and a listener on its far side.
fn a_slow_link_loses_nothing(transport: &str) {
    let subject = "what is piped over a slow link";
    let Some(network) = Network::new(subject) else { return };
    if !network.shape("rate 1mbit burst 16kb latency 400ms") {
        return left_out(&format!("{subject}, as that needs tc with tbf"));
    }
    let [near, far] = &network.hosts;
    let listen = format!("--listen /ip4/{0}/tcp/0 --listen /ip4/{0}/udp/0/quic-v1", ADDRESSES[0]);
    let flags = format!("serve --http {}:0 --ephemeral --no-mdns {listen}", ADDRESSES[0]);
    let hub = Hub::of(tincan_in(near, &flags));
    let mut ben = listener(tincan_in(near, "chat --ephemeral --no-mdns"), &hub);
    let lines = numbered(100, 1000);
    let address = without_id(hub.address(transport));
    let ended = tincan_in(far, &format!("chat --ephemeral --no-mdns --nick ann {address}"))
        .run((lines.join("\n") + "\n").as_bytes());
    ended.assert_status(0);
    for line in &lines {
        assert_eq!(text_of(&ben.out.next()), line);
    }
}

#[test]
fn a_slow_link_loses_nothing_over_tcp() {
    a_slow_link_loses_nothing("tcp");
}

#[test]
fn a_slow_link_loses_nothing_over_quic() {
    a_slow_link_loses_nothing("quic-v1");
}

#[test]
fn what_a_hub_that_stands_still_did_not_take_is_named() {
    let hub = Hub::start();
    let mut ben = listener(tincan("chat --ephemeral"), &hub);
    let lines = numbered(1000, 0);
    let mut ann = tincan(&format!("chat --ephemeral --nick ann {}", hub.address("tcp"))).start();
    ann.write((lines.join("\n") + "\n").as_bytes());
    ann.end_input();
    let mut heard: Vec<String> = (0..200).map(|_| text_of(&ben.out.next()).to_owned()).collect();
    hub.running.signal("STOP");
    let began = Instant::now();
    let ended = ann.wait();
    let took = began.elapsed();
    let told = ended.error(1).to_owned();
    assert!(told.contains("lines were not sent: "), "{told}");
    assert!(took >= Duration::from_secs(9), "it was given time: {took:?}");
    hub.running.signal("CONT");
    let named: BTreeSet<String> = ended
        .err
        .iter()
        .filter_map(|line| {
            line.strip_prefix("not sent: ").or_else(|| line.strip_prefix("sent, but nobody confirmed it: "))
        })
        .map(str::to_owned)
        .collect();
    assert!(!named.is_empty());
    // Everything before the first line that is named was taken, and the hub passes it on as soon as it can.
    let first = lines.iter().position(|line| named.contains(line)).expect("one of ours");
    while heard.len() < first {
        heard.push(text_of(&ben.out.next()).to_owned());
    }
    assert_eq!(heard[..first], lines[..first]);
    let unread = ended.err.iter().any(|line| line.contains("what follows") && line.contains("was not read"));
    assert!(unread || named.contains(&lines[999]), "{ended:#?}");
}

#[test]
fn what_nobody_takes_is_read_no_further_than_it_can_wait() {
    let lines = numbered(1000, 0);
    let ended = tincan("chat --ephemeral").run((lines.join("\n") + "\n").as_bytes());
    assert!(ended.error(1).contains("lines were not sent: there is no connection"), "{ended:#?}");
    let named = ended.err.iter().filter(|line| line.starts_with("not sent: ")).count();
    assert!((512..1000).contains(&named), "{named}");
    assert!(ended.err.iter().any(|line| line.contains("was not read")), "{ended:#?}");
}

#[test]
fn a_line_that_breaks_a_limit_is_a_failure() {
    let hub = Hub::start();
    let mut ben = listener(tincan("chat --ephemeral"), &hub);
    let long = "x".repeat(5000);
    let ended = tincan(&format!("chat --ephemeral {}", hub.address("tcp"))).run(format!("{long}\nshort\n").as_bytes());
    ended.assert_status(1);
    assert!(ended.err.iter().any(|line| line.contains("1 line was not sent: ")), "{ended:#?}");
    assert!(ben.out.next().ends_with("): short"));
}

#[test]
fn input_that_cannot_be_read_is_a_failure() {
    let program = env!("CARGO_BIN_EXE_tincan");
    let chat = std::process::Command::new(program)
        .args(["chat", "--ephemeral", "--no-mdns"])
        .stdin(std::fs::File::open(std::env::temp_dir()).expect("a folder"))
        .output()
        .expect("it runs");
    let told = String::from_utf8_lossy(&chat.stderr).into_owned();
    assert_eq!(chat.status.code(), Some(1), "{told}");
    assert!(told.contains("error: cannot read standard input"), "{told}");
}
