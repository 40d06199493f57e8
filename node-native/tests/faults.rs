//! Wrong clocks, disks that refuse, and ends at the worst moment.

mod support;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Instant,
};

use support::{
    Hub, PATIENCE,
    disk::Disk,
    node::{node, now_ms, peer, total, until},
    tincan,
};
use tincan_shared::{Config, Event, Said};

const ROOM: &str = "faults";
const HOUR_MS: u64 = 3_600_000;

fn ten_minutes_fast() -> u64 {
    now_ms() + 600_000
}

fn ten_minutes_slow() -> u64 {
    now_ms() - 600_000
}

fn three_hours_slow() -> u64 {
    now_ms() - 3 * HOUR_MS
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_ten_minutes_off_still_chat() {
    let hub = Hub::start();
    let address: tincan_shared::Multiaddr = hub.address("tcp").parse().expect("an address");
    let config = |nick: &str| Config { bootstrap: vec![address.clone()], nick: Some(nick.into()), ..Config::page() };
    let (ann, mut ann_hears) = node(config("ann"), ten_minutes_fast);
    let (bob, mut bob_hears) = node(config("bob"), ten_minutes_slow);
    let (cleo, mut cleo_hears) = peer(&address, "cleo");
    for node in [&ann, &bob, &cleo] {
        node.join(ROOM, false).await.expect("joined");
    }
    for events in [&mut ann_hears, &mut bob_hears, &mut cleo_hears] {
        total(events, ROOM, 2, PATIENCE).await;
    }
    for node in [&ann, &bob, &cleo] {
        node.say(ROOM, node.peer_id().to_string()).await.expect("said");
    }
    for (events, me) in [(&mut ann_hears, &ann), (&mut bob_hears, &bob), (&mut cleo_hears, &cleo)] {
        let mut heard = 0;
        while heard < 2 {
            let from = until(events, PATIENCE, |event| match event {
                Event::Message(message) if message.from != me.peer_id() => {
                    Some(message.from.to_string() == message.text)
                }
                Event::ClockWrong { .. } => panic!("ten minutes are within the hour"),
                _ => None,
            });
            assert!(from.await, "each line once, under its own name");
            heard += 1;
        }
    }
}

/// Whether the clock that is set while its node runs has been set right.
static IS_SET: AtomicBool = AtomicBool::new(false);

fn set_while_it_runs() -> u64 {
    if IS_SET.load(Ordering::Relaxed) { now_ms() } else { three_hours_slow() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_wait_until_the_clock_is_set_right() {
    let hub = Hub::start();
    let address: tincan_shared::Multiaddr = hub.address("tcp").parse().expect("an address");
    let config = Config { bootstrap: vec![address.clone()], nick: Some("ann".into()), ..Config::page() };
    let (ann, mut ann_hears) = node(config, set_while_it_runs);
    let (bob, mut bob_hears) = peer(&address, "bob");
    for node in [&ann, &bob] {
        node.join(ROOM, false).await.expect("joined");
    }
    total(&mut ann_hears, ROOM, 1, PATIENCE).await;
    let said = ann.say(ROOM, "what time is it?").await.expect("said");
    assert!(matches!(said, Said::Queued { .. }), "others ignore it: {said:?}");
    IS_SET.store(true, Ordering::Relaxed);
    let (mut is_right, mut is_sent) = (false, false);
    until(&mut ann_hears, PATIENCE, |event| {
        is_right |= event == Event::ClockRight;
        is_sent |= matches!(event, Event::Sent { .. });
        (is_right && is_sent).then_some(())
    })
    .await;
    let heard = until(&mut bob_hears, PATIENCE, |event| match event {
        Event::Message(message) => Some(message.text),
        _ => None,
    });
    assert_eq!(heard.await, "what time is it?");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_three_hours_off_is_told_so() {
    let config = Config { listen: vec!["/ip4/127.0.0.1/tcp/0".parse().expect("an address")], ..Config::hub() };
    let (hub, mut hub_hears) = node(config, three_hours_slow);
    let address = until(&mut hub_hears, PATIENCE, |event| match event {
        Event::Listening { address } => Some(address),
        _ => None,
    });
    let address = format!("{}/p2p/{}", address.await, hub.peer_id());
    let mut terminal = tincan(&format!("chat --ephemeral --room {ROOM} {address}")).start();
    let told = tokio::task::spawn_blocking(move || terminal.err.containing("clock")).await.expect("a line");
    assert!(told.contains("3 h 0 min ahead"), "{told}");
}

#[test]
fn a_key_is_whole_or_not_there_whenever_it_is_killed() {
    const TRIES: u32 = 60;
    let dir = tempfile::tempdir().expect("a temporary folder");
    let id = |data: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tincan"));
        command.args(["id", "--data-dir"]).arg(data).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let start = Instant::now();
    assert!(id(&dir.path().join("whole")).status().expect("it runs").success());
    let whole_run = start.elapsed();
    let (mut without, mut with) = (0, 0);
    for n in 0..TRIES {
        let data = dir.path().join(n.to_string());
        let mut child = id(&data).spawn().expect("it starts");
        // Not a wait for anything: this is where in its run it dies.
        thread::sleep(whole_run * n / (TRIES / 2));
        child.kill().expect("it is ours");
        child.wait().expect("it is ours");
        if data.join("identity.key").exists() {
            with += 1
        } else {
            without += 1
        }
        tincan("id").path("--data-dir", &data).run(b"").assert_status(0);
    }
    assert!(without > 0 && with > 0, "killed too early or too late each time: {with} keys, {without} none");
}

#[test]
fn a_data_directory_that_cannot_be_written_is_named() {
    // Nobody makes folders there, root neither.
    for arguments in [format!("{} --data-dir /proc/tincan", support::HUB_FLAGS), "chat --data-dir /proc/tincan".into()]
    {
        let ended = tincan(&arguments).run(b"");
        assert!(ended.error(1).contains("/proc/tincan"), "{ended:?}");
    }
}

#[test]
fn a_full_disk_is_told_and_nothing_stored_is_damaged() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let Some(disk) = Disk::of(dir.path().join("disk"), 8 * 1024) else { return };
    let data = disk.path.join("data");
    let say = |part: &str| format!("{part} {}\n", "x".repeat(3000)).repeat(40);
    let ended = tincan("chat").path("--data-dir", &data).run(b"kept from the first run\n");
    assert!(ended.error(1).contains("not sent"), "a line waits, as nobody is there: {ended:?}");

    let mut terminal = tincan("chat").path("--data-dir", &data).start();
    terminal.err.containing("waiting for somebody: kept from the first run");
    let filler = disk.fill();
    terminal.write(say("on a full disk").as_bytes());
    terminal.err.containing("cannot write to the database");
    terminal.line("it goes on");
    terminal.err.containing("waiting for somebody: it goes on");
    fs::remove_file(filler).expect("removed");
    terminal.line("room again");
    terminal.err.containing("takes changes again");
    terminal.signal("TERM");
    let said = terminal.wait();
    let told: Vec<_> = said.err.iter().filter(|line| line.contains("cannot write")).collect();
    assert_eq!(told.len(), 1, "once is enough: {told:?}");

    let mut again = tincan("chat").path("--data-dir", &data).start();
    again.err.containing("waiting for somebody: kept from the first run");
    again.err.containing("waiting for somebody: it goes on");
    again.err.containing("waiting for somebody: room again");
    drop(again);

    let filler = disk.fill();
    let full = tincan("chat --room full").path("--data-dir", &data).run(say("what no disk takes").as_bytes());
    assert!(full.error(1).contains("40 lines"), "{full:?}");
    let kept = full.err.iter().filter(|line| line.contains("kept")).count();
    assert_eq!(kept, 0, "nothing is: {:?}", &full.err[..3]);
    let put = tincan("kv").path("--data-dir", &data).run(format!("PUT k {}\n", "v".repeat(8000)).as_bytes());
    assert!(put.error(1).contains("the disk did not take everything"), "{put:?}");
    fs::remove_file(filler).expect("removed");
    let kept = tincan("chat --room full").path("--data-dir", &data).run(b"with space\n");
    assert!(kept.err.iter().any(|line| line == "not sent, kept for the next time: with space"), "{kept:?}");
    assert!(kept.err.iter().any(|line| line.contains("do not send it again")), "{kept:?}");

    disk.fill();
    let fresh = disk.path.join("fresh");
    let refused = tincan(support::HUB_FLAGS).path("--data-dir", &fresh).run(b"");
    assert!(refused.error(1).contains("fresh"), "{refused:?}");
    let id = tincan("id").path("--data-dir", &data).run(b"");
    id.assert_status(0);
}
