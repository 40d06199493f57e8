//! One key in two places, and one hub at two addresses.

mod support;

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use support::{Hub, Running, disk::copy, tincan, without_id};

/// Nodes that cut each other's connections did it several times a second.
const OBSERVED: Duration = Duration::from_secs(6);

fn says(from: &mut Running, to: &mut Running, text: &str) {
    from.line(text);
    to.out.containing(text);
}

#[test]
fn of_two_terminals_with_one_key_the_older_stays_and_the_later_is_told() {
    let hub = Hub::start();
    let address = hub.address("tcp");
    let [dir, other] = [(); 2].map(|()| tempfile::tempdir().expect("a temporary folder"));
    let [first, second] = [dir.path().join("data"), other.path().join("data")];
    let chat = |data| tincan(&format!("chat --nick ann {address}")).path("--data-dir", data).start();
    let mut ann = chat(&first);
    ann.err.containing("online");
    ann.end_input();
    ann.wait().assert_status(0);
    copy(&first, &second);

    let mut bob = tincan(&format!("chat --ephemeral --nick bob {address}")).start();
    bob.err.containing("online");
    let mut older = chat(&first);
    older.err.containing("online");
    says(&mut older, &mut bob, "before the later one came");
    let mut later = chat(&second);
    let told = later.err.containing("refused: ");
    assert!(told.contains("the same key runs twice"), "{told}");
    let lost = format!("disconnected: {}", hub.id);
    later.err.containing(&lost);
    says(&mut bob, &mut older, "the older one still hears");
    says(&mut older, &mut bob, "and is heard");

    // It stays away, and the older one was never cut off.
    let began = Instant::now();
    while began.elapsed() < OBSERVED {
        says(&mut older, &mut bob, &format!("after {:?}", began.elapsed()));
        sleep(Duration::from_millis(500));
    }
    later.signal("TERM");
    let ended = later.wait();
    let back = ended.err.iter().rposition(|line| line.starts_with("connected: ") && line.contains(&hub.id));
    assert!(back < ended.err.iter().rposition(|line| *line == lost), "{ended:?}");
    older.end_input();
    let ended = older.wait();
    assert!(!ended.err.contains(&lost), "{ended:?}");
}

#[test]
fn two_addresses_of_one_hub_make_one_connection_that_stays() {
    let hub = Hub::start();
    let [quic, tcp] = ["quic-v1", "tcp"].map(|transport| without_id(hub.address(transport)));
    let mut bob = tincan(&format!("chat --ephemeral --nick bob {tcp}")).start();
    bob.err.containing("online");
    let mut ann = tincan(&format!("chat --ephemeral --nick ann {quic} {tcp}")).start();
    ann.err.containing("online");
    let began = Instant::now();
    while began.elapsed() < OBSERVED {
        says(&mut ann, &mut bob, &format!("after {:?}", began.elapsed()));
        sleep(Duration::from_millis(500));
    }
    ann.end_input();
    let ended = ann.wait();
    ended.assert_status(0);
    assert!(!ended.err.contains(&format!("disconnected: {}", hub.id)), "{ended:?}");
}
