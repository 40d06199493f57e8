//! Lines that waited are said once and none is lost: over full disks, lost removals and ends at the worst moment.

mod support;

use std::{fs, path::Path};

use support::{
    Hub, PATIENCE, Running,
    disk::{Disk, copy},
    node::{peer, until},
    tincan,
};
use tincan_shared::{Event, Events, Multiaddr, Node};

const ROOM: &str = "once";

/// Ann's terminal.
fn ann(data: &Path, address: &str) -> Running {
    tincan(&format!("chat --room {ROOM} --nick ann {address}")).path("--data-dir", data).start()
}

/// Ann says these lines while nobody is there, and leaves.
fn kept(data: &Path, lines: &[String]) {
    let mut ann = ann(data, "");
    for line in lines {
        ann.line(line);
        ann.err.containing(&format!("waiting for somebody: {line}"));
    }
    ann.signal("TERM");
    let ended = ann.wait();
    let told = ended.err.iter().filter(|line| line.starts_with("not sent, kept for the next time: ")).count();
    assert_eq!(told, lines.len(), "{ended:?}");
}

fn numbered(what: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{what} {n:02}")).collect()
}

/// Somebody who counts what is said.
struct Ben {
    node: Node,
    events: Events,
}

impl Ben {
    async fn join(hub: &Hub) -> Self {
        let address: Multiaddr = hub.address("tcp").parse().expect("an address");
        let (node, events) = peer(&address, "ben");
        node.join(ROOM, false).await.expect("joined");
        Self { node, events }
    }

    async fn hears(&mut self, text: &str) {
        until(&mut self.events, PATIENCE, |event| match event {
            Event::Message(message) if message.text == text => Some(()),
            _ => None,
        })
        .await;
    }

    /// All texts on the screen, in order.
    async fn screen(&self) -> Vec<String> {
        let messages = self.node.messages(ROOM).await.expect("the room");
        messages.into_iter().map(|message| message.text).collect()
    }
}

/// Sends what waits on a full disk, and starts again there. Those of the lines that somebody else then has on the
/// screen; nothing where a disk cannot be had.
async fn sent_on_a_full_disk(lines: &[String]) -> Option<Vec<String>> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let disk = Disk::of(dir.path().join("disk"), 8 * 1024)?;
    let data = disk.path.join("data");
    kept(&data, lines);
    let last = lines.last().expect("some lines");

    let hub = Hub::start();
    let mut first = ann(&data, hub.address("tcp"));
    first.err.containing(&format!("waiting for somebody: {last}"));
    disk.fill();
    first.write(format!("{}\n", "x".repeat(3000)).repeat(40).as_bytes());
    first.err.containing("cannot write to the database");
    let mut ben = Ben::join(&hub).await;
    ben.hears(last).await;
    first.err.containing(&format!("sent: {last}"));
    first.line("still");
    ben.hears("still").await;
    // What is sent is no longer stored as waiting, full or not: whoever starts alone sees that.
    first.signal("TERM");
    first.wait();
    let mut alone = ann(&data, "");
    alone.line("and now");
    alone.err.containing("waiting for somebody: and now");
    let waiting = alone.err.seen.iter().filter(|line| line.contains("waiting for somebody: kept")).count();
    assert_eq!(waiting, 0, "lines that were sent");
    alone.signal("KILL");
    drop(alone);

    let mut second = ann(&data, hub.address("tcp"));
    second.line("back again");
    ben.hears("back again").await;
    let mut screen = ben.screen().await;
    screen.retain(|text| text.starts_with("kept"));
    Some(screen)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_says_no_line_twice_and_loses_none() {
    let lines = numbered("kept", 30);
    if let Some(screen) = sent_on_a_full_disk(&lines).await {
        assert_eq!(screen, lines, "each once and in order");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_takes_the_removal_of_many_lines() {
    // So many that what is free within the database does not suffice, and more than is kept for a sync.
    let lines: Vec<String> = numbered("kept", 400).into_iter().map(|line| line + &"y".repeat(2500)).collect();
    if let Some(mut screen) = sent_on_a_full_disk(&lines).await {
        let all = screen.len();
        screen.sort();
        screen.dedup();
        assert_eq!(screen.len(), all, "each once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removal_that_never_reached_the_disk_says_nothing_twice() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (data, snapshot) = (dir.path().join("data"), dir.path().join("snapshot"));
    let lines = numbered("kept", 10);
    kept(&data, &lines);
    copy(&data, &snapshot);
    let hub = Hub::start();
    let mut ben = Ben::join(&hub).await;
    let mut first = ann(&data, hub.address("tcp"));
    ben.hears("kept 09").await;
    first.err.containing("sent: kept 09");
    first.signal("KILL");
    drop(first);

    fs::remove_dir_all(&data).expect("removed");
    copy(&snapshot, &data);
    let mut second = ann(&data, hub.address("tcp"));
    second.line("back again");
    ben.hears("back again").await;
    second.err.containing("sent: back again");
    let mut expected = lines;
    expected.push("back again".to_owned());
    assert_eq!(ben.screen().await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_it_sends_says_each_line_once() {
    let hub = Hub::start();
    let mut ben = Ben::join(&hub).await;
    let mut expected = Vec::new();
    for round in 0..4 {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let lines = numbered(&format!("round {round} line"), 20);
        kept(dir.path(), &lines);
        let first = ann(dir.path(), hub.address("tcp"));
        ben.hears(&lines[0]).await;
        first.signal("KILL");
        drop(first);
        let mut second = ann(dir.path(), hub.address("tcp"));
        let last = format!("round {round} is over");
        second.line(&last);
        ben.hears(&last).await;
        expected.extend(lines);
        expected.push(last);
    }
    let mut screen = ben.screen().await;
    screen.sort();
    expected.sort();
    assert_eq!(screen, expected);
}
