//! A hub starts, answers over HTTP, stays itself over a restart, and ends when asked.

mod support;

use std::{collections::BTreeSet, fs, net::UdpSocket, path::Path, time::Duration};

use support::{
    Hub, PATIENCE,
    http::{get, request},
    tincan,
};

/// What a hub has to end in.
const SHUTDOWN: Duration = Duration::from_secs(5);

#[test]
fn what_is_printed_can_be_used() {
    let hub = Hub::start();
    for transport in ["tcp", "ws", "quic-v1", "webrtc-direct"] {
        let address = hub.address(transport);
        assert!(address.ends_with(&format!("/p2p/{}", hub.id)), "{address}");
        assert!(
            !address.contains("0.0.0.0") && !address.contains("/tcp/0") && !address.contains("/udp/0"),
            "{address}"
        );
    }
    let health = get(&hub.http, "/healthz");
    assert_eq!((health.status, health.body.as_str()), (200, "ok"));
}

#[test]
fn wildcards_are_printed_as_addresses() {
    let flags =
        "serve --ephemeral --http 0.0.0.0:0 --listen /ip4/0.0.0.0/tcp/0 --listen /ip4/0.0.0.0/udp/0/webrtc-direct";
    let hub = Hub::of(tincan(flags));
    assert!(hub.http.starts_with("127.0.0.1:"), "{}", hub.http);
    assert!(hub.addresses.iter().any(|address| address.starts_with("/ip4/127.0.0.1/tcp/")), "{:?}", hub.addresses);
    assert!(!hub.addresses.iter().any(|address| address.contains("0.0.0.0/")), "{:?}", hub.addresses);
}

#[test]
fn the_api_tells_how_to_join() {
    let hub = Hub::start();
    let answer = get(&hub.http, "/api/v1/node");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let node: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(node["peer_id"], hub.id.as_str());
    assert_eq!(
        node["ice_servers"],
        serde_json::json!([format!("stun:127.0.0.1:{}", port_of(hub.address("webrtc-direct")))])
    );
    assert!(node["agent"].as_str().unwrap().starts_with("tincan/"), "{node}");
    assert!(node["protocols"].as_array().unwrap().iter().any(|name| name == "/tincan/kad/1.0.0"), "{node}");
    let addresses = node["addresses"].as_array().unwrap();
    for address in &hub.addresses {
        assert!(addresses.iter().any(|found| found == address.as_str()), "{address} in {addresses:?}");
    }
}

/// The UDP port in an address.
fn port_of(address: &str) -> u16 {
    let mut parts = address.split('/').skip_while(|part| *part != "udp").skip(1);
    parts.next().expect("a port").parse().expect("a number")
}

#[test]
fn the_port_of_webrtc_tells_whoever_asks_by_which_address_it_is_seen() {
    let hub = Hub::start();
    let server = ("127.0.0.1", port_of(hub.address("webrtc-direct")));
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time above 0");
    let request = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], b"transaction!"].concat();
    socket.send_to(&request, server).expect("sent");
    let mut answer = [0; 64];
    let (length, _) = socket.recv_from(&mut answer).expect("an answer");
    assert_eq!((length, &answer[..2], &answer[8..20]), (32, &[1, 1][..], &b"transaction!"[..]));
    // XOR-MAPPED-ADDRESS: the port and the address, combined with the magic number.
    let ours = socket.local_addr().expect("bound").port();
    assert_eq!(u16::from_be_bytes([answer[26] ^ 0x21, answer[27] ^ 0x12]), ours);
    assert_eq!([answer[28] ^ 0x21, answer[29] ^ 0x12, answer[30] ^ 0xa4, answer[31] ^ 0x42], [127, 0, 0, 1]);
}

#[test]
fn every_answer_is_guarded_and_errors_are_json() {
    let hub = Hub::start();
    for path in ["/", "/healthz", "/api/v1/node", "/nothing", "/../Cargo.toml", "/%2e%2e/Cargo.toml"] {
        let answer = get(&hub.http, path);
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("default-src 'none'") && policy.contains("'wasm-unsafe-eval'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe-inline"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert!(!answer.body.contains("[package]"), "{path}");
    }
    for (first, status, code) in [("GET /nothing", 404, "not_found"), ("POST /", 405, "method_not_allowed")] {
        let answer = request(&hub.http, first, &[]);
        assert_eq!(answer.status, status, "{first}");
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(body["code"], code, "{first}");
    }
}

/// A folder with a page in it, whose compressed copies say what they are.
fn page() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(dir.path().join("snippets")).expect("made");
    for (name, text) in [
        ("index.html", "<!doctype html>whole"),
        ("index.html.br", "as brotli"),
        ("index.html.gz", "as gzip"),
        ("app-0123456789abcdef.js", "go()"),
        ("snippets/style.css", "a{}"),
        ("app_bg.wasm", "\0asm"),
    ] {
        fs::write(dir.path().join(name), text).expect("written");
    }
    dir
}

