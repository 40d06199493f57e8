//! Visitors of the page who hold connections: what others still get, and what it costs.

mod hostile;
mod support;

use std::{
    fs,
    net::SocketAddr,
    time::{Duration, Instant},
};

use hostile::memory::{MAX_GROWTH_KIB, Memory};
use support::{
    Hub, PATIENCE,
    http::{counter, get},
    network::{self, ADDRESSES, Network},
    tincan, tincan_in,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

/// Connections that a hub takes, and of them those of one source.
const MAX_CONNECTIONS: usize = 1024;
const MAX_PER_SOURCE: usize = 512;
/// Far above what the systems between hold for a reader.
const MODULE_BYTES: usize = 4 * 1024 * 1024;
const GROUP: usize = 64;
const MODULE: &str = "GET /app_bg.wasm HTTP/1.1\r\nHost: hub.test\r\n";

fn page() -> tempfile::TempDir {
    // Each connection is a file.
    rlimit::increase_nofile_limit(16 * 1024).expect("files enough");
    let dir = tempfile::tempdir().expect("a temporary folder");
    fs::write(dir.path().join("index.html"), "<!doctype html>").expect("written");
    fs::write(dir.path().join("app_bg.wasm"), vec![7; MODULE_BYTES]).expect("written");
    dir
}

async fn idle(hub: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a size");
    let connected = socket.connect(hub.parse::<SocketAddr>().expect("an address"));
    timeout(PATIENCE, connected).await.expect("in time").expect("connected")
}

/// Asks for the module and reads no more than the status.
async fn unread(hub: &str, headers: &str) -> (TcpStream, u16) {
    let mut stream = idle(hub).await;
    stream.write_all(format!("{MODULE}{headers}\r\n").as_bytes()).await.expect("asked");
    let mut start = [0; 12];
    timeout(PATIENCE, stream.read_exact(&mut start)).await.expect("in time").expect("an answer");
    let status = String::from_utf8_lossy(&start[9..]).parse().expect("a status");
    (stream, status)
}

/// So many at once, in groups: one after the other would take longer than an idle connection is kept.
async fn many<F: Future>(count: usize, one: impl Fn() -> F) -> Vec<F::Output> {
    let mut all = Vec::new();
    while all.len() < count {
        all.extend(futures::future::join_all((all.len()..count).take(GROUP).map(|_| one())).await);
    }
    all
}

/// Whether the other side has closed it.
fn is_closed(stream: &TcpStream) -> bool {
    match stream.try_read(&mut [0; 1]) {
        Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
        Ok(_) => true,
    }
}

fn assert_healthy_at_once(hub: &str) {
    let start = Instant::now();
    let health = get(hub, "/healthz");
    assert_eq!((health.status, health.body.as_str()), (200, "ok"));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test]
async fn idle_sockets_keep_nobody_out() {
    let dir = page();
    let hub = Hub::of(tincan(support::HUB_FLAGS).arguments("--ephemeral").path("--page", dir.path()));
    let sockets = many(MAX_CONNECTIONS + 200, || idle(&hub.http)).await;
    assert_healthy_at_once(&hub.http);
    assert_eq!(get(&hub.http, "/").status, 200);
    assert!(counter(&hub.http, "http_cut") >= 200);
    assert_eq!(counter(&hub.http, "http_busy"), 0);
    assert!(!is_closed(sockets.last().expect("some")), "the oldest give way");
}

#[tokio::test]
async fn unread_downloads_share_the_module_and_the_hub_stays_watched() {
    let dir = page();
    let hub = Hub::of(tincan(support::HUB_FLAGS).arguments("--ephemeral").path("--page", dir.path()));
    let before = Memory::of(&hub);
    let mut downloads = many(500, || unread(&hub.http, "")).await;
    assert!(downloads.iter().all(|(_, status)| *status == 200));
    let growth = Memory::of(&hub).now.saturating_sub(before.now);
    println!("500 unread downloads of {MODULE_BYTES} bytes: {growth} KiB more");
    assert!(growth < MAX_GROWTH_KIB, "{growth} KiB");
    downloads.extend(many(MAX_CONNECTIONS - 500, || unread(&hub.http, "")).await);
    let busy = get(&hub.http, "/");
    assert_eq!((busy.status, busy.header("retry-after")), (503, Some("5")), "{busy:?}");
    assert!(busy.body.contains("\"busy\"") && busy.header("content-security-policy").is_some(), "{busy:?}");
    assert_healthy_at_once(&hub.http);
    // Strangers who hold the extra places do not keep a question about its health out either.
    let _more = many(100, || idle(&hub.http)).await;
    assert_healthy_at_once(&hub.http);
    downloads.truncate(100);
    let start = Instant::now();
    while get(&hub.http, "/").status != 200 {
        assert!(start.elapsed() < PATIENCE, "places of those who left are free again");
    }
}

/// Reads an answer, a little each second for so long, then all of it; says how many bytes came.
async fn slow_reader(stream: &mut TcpStream, bytes_per_second: usize, seconds: u32) -> usize {
    let mut answer = vec![0; bytes_per_second];
    let mut all = 0;
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    for _ in 0..seconds {
        ticks.tick().await;
        all += timeout(PATIENCE, stream.read_exact(&mut answer)).await.expect("in time").expect("not cut");
    }
    let mut rest = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("in time").expect("not cut");
    all + rest.len()
}

#[tokio::test]
async fn a_slow_reader_gets_the_whole_module_and_who_reads_nothing_is_cut() {
    // Longer than anybody may be without progress.
    const SLOW_SECONDS: u32 = 18;
    let dir = page();
    let hub = Hub::of(tincan(support::HUB_FLAGS).arguments("--ephemeral").path("--page", dir.path()));
    let start = Instant::now();
    let _unread = unread(&hub.http, "").await;
    let (mut slow, status) = unread(&hub.http, "Connection: close\r\n").await;
    assert_eq!(status, 200);
    let only_the_slow_one = async {
        // Itself, and the question.
        while counter(&hub.http, "http_connections") > 2 {
            assert!(start.elapsed() < PATIENCE, "it still holds its place");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        start.elapsed()
    };
    let (bytes, cut_after) = tokio::join!(slow_reader(&mut slow, 4096, SLOW_SECONDS), only_the_slow_one);
    println!("{bytes} bytes read slowly; who read nothing was cut after {cut_after:?}");
    assert!(bytes > MODULE_BYTES, "{bytes} bytes");
    let (least, most) = (Duration::from_secs(10), Duration::from_secs(u64::from(SLOW_SECONDS)));
    assert!(cut_after > least && cut_after < most, "cut after {cut_after:?}");
}

#[tokio::test]
async fn clients_behind_a_trusted_proxy_are_bounded_each_by_its_address() {
    let dir = page();
    let flags = format!("{} --ephemeral --trusted-proxy 127.0.0.1", support::HUB_FLAGS);
    let hub = Hub::of(tincan(&flags).path("--page", dir.path()));
    // What stands before the last address anybody may have written.
    let greedy = "X-Forwarded-For: 198.51.100.7, 192.0.2.1\r\n";
    let downloads = many(MAX_PER_SOURCE, || unread(&hub.http, greedy)).await;
    assert!(downloads.iter().all(|(_, status)| *status == 200));
    assert_eq!(unread(&hub.http, greedy).await.1, 503);
    assert_eq!(unread(&hub.http, "X-Forwarded-For: 192.0.2.1, 198.51.100.7\r\n").await.1, 200);
    assert_eq!(counter(&hub.http, "http_busy"), 1);
}

#[tokio::test]
async fn two_sources_that_hold_all_places_leave_some_to_others() {
    let dir = page();
    let flags = format!("{} --ephemeral --trusted-proxy 127.0.0.1", support::HUB_FLAGS);
    let hub = Hub::of(tincan(&flags).path("--page", dir.path()));
    let mut hostile = Vec::new();
    for ip in ["192.0.2.1", "192.0.2.2"] {
        let greedy = format!("X-Forwarded-For: {ip}\r\n");
        hostile.extend(many(MAX_PER_SOURCE, || unread(&hub.http, &greedy)).await);
    }
    assert!(hostile.iter().all(|(_, status)| *status == 200));
    let others = many(GROUP, || unread(&hub.http, "X-Forwarded-For: 198.51.100.7\r\n")).await;
    let statuses: Vec<u16> = others.iter().map(|(_, status)| *status).collect();
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(counter(&hub.http, "http_busy"), 0);
}

#[test]
fn one_source_holds_half_and_a_trusted_one_more() {
    const NAME: &str = "one_source_holds_half_and_a_trusted_one_more";
    let dir = page();
    if let Some(told) = network::told() {
        let (hub, open) = told.split_once(' ').expect("two words");
        return hold_idle_ones(hub, open.parse().expect("a number"));
    }
    let Some(network) = Network::new("bounds by address of the page's visitors") else { return };
    for (flag, open) in [("", MAX_PER_SOURCE), ("--trusted-proxy 10.77.0.0/24", 600)] {
        let listen = format!("--http {}:0 --listen /ip4/127.0.0.1/tcp/0", ADDRESSES[0]);
        let flags = format!("serve --ephemeral --no-mdns {listen} {flag}");
        let hub = Hub::of(tincan_in(&network.hosts[0], &flags).path("--page", dir.path()));
        network.run_inside(NAME, &format!("{} {open}", hub.http));
    }
}

/// Opens 600 idle sockets; waits until so many are left.
#[tokio::main(flavor = "current_thread")]
async fn hold_idle_ones(hub: &str, open: usize) {
    let sockets = many(600, || idle(hub)).await;
    assert_healthy_at_once(hub);
    // The question above was one more.
    let expected = if open < 600 { 600 + 1 - open } else { 0 };
    let closed = |sockets: &[TcpStream]| sockets.iter().filter(|socket| is_closed(socket)).count();
    let start = Instant::now();
    while closed(&sockets) < expected {
        assert!(start.elapsed() < PATIENCE, "{} closed", closed(&sockets));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(closed(&sockets), expected);
}