#[test]
fn a_page_is_sent_once_and_compressed_as_the_browser_takes_it() {
    let dir = page();
    let hub = Hub::of(tincan(support::HUB_FLAGS).arguments("--ephemeral").path("--page", dir.path()));
    let ask = |path: &str, headers: &[&str]| request(&hub.http, &format!("GET {path}"), headers);
    let mut tags = BTreeSet::new();
    for (accept, encoding, body) in [
        ("identity", None, "<!doctype html>whole"),
        ("gzip, deflate", Some("gzip"), "as gzip"),
        ("gzip, deflate, br", Some("br"), "as brotli"),
        ("gzip, br;q=0", Some("gzip"), "as gzip"),
    ] {
        let accept = format!("Accept-Encoding: {accept}");
        let answer = ask("/", &[&accept]);
        assert_eq!((answer.status, answer.body.as_str()), (200, body), "{accept}");
        assert_eq!(answer.header("content-encoding"), encoding, "{accept}");
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(answer.header("vary"), Some("accept-encoding"));
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        let tag = answer.header("etag").unwrap().to_owned();
        let again = ask("/", &[&accept, &format!("If-None-Match: {tag}")]);
        assert_eq!((again.status, again.body.as_str(), again.header("etag")), (304, "", Some(tag.as_str())));
        let other = ask("/", &[&accept, "If-None-Match: \"0\""]);
        assert_eq!((other.status, other.body.as_str()), (200, body));
        tags.insert(tag);
    }
    assert_eq!(tags.len(), 3, "a tag for each copy: {tags:?}");
    let script = ask("/app-0123456789abcdef.js", &["Accept-Encoding: br"]);
    assert_eq!((script.status, script.header("content-encoding")), (200, None));
    assert!(script.header("cache-control").unwrap().ends_with("immutable"));
    assert_eq!(ask("/snippets/style.css", &[]).body, "a{}");
    assert_eq!(ask("/app_bg.wasm", &[]).header("content-type"), Some("application/wasm"));
    for outside in ["/snippets", "/../Cargo.toml", "/snippets/../index.html"] {
        assert_eq!(ask(outside, &[]).status, 404, "{outside}");
    }
}

#[test]
fn a_page_that_was_not_built_says_how_to_build_it() {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/dist/index.html").is_file();
    let hub = Hub::start();
    let page = get(&hub.http, "/");
    assert!(page.header("content-type").unwrap().starts_with("text/html"), "{page:?}");
    assert_eq!(page.status, if built { 200 } else { 503 });
    assert_eq!(page.body.contains("cargo xtask page"), !built, "{}", page.body);
    assert_eq!(page.header("etag").is_some(), built);
}

#[test]
fn a_restart_changes_neither_id_nor_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let certhash = |hub: &Hub| hub.address("webrtc-direct").split_once("/certhash/").unwrap().1.to_owned();
    let first = Hub::start_in(dir.path());
    let (id, hash) = (first.id.clone(), certhash(&first));
    first.running.signal("TERM");
    first.running.wait().assert_status(0);
    let second = Hub::start_in(dir.path());
    assert_eq!((second.id.clone(), certhash(&second)), (id, hash));
}

#[test]
fn it_ends_when_asked_with_connections_open() {
    for signal in ["TERM", "INT"] {
        let mut hub = Hub::start();
        let _idle = std::net::TcpStream::connect(&hub.http).unwrap();
        hub.running.signal(signal);
        let status = hub.running.wait_at_most(SHUTDOWN);
        assert_eq!(status.code(), Some(0), "{signal}");
    }
}

#[test]
fn a_killed_hub_starts_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = Hub::start_in(dir.path());
    first.running.signal("KILL");
    first.running.wait_at_most(SHUTDOWN);
    assert_eq!(Hub::start_in(dir.path()).id, first.id);
}

#[test]
fn flags_come_from_the_environment_too() {
    // As a file made elsewhere has them, and compose passes them on.
    let listen = "/ip4/127.0.0.1/tcp/0, /ip4/127.0.0.1/udp/0/quic-v1,\r";
    let own =
        tincan("").env("TINCAN_LISTEN", listen).env("TINCAN_HTTP", "127.0.0.1:0\r").env("TINCAN_EPHEMERAL", " 1 ");
    let empty = ["TINCAN_BOOTSTRAP", "TINCAN_NICK", "TINCAN_VERBOSE", "TINCAN_CONFIG", "RUST_LOG"];
    let mut hub = Hub::of(empty.iter().fold(own, |own, name| own.env(name, "")));
    hub.running.err.containing("INFO");
    assert_eq!(hub.addresses.len(), 2, "{:?}", hub.addresses);
}
